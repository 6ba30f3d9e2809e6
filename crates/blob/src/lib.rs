//! Files that travel beside the bus: who may move one, and where they are kept.
//!
//! - The owner of a file makes a [`Grant`] and signs it with a [`Signer`]: a path under [`PATH`] that works
//!   for a short while, for one operation on one [`Key`].
//! - The door at that path verifies the signature, which is all the permission that is needed, and streams
//!   to or from a [`BlobStore`].
//!
//! Nothing here knows what a file is for.

mod args;
mod error;
mod grant;
mod key;
mod location;
mod secret;
mod signer;
mod store;
mod upload;

pub use args::{BlobArgs, Blobs};
pub use error::{BlobError, Denied, ShortSecret};
pub use grant::{DOWNLOAD, Grant, Operation, PATH, UPLOAD};
pub use key::{InvalidKey, Key};
pub use secret::{BlobSecret, MIN_SECRET};
pub use signer::Signer;
pub use store::{BlobStore, Reading};
pub use upload::Upload;
