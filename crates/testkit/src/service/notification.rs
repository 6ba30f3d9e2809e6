//! A stand-in for the notification service, which keeps what it is told.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use carillon_bus::{Bus, Handler, Refusal, RefusalKind, Server};
use carillon_contract::{
    Method, ServiceName,
    messages::{Notice, NotifyReply, NotifyRequest},
};
use prost::Message;

/// Answers `notify`. Clones share what they were told.
#[derive(Debug, Clone, Default)]
pub struct Notification(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    told: Vec<Notice>,
    refusals: usize,
}

impl Notification {
    /// Serves on a bus until the result is dropped.
    ///
    /// # Panics
    /// If the bus refuses.
    pub async fn serve(&self, bus: &Bus) -> Server {
        bus.serve(ServiceName::Notification, 16, self.clone()).await.expect("notification serves")
    }

    /// Refuses so many requests to come.
    ///
    /// # Panics
    /// If another caller panicked.
    pub fn refuse(&self, requests: usize) {
        self.0.lock().expect("no panic").refusals = requests;
    }

    /// Every notice that was taken, however often, in the order of their arrival.
    ///
    /// # Panics
    /// If another caller panicked.
    pub fn told(&self) -> Vec<Notice> {
        self.0.lock().expect("no panic").told.clone()
    }
}

impl Handler for Notification {
    async fn handle(&self, method: &str, payload: Bytes) -> Result<Bytes, Refusal> {
        assert_eq!(method, NotifyRequest::NAME);
        let mut state = self.0.lock().expect("no panic");
        if state.refusals > 0 {
            state.refusals -= 1;
            return Err(Refusal::new(RefusalKind::Unavailable, "away"));
        }
        state.told.extend(NotifyRequest::decode(payload).expect("a request").notices);
        Ok(NotifyReply::default().encode_to_vec().into())
    }
}
