//! The columns in which counts are kept.

use carillon_store::StoreError;
use sqlx::{Any, Row, any::AnyArguments, any::AnyRow, query::Query};

use crate::cluster::{Counts, Entrance};

/// Their names, in the order in which they are bound.
pub(super) const COUNTS: [&str; 8] = [
    "opened",
    "closed",
    "closed_milliseconds",
    "messages_received",
    "messages_sent",
    "bytes_received",
    "bytes_sent",
    "refused",
];

/// The statement with the next parameters.
pub(super) fn bind<'q>(query: Query<'q, Any, AnyArguments>, counts: &Counts) -> Query<'q, Any, AnyArguments> {
    let Counts {
        opened,
        closed,
        closed_milliseconds,
        messages_received,
        messages_sent,
        bytes_received,
        bytes_sent,
        refused,
    } = *counts;
    [
        opened,
        closed,
        closed_milliseconds,
        messages_received,
        messages_sent,
        bytes_received,
        bytes_sent,
        refused,
    ]
    .into_iter()
    .fold(query, |query, count| query.bind(signed(count)))
}

/// Reads them.
pub(super) fn counts(row: &AnyRow) -> Result<Counts, StoreError> {
    Ok(Counts {
        opened: number(row, "opened")?,
        closed: number(row, "closed")?,
        closed_milliseconds: number(row, "closed_milliseconds")?,
        messages_received: number(row, "messages_received")?,
        messages_sent: number(row, "messages_sent")?,
        bytes_received: number(row, "bytes_received")?,
        bytes_sent: number(row, "bytes_sent")?,
        refused: number(row, "refused")?,
    })
}

pub(super) fn entrance(row: &AnyRow) -> Result<Entrance, StoreError> {
    Ok(Entrance { endpoint: row.try_get("endpoint")?, transport: row.try_get("transport")? })
}

pub(super) fn number(row: &AnyRow, column: &str) -> Result<u64, StoreError> {
    Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or_default())
}

pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
