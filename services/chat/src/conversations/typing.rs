//! Who is typing (S4-04): told to those who are there, never stored, and over by itself.
//!
//! Any replica may hear a frame, so they tell each other, and each knows everyone who is typing. The
//! one that heard the last frame of a user tells clients when it is over; the others do so a little
//! later if it has not: it may have died. Doing so twice would be harmless.

mod table;

use std::{sync::PoisonError, time::Duration};

use bytes::Bytes;
use carillon_bus::{Bus, Subscription};
use carillon_contract::{
    Person, ServiceName, Subject,
    messages::{ChatNotice, Event, Typing, Variant, chat_notice::Notice},
};
use carillon_service::{Publisher, Registration, Shell};
use carillon_store::now;
use futures_util::StreamExt as _;
use prost::Message as _;
use serde_json::{Value, json};
use tokio::{
    sync::{Mutex, Notify},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::channel;
use crate::visitor::Visitor;
use table::{Heard, Over, Table, Typist};

/// How long to wait before trying again what the bus refused.
const PATIENCE: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Typists {
    bus: Bus,
    publisher: Publisher,
    epoch: String,
    /// This replica's name among the others.
    replica: String,
    /// How long a user types unless it says so again.
    duration: Duration,
    /// Until other replicas are heard. It is not kept: what makes the process ready knows this service.
    starting: std::sync::Mutex<Option<Registration>>,
    /// Held until what is decided under it is published: so clients hear it in that order.
    table: Mutex<Table>,
    /// What is due next may have changed.
    changed: Notify,
}

impl Typists {
    pub(super) fn new(shell: &Shell, epoch: &str, duration: Duration) -> Self {
        Self {
            bus: shell.bus.clone(),
            publisher: Publisher::new(shell.bus.clone()),
            epoch: epoch.to_owned(),
            replica: format!("{:016x}", rand::random::<u64>()),
            duration,
            starting: std::sync::Mutex::new(Some(shell.readiness.register("chat replicas"))),
            table: Mutex::new(Table::new(duration)),
            changed: Notify::new(),
        }
    }

    /// A client says that its user is typing, or no longer.
    pub(super) async fn said(
        &self,
        conversation: i64,
        person: &Person,
        visitor: &Visitor,
        number: u64,
        is_typing: bool,
    ) {
        let typist = Typist { conversation, user: person.id.to_string() };
        let heard = Heard {
            typist,
            person: json!(person),
            connection: visitor.connection.clone(),
            number,
            is_typing,
            is_own: true,
        };
        let mut table = self.table.lock().await;
        if table.hear(heard.clone(), Instant::now()) {
            self.announce(&heard.typist, &heard.person, &heard.connection, is_typing).await;
        }
        self.tell(&heard).await;
        self.changed.notify_one();
    }

    /// A message was sent over a connection: it is not being typed any more.
    pub(super) async fn sent(&self, conversation: i64, visitor: &Visitor, number: u64) {
        let mut table = self.table.lock().await;
        let Some(user) = visitor.user() else { return };
        let typist = Typist { conversation, user: user.to_owned() };
        self.stop(&mut table, typist, &visitor.connection, number).await;
    }

    /// A connection has ended.
    pub(super) async fn left(&self, visitor: &Visitor) {
        let (Some(conversation), Some(user)) = (super::number(&visitor.name), visitor.user()) else { return };
        let typist = Typist { conversation, user: user.to_owned() };
        let mut table = self.table.lock().await;
        self.stop(&mut table, typist, &visitor.connection, u64::MAX).await;
    }

    /// The frames that tell who else is typing in a conversation.
    pub(super) async fn in_conversation(&self, conversation: i64, reader: &str) -> Vec<Value> {
        let table = self.table.lock().await;
        table.typing_in(conversation, reader).map(|person| frame(person, true)).collect()
    }

    /// Hears other replicas and tells what is over, until shutdown.
    pub(super) async fn run(&self, shutdown: CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.listen() => {}
        }
    }

    async fn listen(&self) {
        loop {
            match self.bus.subscribe(Subject::replicas(ServiceName::Chat)).await {
                Ok(subscription) => {
                    self.ready();
                    self.follow(subscription).await;
                }
                Err(error) => tracing::warn!(%error, "other replicas can't be heard yet"),
            }
            sleep(PATIENCE).await;
        }
    }

    fn ready(&self) {
        let starting = self.starting.lock().unwrap_or_else(PoisonError::into_inner).take();
        starting.inspect(|starting| starting.ready(|| async { Ok(()) }));
    }

    async fn follow(&self, mut notices: Subscription) {
        loop {
            let due = self.table.lock().await.due();
            let over = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                notice = notices.next() => match notice {
                    Some(notice) => self.heard(notice.payload).await,
                    None => return,
                },
                () = self.changed.notified() => {}
                () = over => self.finish().await,
            }
        }
    }

    /// Another replica tells of somebody.
    async fn heard(&self, payload: Bytes) {
        let notice = match ChatNotice::decode(payload) {
            Ok(ChatNotice { notice: Some(Notice::Typing(notice)) }) => notice,
            Ok(ChatNotice { notice: None }) => return,
            Err(error) => return tracing::warn!(%error, "a notice of another replica can't be read"),
        };
        if notice.replica == self.replica {
            return;
        }
        let Ok(person) = serde_json::from_slice(&notice.person) else { return };
        let heard = Heard {
            typist: Typist { conversation: notice.conversation, user: notice.user },
            person,
            connection: notice.connection,
            number: notice.number,
            is_typing: notice.milliseconds > 0,
            is_own: false,
        };
        self.table.lock().await.hear(heard, Instant::now());
    }

    /// Tells of those whose time is over.
    async fn finish(&self) {
        let mut table = self.table.lock().await;
        for Over { typist, person, connection, number } in table.over(Instant::now()) {
            self.announce(&typist, &person, &connection, false).await;
            let is_own = true;
            self.tell(&Heard { typist, person, connection, number, is_typing: false, is_own }).await;
        }
    }

    /// What somebody was typing over this connection, if it was, is over.
    async fn stop(&self, table: &mut Table, typist: Typist, connection: &str, number: u64) {
        let Some(person) = table.person(&typist, connection).cloned() else { return };
        let connection = connection.to_owned();
        let heard = Heard { typist, person, connection, number, is_typing: false, is_own: true };
        if table.hear(heard.clone(), Instant::now()) {
            self.announce(&heard.typist, &heard.person, &heard.connection, false).await;
            self.tell(&heard).await;
        }
    }

    /// Tells clients, but for the one that said so.
    async fn announce(&self, typist: &Typist, person: &Value, connection: &str, is_typing: bool) {
        let Ok(channel) = channel(typist.conversation) else { return };
        let event = Event {
            channel: channel.to_string(),
            epoch: self.epoch.clone(),
            at: now(),
            variants: vec![Variant::json(frame(person, is_typing).to_string())],
            except_connection: connection.to_owned(),
            ..Event::default()
        };
        self.publisher.publish(&[event]).await;
    }

    /// Tells the other replicas.
    async fn tell(&self, heard: &Heard) {
        let milliseconds = match heard.is_typing {
            true => u32::try_from(self.duration.as_millis()).unwrap_or(u32::MAX).max(1),
            false => 0,
        };
        let notice = Typing {
            conversation: heard.typist.conversation,
            user: heard.typist.user.clone(),
            connection: heard.connection.clone(),
            number: heard.number,
            milliseconds,
            person: heard.person.to_string().into(),
            replica: self.replica.clone(),
        };
        let payload = ChatNotice { notice: Some(Notice::Typing(notice)) }.encode_to_vec().into();
        if let Err(error) = self.bus.publish(&Subject::replicas(ServiceName::Chat), payload).await {
            tracing::debug!(%error, "other replicas were not told who is typing");
        }
    }
}

/// Document 4's frame.
fn frame(person: &Value, is_typing: bool) -> Value {
    json!({"type": "typing_indicator", "user": person, "is_typing": is_typing})
}
