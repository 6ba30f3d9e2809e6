//! A writing transaction.

use std::ops::{Deref, DerefMut};

use carillon_trace::{Span, TraceContext};
use sqlx::{Any, AnyConnection};

use crate::{StoreError, span};

/// A transaction that writes, rolled back when it is dropped before [`commit`](Self::commit).
///
/// For sqlx it is a connection: `sqlx::query(…).execute(&mut **tx)` with `tx: &mut Transaction`.
/// After an error of any statement it can only be rolled back: pass that error on.
#[derive(Debug)]
pub struct Transaction {
    inner: sqlx::Transaction<'static, Any>,
    span: Span,
}

impl Transaction {
    pub(crate) fn new(inner: sqlx::Transaction<'static, Any>, span: Span) -> Self {
        Self { inner, span }
    }

    /// Where it is in its trace.
    pub(crate) fn trace(&self) -> Option<&TraceContext> {
        self.span.context()
    }

    /// The connection, for sqlx.
    pub fn connection(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    /// Makes everything that was written durable and visible.
    ///
    /// # Errors
    /// If it can't be known that it was.
    pub async fn commit(self) -> Result<(), StoreError> {
        let Self { inner, mut span } = self;
        let committed = inner.commit().await.map_err(StoreError::from);
        match &committed {
            Ok(()) => span.set("carillon.committed", true),
            Err(error) => span::fail(&mut span, error),
        }
        committed
    }
}

impl Deref for Transaction {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.inner
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }
}
