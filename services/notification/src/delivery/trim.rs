//! Keeping an inbox from growing without end.

use carillon_store::{StoreError, Transaction};
use sqlx::Row;

use crate::inbox::State;

/// What removed a notification, where it was not a request of its user.
pub(crate) const RETENTION: &str = "retention";

/// Removes the oldest notifications of an inbox that holds a tenth more than `count`: so that this
/// happens to one sending in many. Tells whether it did; doesn't save the state.
pub(super) async fn to_count(
    tx: &mut Transaction,
    state: &mut State,
    count: i64,
) -> Result<bool, StoreError> {
    if state.counts.total <= count + count / 10 {
        return Ok(false);
    }
    let rows = sqlx::query(
        "UPDATE notification SET removed_by = $3, body = ''
         WHERE user_id = $1 AND removed_by = '' AND sequence < (
             SELECT sequence FROM notification WHERE user_id = $1 AND removed_by = ''
             ORDER BY sequence DESC LIMIT 1 OFFSET $2)
         RETURNING read_at",
    )
    .bind(state.user.clone())
    .bind((count - 1).max(0))
    .bind(RETENTION)
    .fetch_all(&mut **tx)
    .await?;
    for row in &rows {
        state.counts.total -= 1;
        state.counts.unread -= i64::from(row.try_get::<i64, _>("read_at")? == 0);
    }
    Ok(!rows.is_empty())
}
