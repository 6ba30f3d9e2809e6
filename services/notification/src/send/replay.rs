//! The answer of a request to many, kept for its repetition.

use carillon_store::{Database, now};
use sqlx::Row;

use super::refusal::SendError;
use crate::delivery::Claim;

/// The answer of the request that had this key, if it was completed.
pub(super) async fn recorded(database: &Database, claim: &Claim) -> Result<Option<String>, SendError> {
    let sql = "SELECT fingerprint, reply FROM idempotency WHERE idempotency_key = $1";
    let query = sqlx::query(sql).bind(claim.key.clone());
    let Some(row) = query.fetch_optional(database.reader()).await.map_err(store)? else { return Ok(None) };
    if row.try_get::<String, _>("fingerprint").map_err(store)? != claim.fingerprint {
        return Err(SendError::key_taken());
    }
    let reply: String = row.try_get("reply").map_err(store)?;
    Ok((!reply.is_empty()).then_some(reply))
}

/// Keeps the answer. The first that was kept stays.
pub(super) async fn record(database: &Database, claim: &Claim, reply: &str) -> Result<(), SendError> {
    let mut tx = database.begin().await?;
    // An organisation without members has no delivery that would have entered the key.
    sqlx::query(
        "INSERT INTO idempotency (idempotency_key, fingerprint, reply, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (idempotency_key) DO UPDATE SET reply = excluded.reply WHERE idempotency.reply = ''",
    )
    .bind(claim.key.clone())
    .bind(claim.fingerprint.clone())
    .bind(reply.to_owned())
    .bind(now())
    .execute(&mut *tx)
    .await
    .map_err(store)?;
    Ok(tx.commit().await?)
}

fn store(error: sqlx::Error) -> SendError {
    carillon_store::StoreError::from(error).into()
}
