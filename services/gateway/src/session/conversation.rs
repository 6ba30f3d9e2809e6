//! What is said on an open connection: the gateway's own frames are answered at once, the others
//! by the endpoint's owner, one at a time and in order.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use carillon_bus::RequestError;
use carillon_contract::messages::{FrameReply, FrameRequest, Identity};

use super::{
    SessionInfo,
    allowance::Allowance,
    frames::{self, Meaning},
    meter::Meter,
    refresh::{Refreshed, refresh},
    talk::Talk,
};
use crate::{
    authenticator::Denied,
    gateway::Gateway,
    shard::{Key, Shard},
    spans,
    websocket::CloseReason,
};

/// Frames that wait behind the one in flight. A full queue stops reading from the socket.
const WAITING: usize = 16;

/// A frame that waits for its turn.
enum Waiting {
    Domain { payload: Bytes, binary: bool },
    Refresh(String),
}

enum Answer {
    Frame(Box<FrameRequest>, Result<FrameReply, RequestError>),
    Refresh(Result<Box<Identity>, Denied>),
}

type InFlight = Pin<Box<dyn Future<Output = Answer>>>;

pub(super) struct Conversation {
    gateway: Arc<Gateway>,
    shard: Rc<Shard>,
    key: Key,
    info: Rc<SessionInfo>,
    /// The number of the last frame that went to the owner.
    number: u64,
    waiting: VecDeque<Waiting>,
    in_flight: Option<InFlight>,
    /// What asks for the rest of the last answer, once its first part is written.
    rest: Option<Box<FrameRequest>>,
    meter: Meter,
    /// For binary frames.
    allowance: Option<Box<Allowance>>,
}

impl Talk for Conversation {
    fn connection(&self) -> (&Shard, Key) {
        (&self.shard, self.key)
    }

    fn has_room(&self) -> bool {
        self.waiting.len() < WAITING
    }

    fn start_next(&mut self) {
        if self.in_flight.is_some() {
            return;
        }
        if let Some(rest) = self.rest.take() {
            self.in_flight = Some(self.call(rest, Duration::ZERO));
            return;
        }
        self.in_flight = match self.waiting.pop_front() {
            None => None,
            Some(Waiting::Domain { payload, binary }) => Some(self.ask(payload, binary)),
            Some(Waiting::Refresh(token)) => {
                let gateway = self.gateway.clone();
                Some(Box::pin(async move {
                    Answer::Refresh(gateway.authenticator.identify(&token).await.map(Box::new))
                }))
            }
        };
        // An idle connection holds no queue.
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
    }

    fn text(&mut self, text: Bytes) -> Result<(), CloseReason> {
        // What would answer it is text too, which such a client does not understand.
        if self.info.is_binary() {
            return Err(CloseReason::BINARY_ONLY);
        }
        if !self.count() {
            return Ok(());
        }
        match frames::interpret(&text) {
            Meaning::Ping(pong) => self.say(&pong),
            Meaning::Refresh(token) => self.waiting.push_back(Waiting::Refresh(token)),
            Meaning::Domain => self.waiting.push_back(Waiting::Domain { payload: text, binary: false }),
            Meaning::NotJson => self.say(&frames::error(self.info.endpoint.invalid_json)),
        }
        Ok(())
    }

    fn binary(&mut self, payload: Bytes) {
        if !self.count() {
            return;
        }
        if self.info.is_binary() {
            self.waiting.push_back(Waiting::Domain { payload, binary: true });
        } else {
            self.say(&frames::error("Binary frames are not understood here, send text"));
        }
    }

    fn is_waiting(&self) -> bool {
        self.in_flight.is_some()
    }

    async fn answered(&mut self) {
        let answer = match &mut self.in_flight {
            Some(in_flight) => in_flight.await,
            None => std::future::pending().await,
        };
        self.in_flight = None;
        match answer {
            Answer::Frame(request, Ok(reply)) => self.reply(request, reply),
            Answer::Frame(_, Err(_)) => self.unanswered(),
            Answer::Refresh(outcome) => self.refresh(outcome),
        }
    }
}

impl Conversation {
    pub(super) fn new(gateway: Arc<Gateway>, shard: Rc<Shard>, key: Key, info: Rc<SessionInfo>) -> Self {
        let bytes = gateway.settings.binary_bytes_per_minute;
        let allowance = info.is_binary().then(|| Box::new(Allowance::new(bytes, Instant::now())));
        let (waiting, in_flight, rest) = (VecDeque::new(), None, None);
        let meter = Meter::default();
        Self { gateway, shard, key, info, number: 0, waiting, in_flight, rest, meter, allowance }
    }

    /// Counts a message. One too many in a minute is not to be processed, which its client is told (S0-08, S2-10).
    fn count(&mut self) -> bool {
        self.gateway.metrics.frames_received.with_label_values(&[self.info.endpoint.name]).inc();
        self.shard.received(self.key);
        // An update of a document that is left out would be missing in all that follow: those wait instead.
        if self.info.is_binary() {
            return true;
        }
        let counted = self.meter.count(&self.gateway);
        if let Err(pause) = counted {
            self.say(&frames::rate_limited(pause));
        }
        counted.is_ok()
    }

    fn ask(&mut self, payload: Bytes, binary: bool) -> InFlight {
        self.number += 1;
        let pause = self.allowance.as_mut().map(|allowance| allowance.take(payload.len(), Instant::now()));
        let (session, after) = (Some(self.info.session()), Bytes::new());
        let request = FrameRequest { session, number: self.number, payload, binary, after };
        self.call(Box::new(request), pause.unwrap_or_default())
    }

    /// Asks the owner after a pause, in which frames behind this one wait, and then the client.
    fn call(&self, request: Box<FrameRequest>, pause: Duration) -> InFlight {
        let (gateway, endpoint) = (self.gateway.clone(), self.info.endpoint);
        Box::pin(async move {
            if !pause.is_zero() {
                gateway.metrics.slowed.inc();
                tokio::time::sleep(pause).await;
            }
            let mut span = spans::frame(endpoint);
            let asked = async {
                let reply = gateway.bus.call(endpoint.owner, &*request).await;
                reply.inspect_err(|error| {
                    tracing::warn!(endpoint = endpoint.name, %error, "a frame was not answered");
                })
            };
            let reply = span.scope(asked).await;
            if reply.is_err() {
                span.fail("not answered");
            }
            Answer::Frame(request, reply)
        })
    }

    /// The client is told; one of binary frames can only be made to come back, and to send again what
    /// its owner then turns out to lack.
    fn unanswered(&self) {
        if self.info.is_binary() {
            self.shard.close(self.key, CloseReason::UNAVAILABLE);
        } else {
            self.say(&frames::coded_error("unavailable", "Temporarily unavailable, please try again"));
        }
    }

    fn reply(&mut self, request: Box<FrameRequest>, reply: FrameReply) {
        // A long answer's parts are asked for in turn; what follows the last finds it still waiting.
        let is_part = !request.after.is_empty() || !reply.more.is_empty();
        for frame in reply.frames.iter().map(|frame| self.info.frame(frame)) {
            if is_part {
                self.shard.send_in_turn(self.key, frame);
            } else {
                self.shard.send(self.key, frame);
            }
        }
        if let Some(close) = reply.close {
            self.shard.close(self.key, CloseReason::of_owner(close.code, close.reason));
        } else if !reply.more.is_empty() {
            self.rest = Some(Box::new(FrameRequest { after: reply.more, ..*request }));
        }
    }

    fn refresh(&mut self, outcome: Result<Box<Identity>, Denied>) {
        match refresh(&self.gateway, &self.shard, self.key, &self.info, outcome) {
            Refreshed::Until(info, left) => {
                self.info = info;
                self.say(&frames::refreshed(left));
            }
            Refreshed::Refused(why) => self.say(&frames::coded_error("refresh", &why)),
            Refreshed::Over => {}
        }
    }

    fn say(&self, json: &[u8]) {
        self.shard.tell(self.key, json);
    }
}
