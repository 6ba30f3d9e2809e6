//! Deletion, by the author or an admin. A tombstone stays; what was said is kept.

use carillon_service::time;
use carillon_store::{StoreError, Transaction};
use serde_json::{Value, json};

use super::{Change, Effect, Scene, edit, scene::unknown};
use crate::{attachments::discard, reply::Refusal};

pub(super) async fn apply(
    tx: &mut Transaction,
    scene: &mut Scene,
    change: &Change,
    id: i64,
) -> Result<Effect, StoreError> {
    let now = scene.now;
    let Some(message) = scene.message(change, id)? else { return Ok(unknown()) };
    if message.author.user() != change.by.user() && !change.by.is_admin {
        let refusal = Refusal::new("not_yours", "Only its author or an admin may delete a message");
        return Ok(Effect::Refused(refusal));
    }
    if message.deleted_at > 0 {
        return Ok(Effect::Nothing);
    }
    edit::keep(tx, message, change.by.user(), now).await?;
    let sql = "UPDATE message SET body = '', folded = '', attachments = '[]', deleted_at = $2 WHERE id = $1";
    sqlx::query(sql).bind(id).bind(now).execute(&mut **tx).await?;
    discard(tx, id).await?;
    sqlx::query("DELETE FROM reaction WHERE message_id = $1").bind(id).execute(&mut **tx).await?;
    message.body.clear();
    message.attachments = Value::Array(Vec::new());
    message.deleted_at = now;
    Ok(Effect::Told(json!({
        "type": "message_deleted",
        "message_id": id,
        "deleted_by": change.by.person,
        "deleted_at": time::timestamp(now),
    })))
}
