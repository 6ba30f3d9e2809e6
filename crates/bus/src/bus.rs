//! The bus as services see it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use carillon_contract::{GatewayId, Method, Pattern, ServiceName, Subject};
use carillon_instruments::Registry;
use prost::Message as _;
use tokio::sync::broadcast;

use crate::{
    BusState, ConnectError, Handler, Limits, NatsOptions, PublishError, RequestError, Server, Signal,
    SubscribeError, Subscription, Timing,
    in_process::InProcess,
    message::{Reply, ReplyTo},
    metrics::{Connected, Metrics},
    nats::Nats,
    request, server, span,
};

/// The bus: NATS, or the inside of this process. Cloning it is cheap; when the last clone is
/// dropped, with every subscription and server, what was published is still sent, and then the
/// connection closes. A process that ends at once waits for [`Bus::flush`] first.
#[derive(Debug, Clone)]
pub struct Bus(BackEnd, Metrics);

#[derive(Debug, Clone)]
enum BackEnd {
    InProcess(Arc<InProcess>),
    Nats(Arc<Nats>),
}

impl Bus {
    /// A bus that ends with this process.
    pub fn in_process() -> Self {
        Self::in_process_with(Limits::default())
    }

    /// A bus that ends with this process, with other bounds.
    pub fn in_process_with(limits: Limits) -> Self {
        Self(BackEnd::InProcess(InProcess::new(limits)), Metrics::new())
    }

    /// A bus over NATS. Returns at once: the connection is made, and made again whenever it is
    /// lost, in the background and for ever, so a process may start before NATS does.
    ///
    /// # Errors
    /// Options that can never work.
    pub async fn connect(options: NatsOptions) -> Result<Self, ConnectError> {
        Ok(Self(BackEnd::Nats(Nats::connect(options).await?), Metrics::new()))
    }

    /// Publishes to whoever is subscribed. Doesn't wait for anyone.
    ///
    /// # Errors
    /// [`PublishError::Disconnected`] at once while there is no connection, and
    /// [`PublishError::TooLarge`].
    pub async fn publish(&self, subject: &Subject, payload: Bytes) -> Result<(), PublishError> {
        match &self.0 {
            BackEnd::InProcess(bus) => bus.publish(subject, payload).await,
            BackEnd::Nats(bus) => bus.publish(subject, payload).await,
        }
    }

    /// Subscribes. When this returns, whatever is published afterwards arrives.
    ///
    /// # Errors
    /// If the bus did not confirm within five seconds.
    pub async fn subscribe(&self, pattern: impl Into<Pattern>) -> Result<Subscription, SubscribeError> {
        self.subscribe_in(pattern.into(), None).await
    }

    /// [`Bus::request_within`] the default deadlines.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn request(&self, subject: &Subject, payload: Bytes) -> Result<Bytes, RequestError> {
        self.request_within(subject, payload, Timing::default()).await
    }

    /// Asks one replica of whoever serves `subject`, a second time if need be. So a request can
    /// be carried out twice: what must not happen twice carries its cause.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn request_within(
        &self,
        subject: &Subject,
        payload: Bytes,
        timing: Timing,
    ) -> Result<Bytes, RequestError> {
        let started = Instant::now();
        let mut span = span::asking(subject);
        let outcome = span.scope(request::request(self, subject, payload, timing)).await;
        span::answered(&mut span, &outcome);
        self.1.observe(subject, &outcome, started);
        outcome
    }

    /// Asks a service, in its types.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn call<M: Method>(&self, service: ServiceName, request: &M) -> Result<M::Reply, RequestError> {
        self.call_within(service, request, Timing::default()).await
    }

    /// [`Bus::call`] with other deadlines.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn call_within<M: Method>(
        &self,
        service: ServiceName,
        request: &M,
        timing: Timing,
    ) -> Result<M::Reply, RequestError> {
        let payload = request.encode_to_vec().into();
        let reply = self.request_within(&Subject::rpc::<M>(service), payload, timing).await?;
        M::Reply::decode(reply).map_err(|_| RequestError::Malformed)
    }

    /// Asks one gateway, in its types.
    ///
    /// # Errors
    /// See [`RequestError`]; [`RequestError::NoResponders`] if there is no such gateway, or no longer.
    pub async fn call_gateway<M: Method>(
        &self,
        gateway: &GatewayId,
        request: &M,
        timing: Timing,
    ) -> Result<M::Reply, RequestError> {
        let payload = request.encode_to_vec().into();
        let reply = self.request_within(&Subject::gateway::<M>(gateway), payload, timing).await?;
        M::Reply::decode(reply).map_err(|_| RequestError::Malformed)
    }

    /// Answers the requests to a service, up to `concurrency` at a time, shared with every other
    /// server of that service. When this returns, requests arrive.
    ///
    /// # Errors
    /// As [`Bus::subscribe`].
    pub async fn serve<H: Handler>(
        &self,
        service: ServiceName,
        concurrency: usize,
        handler: H,
    ) -> Result<Server, SubscribeError> {
        let subscription = self.subscribe_in(Pattern::rpc(service), Some(service.as_str())).await?;
        Ok(server::start(self.clone(), service.as_str(), subscription, concurrency, handler))
    }

    /// Answers the requests to one gateway, as [`Bus::serve`] those to a service, but that no other gets any.
    ///
    /// # Errors
    /// As [`Bus::subscribe`].
    pub async fn serve_gateway<H: Handler>(
        &self,
        gateway: &GatewayId,
        concurrency: usize,
        handler: H,
    ) -> Result<Server, SubscribeError> {
        let subscription = self.subscribe(Pattern::gateway(gateway)).await?;
        Ok(server::start(self.clone(), "gateway", subscription, concurrency, handler))
    }

    /// What happens to the bus from now on. A receiver that lags has missed some: it treats that
    /// as a [`Signal::Dropped`].
    pub fn signals(&self) -> broadcast::Receiver<Signal> {
        match &self.0 {
            BackEnd::InProcess(bus) => bus.signals().receiver(),
            BackEnd::Nats(bus) => bus.signals().receiver(),
        }
    }

    /// Adds what is known of the bus to a registry.
    ///
    /// # Errors
    /// If the registry has a bus already.
    pub fn register_metrics(&self, registry: &Registry) -> carillon_instruments::Result<()> {
        let (nats, signals) = match &self.0 {
            BackEnd::InProcess(bus) => (None, bus.signals()),
            BackEnd::Nats(bus) => (Some(Arc::downgrade(bus)), bus.signals()),
        };
        registry.register(Box::new(Connected::new(nats)))?;
        signals.register(registry)?;
        self.1.register(registry)
    }

    /// Whether there is a connection at the moment.
    pub fn is_connected(&self) -> bool {
        match &self.0 {
            BackEnd::InProcess(_) => true,
            BackEnd::Nats(bus) => bus.is_connected(),
        }
    }

    /// How the bus does, as this process sees it.
    pub fn state(&self) -> BusState {
        match &self.0 {
            BackEnd::InProcess(bus) => BusState::new("in-process", String::new(), bus.signals()),
            BackEnd::Nats(bus) => BusState::new("nats", bus.server_version(), bus.signals()),
        }
    }

    /// How long a message to the server and back takes. Within a process: no time at all.
    ///
    /// # Errors
    /// As [`Bus::flush`].
    pub async fn round_trip(&self) -> Result<Duration, PublishError> {
        let started = Instant::now();
        self.flush().await?;
        Ok(started.elapsed())
    }

    /// Waits until the server has processed what was published and subscribed so far.
    ///
    /// # Errors
    /// [`PublishError::Disconnected`] if it did not say so in time.
    pub async fn flush(&self) -> Result<(), PublishError> {
        match &self.0 {
            BackEnd::InProcess(_) => Ok(()),
            BackEnd::Nats(bus) => bus.flush().await,
        }
    }

    /// One attempt at a request, without a deadline.
    pub(crate) async fn ask(&self, subject: &Subject, payload: Bytes) -> Result<Bytes, RequestError> {
        match &self.0 {
            BackEnd::InProcess(bus) => bus.request(subject, payload).await,
            BackEnd::Nats(bus) => bus.request(subject, payload).await,
        }
    }

    /// Answers a request.
    pub(crate) async fn reply(&self, to: ReplyTo, reply: Reply) -> Result<(), PublishError> {
        match (&self.0, to) {
            (BackEnd::InProcess(bus), ReplyTo::InProcess(slot)) => {
                if let Ok(payload) = &reply {
                    bus.check(payload).inspect_err(|_| slot.fill(Err(server::too_large())))?;
                }
                slot.fill(reply);
                Ok(())
            }
            (BackEnd::Nats(bus), ReplyTo::Nats(address)) => bus.reply(address, reply).await,
            _ => Ok(()),
        }
    }

    async fn subscribe_in(
        &self,
        pattern: Pattern,
        group: Option<&'static str>,
    ) -> Result<Subscription, SubscribeError> {
        match &self.0 {
            BackEnd::InProcess(bus) => Ok(Subscription::in_process(bus.subscribe(pattern, group))),
            BackEnd::Nats(bus) => Ok(Subscription::nats(bus.subscribe(pattern, group).await?)),
        }
    }
}
