//! Running replicas of a service, and requests to them as the gateway makes them.

use std::future::Future;

use bytes::Bytes;
use carillon_bus::{Bus, RequestError};
use carillon_contract::{
    Channel, Method, ServiceName,
    messages::{
        ClosedNotice, Event, FrameReply, FrameRequest, Identity, OpenReply, OpenRequest, Session,
        open_reply::Outcome,
    },
};
use carillon_service::Shell;
use serde_json::Value;
use tokio::task::JoinHandle;

use super::{Answer, Ask, Listener, history, session, until};

/// Replicas of one service on a bus.
pub struct Replicas {
    /// The bus.
    pub bus: Bus,
    service: ServiceName,
    running: Vec<(Shell, JoinHandle<anyhow::Result<()>>)>,
}

impl Replicas {
    /// None yet.
    pub fn new(bus: Bus, service: ServiceName) -> Self {
        Self { bus, service, running: Vec::new() }
    }

    /// Starts one more, and waits until it is ready.
    ///
    /// # Panics
    /// If it doesn't get ready.
    pub async fn add<F>(&mut self, run: impl FnOnce(Shell) -> F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let shell = Shell::new(self.bus.clone());
        // Not ready before the service has registered what it waits for.
        let starting = shell.readiness.register(self.service.as_str());
        let running = tokio::spawn(run(shell.clone()));
        until("the service is ready", async || shell.readiness.failures().await.is_empty()).await;
        drop(starting);
        self.running.push((shell, running));
    }

    /// Stops one, and waits until it has finished.
    ///
    /// # Panics
    /// If it doesn't end well.
    pub async fn stop(&mut self, index: usize) {
        let (shell, running) = self.running.remove(index);
        shell.shutdown.cancel();
        running.await.expect("no panic").expect("a clean end");
    }

    /// Asks whichever replica gets the request.
    ///
    /// # Errors
    /// What the bus or the replica says.
    pub async fn call<M: Method>(&self, request: &M) -> Result<M::Reply, RequestError> {
        self.bus.call(self.service, request).await
    }

    /// Makes an HTTP request.
    ///
    /// # Panics
    /// If there is no reply.
    pub async fn ask(&self, ask: &Ask) -> Answer {
        Answer::of(self.call(&ask.0).await.expect("a reply"))
    }

    /// Opens a session named after its user.
    ///
    /// # Panics
    /// As [`open_session`](Self::open_session).
    pub async fn open(
        &self,
        endpoint: &str,
        identity: Option<Identity>,
        parameters: &[(&str, &str)],
    ) -> Outcome {
        self.open_session(&session(endpoint, "", identity, parameters), &[]).await
    }

    /// Opens a session.
    ///
    /// # Panics
    /// If there is no reply.
    pub async fn open_session(&self, session: &Session, query: &[(&str, &str)]) -> Outcome {
        let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let request = OpenRequest { session: Some(session.clone()), query };
        let OpenReply { outcome } = self.call(&request).await.expect("a reply");
        outcome.expect("an outcome")
    }

    /// Tells that a session has ended.
    ///
    /// # Panics
    /// If there is no reply.
    pub async fn close(&self, session: &Session, returning: bool) {
        let notice = ClosedNotice { session: Some(session.clone()), returning };
        self.call(&notice).await.expect("a reply");
    }

    /// Sends a frame over a connection, which stays open, and returns the frames of the reply.
    ///
    /// # Panics
    /// If there is no reply, or it closes the connection.
    pub async fn frame(&self, session: &Session, number: u64, payload: &Value) -> Vec<Value> {
        let reply = self.frame_bytes(session, number, payload.to_string().into_bytes()).await;
        assert_eq!(reply.close, None);
        reply.frames.iter().map(|frame| serde_json::from_slice(frame).expect("JSON")).collect()
    }

    /// Sends whatever it is over a connection.
    ///
    /// # Panics
    /// If there is no reply.
    pub async fn frame_bytes(&self, session: &Session, number: u64, payload: Vec<u8>) -> FrameReply {
        self.frame_after(session, number, payload, Bytes::new()).await
    }

    /// The next part of the answer to a frame.
    ///
    /// # Panics
    /// If there is no reply.
    pub async fn frame_after(
        &self,
        session: &Session,
        number: u64,
        payload: Vec<u8>,
        after: Bytes,
    ) -> FrameReply {
        let (session, binary) = (Some(session.clone()), std::str::from_utf8(&payload).is_err());
        let request = FrameRequest { session, number, payload: payload.into(), binary, after };
        self.call(&request).await.expect("a reply")
    }

    /// What a counter without labels has come to, over all of them.
    ///
    /// # Panics
    /// If one doesn't have it.
    pub fn counter(&self, name: &str) -> f64 {
        let of = |shell: &Shell| {
            let families = shell.metrics.gather();
            let family = families.iter().find(|family| family.name() == name).expect("the metric");
            family.get_metric()[0].get_counter().get_value()
        };
        self.running.iter().map(|(shell, _)| of(shell)).sum()
    }

    /// Hears what is published to a channel from now on.
    pub async fn listen(&self, channel: &Channel) -> Listener {
        Listener::new(&self.bus, channel).await
    }

    /// Every event in the log of a channel.
    pub async fn history(&self, channel: &Channel) -> Vec<Event> {
        history(&self.bus, channel).await
    }
}
