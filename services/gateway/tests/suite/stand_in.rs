//! Stands in for every service behind the gateway, with a log in memory and answers that can be held back.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use carillon_bus::{Bus, Handler, Refusal, RefusalKind};
use carillon_contract::{
    Channel, Method, Subject, endpoint,
    messages::{
        Accept, AccessReply, AccessRequest, Block, ChannelHead, Close, ClosedNotice, EnterRequest, Event,
        FrameReply, FrameRequest, HeadsReply, HeadsRequest, HistoryReply, HistoryRequest, HttpReply,
        HttpRequest, JwksReply, JwksRequest, OpenReply, OpenRequest, RenewReply, RenewRequest, Session,
        Variant, open_reply::Outcome,
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
    renewal_holds: VecDeque<Hold>,
    closed_holds: VecDeque<Hold>,
    /// Sessions that were to be opened, in order.
    opened: Vec<OpenRequest>,
    /// Connections that are gone, and whether their clients may return.
    farewells: Vec<(String, bool)>,
    /// The generation of gateways' leases, the gateways that renewed them, and the batches of
    /// connections that were entered again.
    generation: u32,
    renewals: Vec<String>,
    entered: Vec<Vec<Session>>,
    /// Sessions that are to be rejected with this code.
    reject: Option<u32>,
    /// What sessions are greeted with; `None`: one JSON object.
    greeting: Option<Vec<Bytes>>,
    blocks: Vec<Block>,
    /// The membership that they need.
    requires: String,
    /// Each attempt at a frame, as it arrived.
    frames: Vec<(u64, String)>,
    /// How often each method is to refuse yet.
    refusals: BTreeMap<&'static str, u32>,
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
        self.append_event(channel, Event { variants: vec![Variant::json(json)], ..Event::default() })
    }

    /// Appends an event of any kind, of which nobody is told.
    pub(crate) fn append_event(&self, channel: &Channel, event: Event) -> Event {
        let mut state = self.state();
        let epoch = epoch(state.epoch);
        let log = state.logs.entry(channel.as_str().to_owned()).or_default();
        let offset = log.events.len() as u64 + 1;
        let event = Event { channel: channel.as_str().to_owned(), epoch, offset, ..event };
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

    /// Appends an event of any kind and publishes it.
    pub(crate) async fn emit_event(&self, channel: &Channel, event: Event) -> Event {
        let event = self.append_event(channel, event);
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

    /// Greets sessions with these frames from now on.
    pub(crate) fn greet_with(&self, frames: &[&'static [u8]]) {
        self.state().greeting = Some(frames.iter().copied().map(Bytes::from_static).collect());
    }

    /// Tells those who ask from now on that these are blocked.
    pub(crate) fn block(&self, blocks: Vec<Block>) {
        self.state().blocks = blocks;
    }

    /// Requires this membership of sessions that are opened from now on.
    pub(crate) fn require(&self, resource: &str) {
        self.state().requires = resource.to_owned();
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

    /// Has the next calls of a method refused, as by a service that lost its database.
    pub(crate) fn refuse(&self, method: &'static str, times: u32) {
        self.state().refusals.insert(method, times);
    }

    /// The connections whose sessions were to be opened, in order.
    pub(crate) fn connections(&self) -> Vec<String> {
        let state = self.state();
        let sessions = state.opened.iter().filter_map(|request| request.session.as_ref());
        sessions.map(|session| session.connection.clone()).collect()
    }

    /// Rejects sessions with this code from now on.
    pub(crate) fn reject(&self, code: u32) {
        self.state().reject = Some(code);
    }

    /// The connections that are gone, in order, and whether their clients may return.
    pub(crate) fn farewells(&self) -> Vec<(String, bool)> {
        self.state().farewells.clone()
    }

    /// Holds the answer to the next word that a session has ended.
    pub(crate) fn hold_closed(&self) -> Held {
        let (hold, held) = hold();
        self.state().closed_holds.push_back(hold);
        held
    }

    /// Holds the answer to the next renewal of a lease.
    pub(crate) fn hold_renewal(&self) -> Held {
        let (hold, held) = hold();
        self.state().renewal_holds.push_back(hold);
        held
    }

    /// Every gateway's lease lapses, and begins anew with its next renewal.
    pub(crate) fn lapse(&self) {
        let mut state = self.state();
        state.generation += 1;
        state.entered.clear();
    }

    /// The gateway of each renewal.
    pub(crate) fn renewals(&self) -> Vec<String> {
        self.state().renewals.clone()
    }

    /// The batches of connections that were entered again since the last lapse.
    pub(crate) fn entered(&self) -> Vec<Vec<Session>> {
        self.state().entered.clone()
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
        self.state().opened.push(request.clone());
        let session = request.session.expect("a session");
        let user = session.identity.map(|identity| identity.user);
        let endpoint = endpoint(&session.endpoint).expect("an endpoint");
        let templates = endpoint.channels.iter();
        let channels: Vec<Channel> = templates
            .filter_map(|template| template.resolve(&session.parameters, user.as_deref()).expect("a channel"))
            .collect();
        let (accept, hold) = {
            let mut state = self.state();
            let channels = channels.iter().map(|channel| state.head(channel.as_str())).collect();
            let usual = || vec![Bytes::from_static(b"{\"type\":\"greeting\"}")];
            let greeting = state.greeting.clone().unwrap_or_else(usual);
            (
                Accept { greeting, epoch: epoch(state.epoch), channels, requires: state.requires.clone() },
                state.opens.pop_front(),
            )
        };
        wait(hold).await;
        let reject = self.state().reject.map(|code| Close { code, reason: "rejected".to_owned() });
        OpenReply { outcome: Some(reject.map_or(Outcome::Accept(accept), Outcome::Reject)) }
    }

    async fn closed(&self, notice: ClosedNotice) -> Bytes {
        let connection = notice.session.expect("a session").connection;
        let hold = {
            let mut state = self.state();
            state.farewells.push((connection, notice.returning));
            state.closed_holds.pop_front()
        };
        wait(hold).await;
        Bytes::new()
    }

    async fn renew(&self, request: RenewRequest) -> RenewReply {
        let (generation, hold) = {
            let mut state = self.state();
            state.renewals.push(request.gateway);
            (format!("g{}", state.generation), state.renewal_holds.pop_front())
        };
        wait(hold).await;
        RenewReply { generation }
    }

    async fn frame(&self, request: FrameRequest) -> FrameReply {
        let text = String::from_utf8_lossy(&request.payload).into_owned();
        let hold = {
            let mut state = self.state();
            state.frames.push((request.number, text));
            state.busy.0 += 1;
            state.busy.1 = state.busy.1.max(state.busy.0);
            state.frame_holds.pop_front()
        };
        wait(hold).await;
        self.state().busy.0 -= 1;
        if request.binary && request.payload.starts_with(b"parts") {
            return part(&request);
        }
        let answer = if request.binary {
            [b"\xffyou said: ", &*request.payload].concat()
        } else {
            format!("{{\"answer\":{}}}", request.number).into_bytes()
        };
        FrameReply { frames: vec![answer.into()], ..FrameReply::default() }
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
        let blocks = state.blocks.clone();
        AccessReply {
            epoch: epoch(state.epoch),
            offset,
            prefixed_ids: true,
            blocks,
            ..AccessReply::default()
        }
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
        if let Some(left @ 1..) = self.state().refusals.get_mut(method) {
            *left -= 1;
            return Err(Refusal::new(RefusalKind::Unavailable, "not now"));
        }
        match method {
            OpenRequest::NAME => Ok(encode(&self.open(decode(payload)?).await)),
            FrameRequest::NAME => Ok(encode(&self.frame(decode(payload)?).await)),
            HeadsRequest::NAME => Ok(encode(&self.heads(&decode(payload)?))),
            HistoryRequest::NAME => Ok(encode(&self.history(&decode(payload)?))),
            AccessRequest::NAME => Ok(encode(&self.access())),
            ClosedNotice::NAME => Ok(self.closed(decode(payload)?).await),
            RenewRequest::NAME => Ok(encode(&self.renew(decode(payload)?).await)),
            EnterRequest::NAME => {
                let EnterRequest { sessions } = decode(payload)?;
                self.state().entered.push(sessions);
                Ok(Bytes::new())
            }
            HttpRequest::NAME => Ok(encode(&http(&decode(payload)?))),
            JwksRequest::NAME => Ok(encode(&JwksReply { jwks: "{\"keys\":[]}".to_owned() })),
            other => Err(Refusal::new(RefusalKind::UnknownMethod, other)),
        }
    }
}

/// Says where the client is.
fn http(request: &HttpRequest) -> HttpReply {
    let body = format!("address={}", request.address).into();
    HttpReply { status: 200, content_type: "text/plain".to_owned(), body, ..HttpReply::default() }
}

fn decode<M: Message + Default>(payload: Bytes) -> Result<M, Refusal> {
    M::decode(payload).map_err(|error| Refusal::new(RefusalKind::Malformed, error.to_string()))
}

fn encode(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}

/// The bytes of each part of an answer to what begins with `parts`.
pub(crate) const PART: usize = 2_000_000;

/// One of three parts of a long answer.
fn part(request: &FrameRequest) -> FrameReply {
    let number = request.after.first().copied().unwrap_or_default();
    let more = if number < 2 { vec![number + 1] } else { Vec::new() };
    FrameReply { frames: vec![vec![number; PART].into()], more: more.into(), ..FrameReply::default() }
}
