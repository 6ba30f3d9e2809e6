//! Files that messages of conversations carry (S4-04).
//!
//! 1. [`create`]: a user says what is to come, and gets an address to upload it to.
//! 2. [`Attachments::verify`], before a message's transaction: it was uploaded, and is what it was said to be.
//! 3. [`claim()`] and [`carry`], in the message's transaction: nobody else's, and no other message's.
//! 4. [`show`]: whoever is in the conversation gets an address to download it from.
//! 5. [`discard`], in the transaction that deletes a message; what no message carries goes by itself
//!    ([`sweep`]).

mod args;
mod attachment;
mod claim;
mod content;
mod create;
mod show;
mod sweep;
mod verify;

use std::{sync::Arc, time::Duration};

use carillon_blob::Blobs;
use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::http::Problem;
use carillon_store::Database;

use crate::{args::SettingsArgs, reply::Refusal};

pub use args::AttachmentArgs;
pub(crate) use attachment::Attachment;
pub(crate) use claim::{Claim, carry, claim, discard};

/// See the module. Clones share it.
#[derive(Clone)]
pub(crate) struct Attachments {
    database: Database,
    /// `None`: this deployment has no files.
    blobs: Option<Blobs>,
    settings: Arc<AttachmentArgs>,
    /// How long one sweep waits for the next.
    pause: Duration,
}

impl Attachments {
    pub(crate) fn new(database: &Database, blobs: Option<Blobs>, settings: &SettingsArgs) -> Self {
        let pause = settings.chat_prune_every;
        Self { database: database.clone(), blobs, settings: Arc::new(settings.attachments.clone()), pause }
    }

    /// Answers `chat.attachments.…`.
    pub(crate) async fn http(&self, request: &HttpRequest) -> Result<HttpReply, Problem> {
        match request.route.as_str() {
            "chat.attachments.create" => create::create(self, request).await,
            "chat.attachments.show" => show::show(self, request).await,
            _ => Err(Problem::not_found("no such route")),
        }
    }

    fn blobs(&self) -> Result<&Blobs, Problem> {
        let none = || {
            Problem::unavailable("this deployment has no attachments: no store is configured (--blob-store)")
        };
        self.blobs.as_ref().ok_or_else(none)
    }
}

/// There is none of this id, or none of this user's: which, is nobody's business.
fn unknown(id: &str) -> Refusal {
    Refusal::new("attachment_unknown", format!("You have no attachment {id}"))
}
