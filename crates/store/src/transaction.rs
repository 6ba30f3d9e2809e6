//! A writing transaction.

use std::ops::{Deref, DerefMut};

use sqlx::{Any, AnyConnection};

use crate::StoreError;

/// A transaction that writes, rolled back when it is dropped before [`commit`](Self::commit).
///
/// For sqlx it is a connection: `sqlx::query(…).execute(&mut **tx)` with `tx: &mut Transaction`.
/// After an error of any statement it can only be rolled back: pass that error on.
#[derive(Debug)]
pub struct Transaction(sqlx::Transaction<'static, Any>);

impl Transaction {
    pub(crate) fn new(inner: sqlx::Transaction<'static, Any>) -> Self {
        Self(inner)
    }

    /// The connection, for sqlx.
    pub fn connection(&mut self) -> &mut AnyConnection {
        &mut self.0
    }

    /// Makes everything that was written durable and visible.
    ///
    /// # Errors
    /// If it can't be known that it was.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.0.commit().await?)
    }
}

impl Deref for Transaction {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.0
    }
}
