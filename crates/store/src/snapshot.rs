//! Several reads that see one state of the database.

use std::ops::{Deref, DerefMut};

use sqlx::{Any, AnyConnection};

/// One state of the database, for reads that belong together: what a greeting tells, and the heads
/// of the channels from which the client is told what follows.
///
/// For sqlx it is a connection: `sqlx::query(…).fetch_all(&mut **snapshot)`. Hold it briefly: it
/// occupies one of the readers.
#[derive(Debug)]
pub struct Snapshot(sqlx::Transaction<'static, Any>);

impl Snapshot {
    pub(crate) fn new(inner: sqlx::Transaction<'static, Any>) -> Self {
        Self(inner)
    }
}

impl Deref for Snapshot {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.0
    }
}

impl DerefMut for Snapshot {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.0
    }
}
