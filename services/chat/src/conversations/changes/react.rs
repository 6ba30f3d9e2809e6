//! Reactions: each user once with each emoji.

use carillon_store::{StoreError, Transaction};
use serde_json::json;

use super::{
    Change, Effect, Scene,
    scene::{gone, unknown},
};
use crate::reply::Refusal;

/// The most different emojis of one message.
const MAX_EMOJIS: i64 = 100;

pub(super) async fn apply(
    tx: &mut Transaction,
    scene: &mut Scene,
    change: &Change,
    message: i64,
    emoji: &str,
    is_added: bool,
) -> Result<Effect, StoreError> {
    match scene.message(change, message)? {
        None => return Ok(unknown()),
        Some(message) if message.deleted_at > 0 => return Ok(gone()),
        Some(_) => {}
    }
    if is_added && others(tx, message, emoji).await? >= MAX_EMOJIS {
        let refusal = Refusal::new("too_many_reactions", "A message has at most 100 different reactions");
        return Ok(Effect::Refused(refusal));
    }
    let is_changed = match is_added {
        true => add(tx, message, emoji, change.by.user(), scene.now).await?,
        false => remove(tx, message, emoji, change.by.user()).await?,
    };
    if !is_changed {
        return Ok(Effect::Nothing);
    }
    Ok(Effect::Told(json!({
        "type": "message_reaction",
        "message_id": message,
        "emoji": emoji,
        "action": if is_added { "add" } else { "remove" },
        "user": change.by.person,
        "count": count(tx, message, emoji).await?,
    })))
}

async fn add(
    tx: &mut Transaction,
    message: i64,
    emoji: &str,
    user: &str,
    now: i64,
) -> Result<bool, StoreError> {
    let sql = "INSERT INTO reaction (message_id, emoji, user_id, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (message_id, emoji, user_id) DO NOTHING";
    let query = sqlx::query(sql).bind(message).bind(emoji).bind(user).bind(now);
    Ok(query.execute(&mut **tx).await?.rows_affected() > 0)
}

async fn remove(tx: &mut Transaction, message: i64, emoji: &str, user: &str) -> Result<bool, StoreError> {
    let sql = "DELETE FROM reaction WHERE message_id = $1 AND emoji = $2 AND user_id = $3";
    let query = sqlx::query(sql).bind(message).bind(emoji).bind(user);
    Ok(query.execute(&mut **tx).await?.rows_affected() > 0)
}

/// How many users have reacted so.
async fn count(tx: &mut Transaction, message: i64, emoji: &str) -> Result<i64, StoreError> {
    let sql = "SELECT COUNT(*) FROM reaction WHERE message_id = $1 AND emoji = $2";
    Ok(sqlx::query_scalar(sql).bind(message).bind(emoji).fetch_one(&mut **tx).await?)
}

/// How many other emojis the message has.
async fn others(tx: &mut Transaction, message: i64, emoji: &str) -> Result<i64, StoreError> {
    let sql = "SELECT COUNT(DISTINCT emoji) FROM reaction WHERE message_id = $1 AND emoji <> $2";
    Ok(sqlx::query_scalar(sql).bind(message).bind(emoji).fetch_one(&mut **tx).await?)
}
