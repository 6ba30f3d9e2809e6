//! The rows of messages.

use std::collections::BTreeMap;

use carillon_store::{StoreError, Transaction, values};
use sqlx::AssertSqlSafe;

use super::{Draft, Message};

/// Takes so many ids, which locks the counter until the transaction ends, and gives the last one.
pub(crate) async fn take_ids(tx: &mut Transaction, count: usize) -> Result<i64, StoreError> {
    if count == 0 {
        return Ok(0);
    }
    let sql = "UPDATE sequence SET value = value + $1 WHERE name = 'message' RETURNING value";
    let count = i64::try_from(count).map_err(StoreError::other)?;
    Ok(sqlx::query_scalar(sql).bind(count).fetch_one(&mut **tx).await?)
}

/// Marks the conversations in which something was said.
pub(crate) async fn touch_conversations(
    tx: &mut Transaction,
    sent: &[(i64, &Message)],
) -> Result<(), StoreError> {
    let last: BTreeMap<i64, &Message> = sent.iter().copied().collect();
    let last: Vec<_> = last.into_iter().collect();
    for last in last.chunks(values::MAX_ROWS) {
        let sql = format!(
            "UPDATE conversation SET last_message = CAST(said.column2 AS BIGINT), \
             active_at = CAST(said.column3 AS BIGINT) \
             FROM (VALUES {}) AS said WHERE conversation.id = CAST(said.column1 AS BIGINT)",
            values::rows(last.len(), 3)
        );
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(last.len()));
        let query = last.iter().fold(query, |query, (conversation, message)| {
            query.bind(*conversation).bind(message.id).bind(message.created_at)
        });
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

/// Inserts messages whose events have been appended.
pub(crate) async fn insert(tx: &mut Transaction, rows: &[(&Draft, &Message)]) -> Result<(), StoreError> {
    for rows in rows.chunks(values::MAX_ROWS) {
        let sql = format!(
            "INSERT INTO message (id, channel, position, cause, user_id, author, message_type, body, folded, \
             reply_to, attachments, client_id, created_at, edited_at, deleted_at) VALUES {}",
            values::rows(rows.len(), 15)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(rows.len()));
        for (draft, message) in rows {
            let folded = draft.conversation.map(|_| fold(&message.body)).unwrap_or_default();
            query = query
                .bind(message.id)
                .bind(message.channel.as_str())
                .bind(message.position)
                .bind(draft.cause.as_str())
                .bind(message.author.user())
                .bind(serde_json::to_string(&message.author).map_err(StoreError::other)?)
                .bind(message.message_type.as_str())
                .bind(message.body.as_str())
                .bind(folded)
                .bind(message.reply_to)
                .bind(message.attachments.to_string())
                .bind(message.client_id.as_str())
                .bind(message.created_at)
                .bind(message.edited_at)
                .bind(message.deleted_at);
        }
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

/// As searches compare text: in lower case.
pub(crate) fn fold(text: &str) -> String {
    text.to_lowercase()
}
