//! What the replicas of a service tell each other of who is typing.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use carillon_bus::{Bus, Subscription};
use carillon_contract::{
    ServiceName, Subject,
    messages::{ReplicaNotice, Typing, replica_notice::Notice},
};
use carillon_service::{Registration, Shell};
use futures_util::StreamExt as _;
use prost::Message as _;
use tokio::time::sleep;

use super::{Said, Typist};

/// How long to wait before trying again what the bus refused.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// The way to the others.
pub(super) struct Replicas {
    bus: Bus,
    subject: Subject,
    /// This replica's name among them.
    name: String,
    /// How long a user types unless it says so again.
    duration: Duration,
    /// Until others are heard. It is not kept: what makes the process ready knows this service.
    starting: Mutex<Option<Registration>>,
}

/// What others say from now on.
pub(super) struct Heard<'a> {
    notices: Subscription,
    own: &'a str,
}

impl Replicas {
    pub(super) fn new(shell: &Shell, service: ServiceName, duration: Duration) -> Self {
        Self {
            bus: shell.bus.clone(),
            subject: Subject::replicas(service),
            name: format!("{:016x}", rand::random::<u64>()),
            duration,
            starting: Mutex::new(Some(shell.readiness.register(&format!("{service} replicas")))),
        }
    }

    /// Begins to listen, as soon as the bus allows it.
    pub(super) async fn hear(&self) -> Heard<'_> {
        loop {
            match self.bus.subscribe(self.subject.clone()).await {
                Ok(notices) => {
                    self.ready();
                    return Heard { notices, own: &self.name };
                }
                Err(error) => tracing::warn!(%error, "other replicas can't be heard yet"),
            }
            sleep(PATIENCE).await;
        }
    }

    /// Tells the others.
    pub(super) async fn tell(&self, said: &Said) {
        let milliseconds = match said.is_typing {
            true => u32::try_from(self.duration.as_millis()).unwrap_or(u32::MAX).max(1),
            false => 0,
        };
        let notice = Typing {
            topic: said.typist.topic.clone(),
            user: said.typist.user.clone(),
            connection: said.connection.clone(),
            number: said.number,
            milliseconds,
            person: said.person.to_string().into(),
            replica: self.name.clone(),
        };
        let payload = ReplicaNotice { notice: Some(Notice::Typing(notice)) }.encode_to_vec().into();
        if let Err(error) = self.bus.publish(&self.subject, payload).await {
            tracing::debug!(%error, "other replicas were not told who is typing");
        }
    }

    fn ready(&self) {
        let starting = self.starting.lock().unwrap_or_else(PoisonError::into_inner).take();
        starting.inspect(|starting| starting.ready(|| async { Ok(()) }));
    }
}

impl Heard<'_> {
    /// The next thing; `None` if the subscription has ended.
    pub(super) async fn next(&mut self) -> Option<Said> {
        loop {
            let notice = self.notices.next().await?;
            if let Some(said) = self.read(notice.payload) {
                return Some(said);
            }
        }
    }

    /// What another replica says that this one can read.
    fn read(&self, payload: Bytes) -> Option<Said> {
        let notice = match ReplicaNotice::decode(payload) {
            Ok(ReplicaNotice { notice }) => notice,
            Err(error) => {
                tracing::warn!(%error, "a notice of another replica can't be read");
                return None;
            }
        };
        let Notice::Typing(notice) = notice?;
        if notice.replica == self.own {
            return None;
        }
        Some(Said {
            typist: Typist { topic: notice.topic, user: notice.user },
            person: serde_json::from_slice(&notice.person).ok()?,
            connection: notice.connection,
            number: notice.number,
            is_typing: notice.milliseconds > 0,
        })
    }
}
