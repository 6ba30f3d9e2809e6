//! A Yjs client: what npm's `y-websocket` does, with `yrs`, over the bus.

use std::collections::BTreeSet;

use bytes::Bytes;
use carillon_contract::{Channel, messages::Session};
use carillon_testkit::service::{Listener, session, user};
use yrs::{
    Doc, GetString as _, ReadTxn as _, StateVector, Text as _, TextRef, Transact as _, Update,
    sync::{Message, SyncMessage},
    updates::{decoder::Decode as _, encoder::Encode as _},
};

use crate::world::{World, accepted};

/// The channel of a document.
pub(crate) fn channel(document: &str) -> Channel {
    Channel::new("document", &[document]).expect("a channel")
}

/// A connection to a document.
pub(crate) fn connection(name: &str, document: &str) -> Session {
    let session = session("document", "", Some(user("1")), &[("name", document)]);
    Session { connection: name.to_owned(), ..session }
}

pub(crate) fn sync(message: SyncMessage) -> Vec<u8> {
    Message::Sync(message).encode_v1()
}

/// Someone who edits a text.
pub(crate) struct Editor {
    pub(crate) document: Doc,
    pub(crate) session: Session,
    text: TextRef,
    number: u64,
    listener: Listener,
    /// The events that it has not heard, up to the last that it has.
    missing: BTreeSet<u64>,
    offset: u64,
}

impl Editor {
    /// Connects and syncs.
    pub(crate) async fn open(world: &World, name: &str, document: &str) -> Self {
        let listener = world.listen(&channel(document)).await;
        let session = connection(name, document);
        let document = Doc::new();
        let text = document.get_or_insert_text("text");
        let mut editor =
            Self { document, session, text, number: 0, listener, missing: BTreeSet::new(), offset: 0 };
        editor.sync(world).await;
        editor
    }

    /// What a client does when its connection is open.
    pub(crate) async fn sync(&mut self, world: &World) {
        let accept = accepted(world.open_session(&self.session, &[]).await);
        self.offset = self.offset.max(accept.channels[0].offset);
        for frame in accept.greeting {
            if let Some(answer) = self.hear(&frame) {
                self.say(world, answer).await;
            }
        }
        let state = self.document.transact().state_vector();
        self.say(world, sync(SyncMessage::SyncStep1(state))).await;
    }

    /// Says something, and hears what is replied.
    pub(crate) async fn say(&mut self, world: &World, frame: Vec<u8>) {
        self.number += 1;
        let mut after = Bytes::new();
        loop {
            let reply = world.frame_after(&self.session, self.number, frame.clone(), after).await;
            assert_eq!(reply.close, None);
            assert!(reply.frames.iter().map(Bytes::len).sum::<usize>() < 2_000_000);
            for frame in reply.frames {
                assert!(self.hear(&frame).is_none());
            }
            if reply.more.is_empty() {
                return;
            }
            after = reply.more;
        }
    }

    /// Types.
    pub(crate) async fn insert(&mut self, world: &World, at: u32, text: &str) {
        let update = self.insert_offline(at, text);
        self.say(world, sync(SyncMessage::Update(update))).await;
    }

    /// Types while nobody hears it.
    pub(crate) fn insert_offline(&mut self, at: u32, text: &str) -> Vec<u8> {
        let mut transaction = self.document.transact_mut();
        self.text.insert(&mut transaction, at, text);
        transaction.encode_update_v1()
    }

    pub(crate) async fn remove(&mut self, world: &World, at: u32, length: u32) {
        let mut transaction = self.document.transact_mut();
        self.text.remove_range(&mut transaction, at, length);
        let update = transaction.encode_update_v1();
        drop(transaction);
        self.say(world, sync(SyncMessage::Update(update))).await;
    }

    /// Hears every event up to an offset. Replicas that publish side by side may turn their order
    /// round; a gateway would put it right.
    pub(crate) async fn hear_up_to(&mut self, offset: u64) {
        while self.offset < offset || !self.missing.is_empty() {
            let event = self.listener.next().await;
            if event.offset > self.offset {
                self.missing.extend(self.offset + 1..=event.offset);
                self.offset = event.offset;
            }
            if self.missing.remove(&event.offset) && event.except_connection != self.session.connection {
                assert!(event.variants[0].binary);
                assert!(self.hear(&event.variants[0].json).is_none());
            }
        }
    }

    /// The next that is not stored: awareness.
    pub(crate) async fn next_ephemeral(&mut self) -> Message {
        loop {
            let event = self.listener.next().await;
            if event.offset == 0 && event.except_connection != self.session.connection {
                return Message::decode_v1(&event.variants[0].json).expect("a message");
            }
        }
    }

    pub(crate) fn content(&self) -> String {
        self.text.get_string(&self.document.transact())
    }

    /// What it answers to a message.
    fn hear(&mut self, frame: &[u8]) -> Option<Vec<u8>> {
        match Message::decode_v1(frame).expect("a message") {
            Message::Sync(SyncMessage::SyncStep1(state)) => {
                let lacking = self.document.transact().encode_state_as_update_v1(&state);
                Some(sync(SyncMessage::SyncStep2(lacking)))
            }
            Message::Sync(SyncMessage::SyncStep2(update) | SyncMessage::Update(update)) => {
                let update = Update::decode_v1(&update).expect("an update");
                self.document.transact_mut().apply_update(update).expect("applied");
                None
            }
            other => panic!("unexpected: {other:?}"),
        }
    }
}

/// Everything of a document, as an update.
pub(crate) fn whole(document: &Doc) -> Vec<u8> {
    document.transact().encode_state_as_update_v1(&StateVector::default())
}
