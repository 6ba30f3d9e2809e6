//! What is heard on an open connection and what is answered, whichever protocol the client speaks.

use bytes::Bytes;

use crate::{
    shard::{Key, Shard},
    websocket::{self, CloseReason, Decoder, Incoming},
};

/// How a conversation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The gateway closes: its reason is queued.
    Ours,
    /// The client closes, with this code if it named one, and waits for an answer to that.
    Theirs(Option<u16>),
    /// The client is gone.
    Gone,
}

/// A conversation with one client.
pub(super) trait Talk {
    /// The connection that it is held on.
    fn connection(&self) -> (&Shard, Key);

    /// Whether more may be read.
    fn has_room(&self) -> bool;

    /// Has what was heard handled, as far as it is its turn.
    fn start_next(&mut self);

    /// Takes in a text message. An error ends the conversation.
    fn text(&mut self, text: Bytes) -> Result<(), CloseReason>;

    /// Takes in a binary message.
    fn binary(&mut self, payload: Bytes);

    /// Whether something that was heard is still being handled.
    fn is_waiting(&self) -> bool;

    /// Waits for the next answer, or whatever else there is to tell, and passes it on.
    async fn answered(&mut self);

    /// Takes in one message. `Some` if it ends the conversation.
    fn heard(&mut self, incoming: Incoming) -> Option<End> {
        match incoming {
            Incoming::Text(text) => return self.text(text).err().map(|reason| self.end(reason)),
            Incoming::Binary(payload) => self.binary(payload),
            Incoming::Ping(payload) => {
                let (shard, key) = self.connection();
                shard.send_control(key, websocket::pong(&payload));
            }
            Incoming::Pong => {}
            Incoming::Close(code) => return Some(End::Theirs(code)),
        }
        None
    }

    /// Whether the client has yet to take what was said to it: what it says waits until it has, so that the
    /// answers to its own words never make it a slow client.
    fn is_held_up(&self) -> bool {
        let (shard, key) = self.connection();
        shard.state(key).is_some_and(|state| state.is_blocked)
    }

    /// Closes the connection.
    fn end(&self, reason: CloseReason) -> End {
        let (shard, key) = self.connection();
        shard.close(key, reason);
        End::Ours
    }

    /// Takes in what has been read, as far as there is room. `Some` if that ends the conversation.
    fn take_in(&mut self, decoder: &mut Decoder) -> Option<End> {
        loop {
            // Afterwards there is either no room, or no whole frame left: nothing more is read before
            // the frames that were are taken in.
            if !self.is_held_up() {
                self.start_next();
            }
            if !self.has_room() {
                return None;
            }
            match decoder.next() {
                Ok(Some(incoming)) => {
                    if let Some(end) = self.heard(incoming) {
                        return Some(end);
                    }
                }
                Ok(None) => return None,
                Err(reason) => return Some(self.end(reason)),
            }
        }
    }

    /// Has what was heard before the client left answered, in order.
    async fn finish(&mut self) {
        loop {
            self.start_next();
            if !self.is_waiting() {
                return;
            }
            self.answered().await;
        }
    }
}
