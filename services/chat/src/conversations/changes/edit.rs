//! Editing, by the author alone. What was said before is kept.

use carillon_store::{StoreError, Transaction};
use serde_json::json;

use super::{
    Change, Effect, Scene,
    scene::{gone, unknown},
};
use crate::{
    conversations::frame,
    messages::{Message, fold},
    reply::Refusal,
};

pub(super) async fn apply(
    tx: &mut Transaction,
    scene: &mut Scene,
    change: &Change,
    id: i64,
    body: &str,
) -> Result<Effect, StoreError> {
    let now = scene.now;
    let Some(message) = scene.message(change, id)? else { return Ok(unknown()) };
    if message.author.user() != change.by.user() {
        return Ok(Effect::Refused(Refusal::new("not_yours", "Only its author may edit a message")));
    }
    if message.deleted_at > 0 {
        return Ok(gone());
    }
    if body.is_empty() && !has_attachments(message) {
        return Ok(Effect::Refused(frame::empty()));
    }
    if message.body == body {
        return Ok(Effect::Nothing);
    }
    keep(tx, message, change.by.user(), now).await?;
    sqlx::query("UPDATE message SET body = $2, folded = $3, edited_at = $4 WHERE id = $1")
        .bind(id)
        .bind(body)
        .bind(fold(body))
        .bind(now)
        .execute(&mut **tx)
        .await?;
    message.body = body.to_owned();
    message.edited_at = now;
    Ok(Effect::Told(json!({"type": "message_edited", "message_id": id, "message": message.object()})))
}

/// Keeps what a message says, and who has it say something else.
pub(super) async fn keep(
    tx: &mut Transaction,
    message: &Message,
    by: &str,
    now: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO message_edit (message_id, number, body, replaced_at, replaced_by) \
         SELECT CAST($1 AS BIGINT), COALESCE(MAX(number), 0) + 1, $2, CAST($3 AS BIGINT), $4 \
         FROM message_edit WHERE message_id = $1";
    let query = sqlx::query(sql).bind(message.id).bind(message.body.as_str()).bind(now).bind(by);
    query.execute(&mut **tx).await?;
    Ok(())
}

fn has_attachments(message: &Message) -> bool {
    message.attachments.as_array().is_some_and(|attachments| !attachments.is_empty())
}
