//! Stands in for every service behind the gateway, with a log in memory and answers that can be held back.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use carillon_bus::{Bus, Handler, Refusal, RefusalKind};
use carillon_contract::{
    Channel, Method, Subject,
    messages::{
        Accept, AccessReply, AccessRequest, ChannelHead, ClosedNotice, Event, FrameReply, FrameRequest,
        HeadsReply, HeadsRequest, HistoryReply, HistoryRequest, JwksReply, JwksRequest, OpenReply,
        OpenRequest, Variant, open_reply::Outcome,
    },
};
use prost::Message;
use tokio::sync::oneshot;

/// Events in one answer at most, and their bytes.
const PAGE: usize = 500;
const PAGE_BYTES: usize = 1_000_000;

/// The services, and the bus that they are on.
#[derive(Clone)]
pub(crate) struct StandIn {
    pub(crate) bus: Bus,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    epoch: u32,
    logs: BTreeMap<String, Log>,
    opens: VecDeque<Hold>,
    frame_holds: VecDeque<Hold>,
    /// Each attempt at a frame, as it arrived.
    frames: Vec<(u64, String)>,
    /// Attempts whose answer is still being worked on, and how many of those there were at most.
    busy: (usize, usize),
}

#[derive(Default)]
struct Log {
    events: Vec<Event>,
    /// Events that are no longer held.
    pruned: usize,
}

/// The service's side of an answer that is held back.
struct Hold {
    reached: oneshot::Sender<()>,
    release: oneshot::Receiver<()>,
}

/// An answer that is held back, until this is dropped.
pub(crate) struct Held {
    pub(crate) reached: Option<oneshot::Receiver<()>>,
    _release: oneshot::Sender<()>,
}

impl Held {
    /// Waits until the service has worked out the answer.
    pub(crate) async fn reached(&mut self) {
        if let Some(reached) = self.reached.take() {
            reached.await.expect("a question");
        }
    }
}

fn hold() -> (Hold, Held) {
    let ((reached, is_reached), (end, release)) = (oneshot::channel(), oneshot::channel());
    (Hold { reached, release }, Held { reached: Some(is_reached), _release: end })
}

impl StandIn {
    pub(crate) fn new() -> Self {
        Self { bus: Bus::in_process(), state: Arc::default() }
    }

    /// Appends an event, of which nobody is told.
    pub(crate) fn append(&self, channel: &Channel, json: impl Into<Bytes>) -> Event {
        let mut state = self.state();
        let epoch = epoch(state.epoch);
        let log = state.logs.entry(channel.as_str().to_owned()).or_default();
        let event = Event {
            channel: channel.as_str().to_owned(),
            epoch,
            offset: log.events.len() as u64 + 1,
            at: 0,
            variants: vec![Variant { dialects: Vec::new(), json: json.into() }],
            except_connection: String::new(),
        };
        log.events.push(event.clone());
        event
    }

    pub(crate) async fn publish(&self, event: &Event) {
        let channel: Channel = event.channel.parse().expect("a channel");
        self.bus.publish(&Subject::live(&channel), event.encode_to_vec().into()).await.expect("published");
    }

    /// Appends an event and publishes it.
    pub(crate) async fn emit(&self, channel: &Channel, json: impl Into<Bytes>) -> Event {
        let event = self.append(channel, json);
        self.publish(&event).await;
        event
    }

    /// Loses every log. The next events are of another epoch.
    pub(crate) fn lose_logs(&self) {
        let mut state = self.state();
        state.epoch += 1;
        state.logs.clear();
    }

    /// Drops a channel's oldest events from its log.
    pub(crate) fn prune(&self, channel: &Channel, count: usize) {
        self.state().logs.entry(channel.as_str().to_owned()).or_default().pruned = count;
    }

    /// Holds the answer to the next session that is opened. The greeting is of when it was asked for.
    pub(crate) fn hold_open(&self) -> Held {
        let (hold, held) = hold();
        self.state().opens.push_back(hold);
        held
    }

    /// Holds the answer to the next frame.
    pub(crate) fn hold_frame(&self) -> Held {
        let (hold, held) = hold();
        self.state().frame_holds.push_back(hold);
        held
    }

    /// The number and text of each frame that arrived, repetitions included.
    pub(crate) fn frames(&self) -> Vec<(u64, String)> {
        self.state().frames.clone()
    }

    /// How many frames were being answered at the same time, at most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.state().busy.1
    }

    async fn open(&self, request: OpenRequest) -> OpenReply {
        let session = request.session.expect("a session");
        let user = session.identity.map(|identity| identity.user);
        let channels = match session.parameters.get("org_id") {
            Some(org) => vec![Channel::org(org).expect("a channel")],
            None => {
                let user = user.map(|user| Channel::user(&user).expect("a channel"));
                [Some(Channel::everyone()), user].into_iter().flatten().collect()
            }
        };
        let (accept, hold) = {
            let mut state = self.state();
            let channels = channels.iter().map(|channel| state.head(channel.as_str())).collect();
            let greeting = vec![Bytes::from_static(b"{\"type\":\"greeting\"}")];
            (Accept { greeting, epoch: epoch(state.epoch), channels }, state.opens.pop_front())
        };
        wait(hold).await;
        OpenReply { outcome: Some(Outcome::Accept(accept)) }
    }

    async fn frame(&self, request: FrameRequest) -> FrameReply {
        let text = String::from_utf8(request.payload.to_vec()).expect("text");
        let hold = {
            let mut state = self.state();
            state.frames.push((request.number, text));
            state.busy.0 += 1;
            state.busy.1 = state.busy.1.max(state.busy.0);
            state.frame_holds.pop_front()
        };
        wait(hold).await;
        self.state().busy.0 -= 1;
        FrameReply { frames: vec![format!("{{\"answer\":{}}}", request.number).into()], close: None }
    }

    fn heads(&self, request: &HeadsRequest) -> HeadsReply {
        let state = self.state();
        let channels = request.channels.iter().map(|channel| state.head(channel)).collect();
        HeadsReply { epoch: epoch(state.epoch), channels }
    }

    fn history(&self, request: &HistoryRequest) -> HistoryReply {
        let state = self.state();
        let (mut first, mut events) = (1, Vec::new());
        if let Some(log) = state.logs.get(&request.channel) {
            first = log.pruned as u64 + 1;
            let kept = log.events[log.pruned..].iter().filter(|event| event.offset > request.after);
            let mut room = PAGE_BYTES;
            let page = kept.take(PAGE.min(request.limit as usize)).take_while(|event| {
                let fits = room > 0;
                room = room.saturating_sub(event.encoded_len());
                fits
            });
            events = page.cloned().collect();
        }
        HistoryReply { epoch: epoch(state.epoch), head: state.head(&request.channel).offset, first, events }
    }

    fn access(&self) -> AccessReply {
        let state = self.state();
        let offset = state.head(Channel::access().as_str()).offset;
        AccessReply { epoch: epoch(state.epoch), offset, prefixed_ids: true, ..AccessReply::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn head(&self, channel: &str) -> ChannelHead {
        let offset = self.logs.get(channel).map_or(0, |log| log.events.len() as u64);
        ChannelHead { channel: channel.to_owned(), offset }
    }
}

fn epoch(number: u32) -> String {
    format!("e{number}")
}

async fn wait(hold: Option<Hold>) {
    if let Some(hold) = hold {
        // Whoever holds it may not look.
        let _ = hold.reached.send(());
        let _ = hold.release.await;
    }
}

impl Handler for StandIn {
    async fn handle(&self, method: &str, payload: Bytes) -> Result<Bytes, Refusal> {
        match method {
            OpenRequest::NAME => Ok(encode(&self.open(decode(payload)?).await)),
            FrameRequest::NAME => Ok(encode(&self.frame(decode(payload)?).await)),
            HeadsRequest::NAME => Ok(encode(&self.heads(&decode(payload)?))),
            HistoryRequest::NAME => Ok(encode(&self.history(&decode(payload)?))),
            AccessRequest::NAME => Ok(encode(&self.access())),
            ClosedNotice::NAME => Ok(Bytes::new()),
            JwksRequest::NAME => Ok(encode(&JwksReply { jwks: "{\"keys\":[]}".to_owned() })),
            other => Err(Refusal::new(RefusalKind::UnknownMethod, other)),
        }
    }
}

fn decode<M: Message + Default>(payload: Bytes) -> Result<M, Refusal> {
    M::decode(payload).map_err(|error| Refusal::new(RefusalKind::Malformed, error.to_string()))
}

fn encode(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}
