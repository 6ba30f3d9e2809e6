//! Stands in for the services behind a gateway, so that the gateway alone is measured: no
//! database, no domain, an answer at once.

use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use carillon_bus::{Bus, Handler, NatsOptions, Refusal, RefusalKind, Server};
use carillon_contract::{
    Method, ServiceName, endpoint,
    messages::{
        Accept, AccessReply, AccessRequest, ClosedNotice, HeadsRequest, HistoryRequest, JwksReply,
        JwksRequest, OpenReply, OpenRequest, open_reply::Outcome,
    },
};
use carillon_testkit::Nats;
use prost::Message;
use tokio::runtime::{Builder, Runtime};

use super::channel_log::{ChannelLog, EPOCH};

/// What every client is greeted with.
const GREETING: &[u8] = b"{\"type\":\"connection_status\"}";
/// Requests answered at a time.
const CONCURRENCY: usize = 256;
/// How long the bus may take to connect.
const PATIENCE: Duration = Duration::from_secs(10);

/// A NATS server, and the services that a gateway asks, on a thread of this process.
pub(crate) struct StandIn {
    pub(crate) log: ChannelLog,
    pub(crate) bus: Bus,
    _servers: Vec<Server>,
    nats: Nats,
    // Last, because what stands above runs on it.
    runtime: Runtime,
}

impl StandIn {
    /// Starts everything.
    ///
    /// # Errors
    /// No nats-server on this machine, or one that doesn't answer.
    pub(crate) fn start() -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let log = ChannelLog::default();
        let (nats, bus, servers) = runtime.block_on(async {
            let nats = Nats::start().await?;
            let bus = Bus::connect(NatsOptions::new(nats.url(), "bench")).await?;
            tokio::time::timeout(PATIENCE, connected(&bus)).await.context("NATS does not answer")?;
            let mut servers = Vec::new();
            for service in ServiceName::ALL {
                servers.push(bus.serve(service, CONCURRENCY, Service { log: log.clone() }).await?);
            }
            anyhow::Ok((nats, bus, servers))
        })?;
        Ok(Self { log, bus, _servers: servers, nats, runtime })
    }

    /// Where the gateway finds the bus.
    pub(crate) fn nats_url(&self) -> String {
        self.nats.url()
    }

    /// The process of the bus.
    ///
    /// # Errors
    /// None that could be acted on.
    pub(crate) fn nats_id(&self) -> Result<u32> {
        self.nats.id()
    }

    /// Where whoever publishes runs.
    pub(crate) fn handle(&self) -> tokio::runtime::Handle {
        self.runtime.handle().clone()
    }
}

async fn connected(bus: &Bus) {
    let mut signals = bus.signals();
    while !bus.is_connected() {
        // Whatever it was, the next look at the connection tells.
        let _ = tokio::time::timeout(Duration::from_millis(50), signals.recv()).await;
    }
}

/// All that a gateway asks while clients come, listen and go.
struct Service {
    log: ChannelLog,
}

impl Handler for Service {
    async fn handle(&self, method: &str, payload: Bytes) -> Result<Bytes, Refusal> {
        match method {
            OpenRequest::NAME => answer(payload, |request: OpenRequest| self.open(request)),
            HeadsRequest::NAME => answer(payload, |request: HeadsRequest| self.log.heads(&request)),
            HistoryRequest::NAME => answer(payload, |request: HistoryRequest| self.log.history(&request)),
            ClosedNotice::NAME => answer(payload, |_: ClosedNotice| ()),
            AccessRequest::NAME => answer(payload, |_: AccessRequest| nothing_revoked()),
            JwksRequest::NAME => {
                answer(payload, |_: JwksRequest| JwksReply { jwks: "{\"keys\":[]}".to_owned() })
            }
            other => Err(Refusal::new(RefusalKind::UnknownMethod, other)),
        }
    }
}

impl Service {
    /// Everybody is welcome at the channels of the endpoint.
    fn open(&self, request: OpenRequest) -> OpenReply {
        let session = request.session.unwrap_or_default();
        let user = session.identity.as_ref().map(|identity| identity.user.as_str());
        let templates = endpoint(&session.endpoint).map_or(&[][..], |endpoint| endpoint.channels);
        let channels =
            templates.iter().filter_map(|template| template.resolve(&session.parameters, user).ok()?);
        let channels = channels.map(|channel| self.log.head(channel.as_str())).collect();
        let greeting = vec![Bytes::from_static(GREETING)];
        let accept = Accept { greeting, epoch: EPOCH.to_owned(), channels, ..Accept::default() };
        OpenReply { outcome: Some(Outcome::Accept(accept)) }
    }
}

fn nothing_revoked() -> AccessReply {
    // The ids of users that stand for themselves are those in tokens of the shared secret.
    AccessReply { epoch: EPOCH.to_owned(), prefixed_ids: true, ..AccessReply::default() }
}

fn answer<M: Method>(payload: Bytes, answer: impl FnOnce(M) -> M::Reply) -> Result<Bytes, Refusal> {
    let request = M::decode(payload);
    let request = request.map_err(|error| Refusal::new(RefusalKind::Malformed, error.to_string()))?;
    Ok(answer(request).encode_to_vec().into())
}

#[cfg(test)]
mod tests {
    use carillon_contract::{
        Channel,
        messages::{HeadsReply, Session},
    };

    use super::*;

    #[test]
    fn it_answers_what_a_gateway_asks() {
        let stand_in = StandIn::start().expect("NATS and the services");
        let org = Channel::org("bench").expect("a channel");
        stand_in.log.append(&org, b"{}".to_vec());
        stand_in.handle().block_on(async {
            let request = HeadsRequest { channels: vec![org.as_str().to_owned()] };
            let heads: HeadsReply =
                stand_in.bus.call(ServiceName::Notification, &request).await.expect("heads");
            assert_eq!(heads.channels[0].offset, 1);
            let session = Session {
                endpoint: "events".to_owned(),
                parameters: [("org_id".to_owned(), "bench".to_owned())].into(),
                ..Session::default()
            };
            let request = OpenRequest { session: Some(session), ..OpenRequest::default() };
            let open: OpenReply =
                stand_in.bus.call(ServiceName::Notification, &request).await.expect("a reply");
            let Some(Outcome::Accept(accept)) = open.outcome else { panic!("{open:?}") };
            assert_eq!((accept.epoch, accept.channels), (heads.epoch, heads.channels));
            assert!(stand_in.bus.call(ServiceName::Auth, &AccessRequest::default()).await.is_ok());
        });
    }
}
