//! Documents as the database has them: updates, and what each contains.

use carillon_store::StoreError;
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::update::Extent;

/// A stored update.
pub(crate) struct Stored {
    pub(crate) number: i64,
    pub(crate) content: Vec<u8>,
    pub(crate) extent: Extent,
}

/// What a document contains.
///
/// # Errors
/// If the database fails.
pub(crate) async fn extent(connection: &mut AnyConnection, document: &str) -> Result<Extent, StoreError> {
    let statement = "SELECT inserted, deleted FROM document_update WHERE document = $1";
    let rows = sqlx::query(statement).bind(document).fetch_all(connection).await?;
    let mut extent = Extent::default();
    for row in rows {
        extent.merge(read_extent(&row, 0)?);
    }
    Ok(extent)
}

/// The updates of a document that come after a number, in their order. One statement, so one state.
///
/// # Errors
/// If the database fails.
pub(crate) async fn updates(
    connection: &mut AnyConnection,
    document: &str,
    after: i64,
) -> Result<Vec<Stored>, StoreError> {
    let statement = "SELECT inserted, deleted, number, content FROM document_update \
         WHERE document = $1 AND number > $2 ORDER BY number";
    let rows = sqlx::query(statement).bind(document).bind(after).fetch_all(connection).await?;
    let stored = |row: AnyRow| {
        Ok(Stored { number: row.try_get(2)?, content: row.try_get(3)?, extent: read_extent(&row, 0)? })
    };
    rows.into_iter().map(stored).collect()
}

/// The contents of neighbouring updates, in their order.
///
/// # Errors
/// If the database fails.
pub(crate) async fn updates_between(
    connection: &mut AnyConnection,
    document: &str,
    first: i64,
    last: i64,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let statement = "SELECT content FROM document_update \
         WHERE document = $1 AND number >= $2 AND number <= $3 ORDER BY number";
    let query = sqlx::query_scalar(statement).bind(document).bind(first).bind(last);
    Ok(query.fetch_all(connection).await?)
}

fn read_extent(row: &AnyRow, column: usize) -> Result<Extent, StoreError> {
    let (inserted, deleted): (&[u8], &[u8]) = (row.try_get(column)?, row.try_get(column + 1)?);
    Extent::decode(inserted, deleted).map_err(StoreError::other)
}
