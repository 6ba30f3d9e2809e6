//! Stands in for every service behind the gateway, with a log in memory and answers that can be held back.

mod hold;
mod leases;
mod log;
mod sessions;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use carillon_bus::{Bus, Handler, Refusal, RefusalKind};
use carillon_contract::{
    Channel, Method,
    messages::{
        AccessReply, AccessRequest, Block, ClosedNotice, EnterRequest, FrameRequest, HeadsRequest,
        HistoryRequest, HttpReply, HttpRequest, JwksReply, JwksRequest, OpenRequest, PresenceReply,
        PresenceRequest, RenewRequest,
    },
};
use prost::Message;

pub(crate) use sessions::PART;

/// The services, and the bus that they are on.
#[derive(Clone)]
pub(crate) struct StandIn {
    pub(crate) bus: Bus,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    logs: log::Logs,
    sessions: sessions::Sessions,
    leases: leases::Leases,
    blocks: Vec<Block>,
    /// How often each method is to refuse yet.
    refusals: BTreeMap<&'static str, u32>,
}

impl StandIn {
    pub(crate) fn new() -> Self {
        Self { bus: Bus::in_process(), state: Arc::default() }
    }

    /// Tells those who ask from now on that these are blocked.
    pub(crate) fn block(&self, blocks: Vec<Block>) {
        self.state().blocks = blocks;
    }

    /// Has the next calls of a method refused, as by a service that lost its database.
    pub(crate) fn refuse(&self, method: &'static str, times: u32) {
        self.state().refusals.insert(method, times);
    }

    fn access(&self) -> AccessReply {
        let state = self.state();
        let offset = state.logs.head(Channel::access().as_str()).offset;
        let (epoch, blocks) = (state.logs.epoch(), state.blocks.clone());
        AccessReply { epoch, offset, prefixed_ids: true, blocks, ..AccessReply::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
            HistoryRequest::NAME => Ok(encode(&self.history(decode(payload)?).await)),
            AccessRequest::NAME => Ok(encode(&self.access())),
            ClosedNotice::NAME => Ok(self.closed(decode(payload)?).await),
            RenewRequest::NAME => Ok(encode(&self.renew(decode(payload)?).await)),
            EnterRequest::NAME => {
                self.enter(decode(payload)?);
                Ok(Bytes::new())
            }
            PresenceRequest::NAME => Ok(encode(&presence(&decode(payload)?))),
            HttpRequest::NAME => Ok(encode(&http(&decode(payload)?))),
            JwksRequest::NAME => Ok(encode(&JwksReply { jwks: "{\"keys\":[]}".to_owned() })),
            other => Err(Refusal::new(RefusalKind::UnknownMethod, other)),
        }
    }
}

/// One who is there, and where to go on.
fn presence(request: &PresenceRequest) -> PresenceReply {
    let member = format!("{{\"after\":\"{}\",\"limit\":{}}}", request.after, request.limit);
    PresenceReply { count: 2, members: vec![member.into()], next: "more".to_owned() }
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
