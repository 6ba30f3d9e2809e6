//! Which of a run's connections one is.

use carillon_contract::CHANNELS;
use carillon_token::{Secret, mint_hs256};
use serde_json::json;

use super::{Args, message::Mark, outbox::Pace};
use crate::client::SecretText;

/// How long tokens are valid that are made here.
const TOKEN_SECONDS: i64 = 24 * 60 * 60;

/// Where a connection sits.
#[derive(Debug, Clone)]
pub(super) struct Seat {
    pub(super) number: u32,
    pub(super) run: String,
    pub(super) room: u32,
    pub(super) room_name: String,
    pub(super) path: String,
    pub(super) multiplexed: bool,
    /// Which of the room's senders it is, if it is one, and how it paces itself.
    pub(super) sender: Option<(u32, Pace)>,
    size: usize,
}

impl Seat {
    pub(super) fn new(args: &Args, run: &str, number: u32) -> Self {
        let room = number % args.rooms;
        let room_name = format!("load-{run}-{room}");
        let place = number / args.rooms;
        Self {
            number,
            run: run.to_owned(),
            room,
            path: args.path(&room_name),
            room_name,
            multiplexed: args.endpoint == CHANNELS,
            sender: (place < args.senders).then(|| (place, args.pace())),
            size: args.size.into(),
        }
    }

    /// A token of a user of its own.
    pub(super) fn token(&self, secret: &Secret) -> anyhow::Result<SecretText> {
        let user = format!("load-{}-{}", self.run, self.number);
        let expiry = carillon_store::now() / 1_000_000 + TOKEN_SECONDS;
        let claims = json!({"token_type": "access", "user_id": user, "username": user, "exp": expiry});
        Ok(mint_hs256(secret, &claims)?.into())
    }

    pub(super) fn channel(&self) -> String {
        format!("room.{}", self.room_name)
    }

    /// A message as its endpoint wants it.
    pub(super) fn frame(&self, mark: &Mark) -> String {
        let id = format!("{}-{}-{}", self.run, self.number, mark.number);
        let said =
            json!({"type": "chat_message", "message": mark.text(&self.run, self.size), "client_id": id});
        if !self.multiplexed {
            return said.to_string();
        }
        json!({"id": mark.number, "type": "publish", "channel": self.channel(), "data": said}).to_string()
    }
}
