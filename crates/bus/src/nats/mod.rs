//! The bus over NATS.

mod confirm;
mod headers;
mod inbox;
mod inspection;
mod link;
mod listener;
mod options;
mod trouble;

use std::{sync::Arc, time::Duration};

use async_nats::{
    Client, PublishErrorKind, client::traits::Publisher, connection::State, message::OutboundMessage,
};
use bytes::Bytes;
use carillon_contract::{Pattern, Subject};
use tokio::{runtime::Handle, time};
use tokio_util::sync::CancellationToken;

pub(crate) use self::listener::Listener;
use self::{inbox::Inbox, link::Link};
pub use self::{
    inspection::Inspection,
    options::{ClientCertificate, NatsOptions},
};
use crate::{
    ConnectError, Limits, PublishError, RequestError, SubscribeError, message::Reply, server, signal::Signals,
};

/// Where a reply goes.
pub(crate) type ReplyAddress = async_nats::Subject;

/// How long a subscription may take to be confirmed, and [`Nats::flush`] to return.
const CONFIRM: Duration = Duration::from_secs(5);

/// How long a message may wait for room in the client's buffer.
const SEND: Duration = Duration::from_secs(2);

/// The server counts headers as part of the payload.
const ROOM_FOR_HEADERS: usize = 4 * 1024;

/// Everything that the clones of one bus over NATS share.
#[derive(Debug)]
pub(crate) struct Nats {
    client: Client,
    link: Arc<Link>,
    limits: Limits,
    /// Ends the tasks.
    stop: CancellationToken,
}

impl Nats {
    pub(crate) async fn connect(options: NatsOptions) -> Result<Arc<Self>, ConnectError> {
        let link = Link::new(Inbox::new(&options.inbox_prefix()?));
        let (servers, client_options) = options.client_options().await?;
        let told = Arc::clone(&link);
        let client_options = link.trouble.noted_by(client_options);
        let client_options = client_options.retry_on_initial_connect().event_callback(move |event| {
            told.on(event);
            std::future::ready(())
        });
        let invalid = |error: &dyn std::error::Error| ConnectError::Invalid(error.to_string());
        let client = client_options.connect(servers).await.map_err(|error| invalid(&error))?;
        let replies = client.subscribe(link.inbox.pattern()).await.map_err(|error| invalid(&error))?;
        let stop = CancellationToken::new();
        let tasks = [stop.clone(), stop.clone()];
        let [of_inbox, of_confirmations] = tasks;
        let inbox = Arc::clone(&link.inbox);
        tokio::spawn(async move { of_inbox.run_until_cancelled(inbox.run(replies)).await });
        let confirming = Arc::clone(&link.confirmations).run(
            client.clone(),
            Arc::clone(&link.inbox),
            Arc::clone(&link.signals),
        );
        tokio::spawn(async move { of_confirmations.run_until_cancelled(confirming).await });
        Ok(Arc::new(Self { client, link, limits: options.limits, stop }))
    }

    pub(crate) fn signals(&self) -> &Signals {
        &self.link.signals
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Of the server that this is, or was last, connected to; empty before the first.
    pub(crate) fn server_version(&self) -> String {
        self.client.server_info().version
    }

    pub(crate) async fn publish(&self, subject: &Subject, payload: Bytes) -> Result<(), PublishError> {
        self.check(&payload)?;
        let subject = subject.as_str().into();
        self.send(OutboundMessage { subject, reply: None, payload, headers: headers::outgoing() }).await
    }

    pub(crate) async fn request(&self, subject: &Subject, payload: Bytes) -> Result<Bytes, RequestError> {
        self.link.connected(&self.client).await;
        self.check(&payload)?;
        let expected = self.link.inbox.expect();
        let reply = Some(expected.address());
        let subject = subject.as_str().into();
        self.send(OutboundMessage { subject, reply, payload, headers: headers::outgoing() }).await?;
        headers::decode(expected.reply().await.map_err(|_| RequestError::Disconnected)?)
    }

    pub(crate) async fn reply(&self, to: ReplyAddress, reply: Reply) -> Result<(), PublishError> {
        let checked = match &reply {
            Ok(payload) => self.check(payload),
            Err(_) => Ok(()),
        };
        let reply = if checked.is_err() { Err(server::too_large()) } else { reply };
        let (headers, payload) = headers::encode(reply);
        self.send(OutboundMessage { subject: to, reply: None, payload, headers }).await?;
        checked
    }

    pub(crate) async fn subscribe(
        &self,
        pattern: Pattern,
        group: Option<&'static str>,
    ) -> Result<Listener, SubscribeError> {
        let confirmed = async {
            self.link.connected(&self.client).await;
            let subscriber = match group {
                Some(group) => {
                    self.client.queue_subscribe(pattern.as_str().to_owned(), group.to_owned()).await
                }
                None => self.client.subscribe(pattern.as_str().to_owned()).await,
            };
            let subscriber = subscriber.map_err(|_| SubscribeError::Unavailable)?;
            // After a reconnection the client subscribes again by itself.
            while !self.link.confirmations.confirm().await {
                self.link.connected(&self.client).await;
            }
            Ok(Listener::new(subscriber))
        };
        time::timeout(CONFIRM, confirmed).await.unwrap_or(Err(SubscribeError::Unavailable))
    }

    pub(crate) async fn flush(&self) -> Result<(), PublishError> {
        let confirmed = self.is_connected()
            && time::timeout(CONFIRM, self.link.confirmations.confirm()).await.unwrap_or(false);
        if confirmed { Ok(()) } else { Err(PublishError::Disconnected) }
    }

    /// Hands a message to the client, which sends it soon.
    async fn send(&self, message: OutboundMessage) -> Result<(), PublishError> {
        // The client would keep it for a connection to come, and block when it keeps too many.
        if !self.is_connected() {
            return Err(PublishError::Disconnected);
        }
        match time::timeout(SEND, self.client.publish_message(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                Err(PublishError::TooLarge)
            }
            Ok(Err(_)) | Err(_) => Err(PublishError::Disconnected),
        }
    }

    fn check(&self, payload: &Bytes) -> Result<(), PublishError> {
        let carried = self.client.max_payload().saturating_sub(ROOM_FOR_HEADERS);
        if payload.len() > carried.min(self.limits.payload) { Err(PublishError::TooLarge) } else { Ok(()) }
    }
}

impl Drop for Nats {
    /// The client would forget what it has not written yet.
    fn drop(&mut self) {
        let stop = self.stop.clone().drop_guard();
        if !self.is_connected() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let link = Arc::clone(&self.link);
        runtime.spawn(async move {
            // Whoever had to know whether it arrived has flushed.
            let _ = time::timeout(CONFIRM, link.confirmations.confirm()).await;
            drop(stop);
        });
    }
}
