//! Requests that change something are answered once: whoever repeats one gets the first answer.
//!
//! A gateway that waits in vain asks again under the same number, perhaps another replica, perhaps
//! after the first one has committed. Without this, the second answer to a removal would be 404.

use std::time::Duration;

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::{http::Problem, time::microseconds};
use carillon_store::{StoreError, Transaction, now};
use prost::Message;
use sqlx::Row;

use crate::{auth::Auth, effects::Effects, random::random_id};

/// The longest `Idempotency-Key`.
const MAX_KEY: usize = 255;

/// For how long an answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// A request to change something, as far as it has come.
pub(crate) enum Begun {
    /// It is new.
    Change(Change),
    /// It was answered before, with this.
    Answered(HttpReply),
}

/// A change being made: a transaction, and what it will make known.
pub(crate) struct Change {
    pub(crate) tx: Transaction,
    pub(crate) effects: Effects,
    cause: String,
}

/// Begins a change, or finds the answer to it. A repetition waits until the first one has ended.
pub(crate) async fn begin(auth: &Auth, request: &HttpRequest) -> Result<Begun, Problem> {
    let cause = cause(request)?;
    let mut tx = auth.database.begin().await?;
    if note(&mut tx, &cause).await? {
        return Ok(Begun::Change(Change { tx, effects: Effects::default(), cause }));
    }
    Ok(Begun::Answered(find(&mut tx, &cause).await?))
}

impl Change {
    /// Commits along with its answer, and makes it known.
    pub(crate) async fn commit(mut self, auth: &Auth, answer: &HttpReply) -> Result<(), StoreError> {
        sqlx::query("UPDATE answer SET reply = $2 WHERE cause = $1")
            .bind(&self.cause)
            .bind(answer.encode_to_vec())
            .execute(self.tx.connection())
            .await?;
        auth.commit(self.tx, self.effects).await
    }
}

/// Forgets answers that nobody will ask for again.
pub(crate) async fn prune(tx: &mut Transaction) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM answer WHERE at < $1")
        .bind(now().saturating_sub(microseconds(KEPT)))
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// What tells a repeated request from a new one: the caller's key, or else the gateway's number.
fn cause(request: &HttpRequest) -> Result<String, Problem> {
    let key = &request.idempotency_key;
    if key.len() > MAX_KEY {
        return Err(Problem::bad_request("the Idempotency-Key is too long"));
    }
    let route = &request.route;
    let caller = request.identity.as_ref().map_or("", |identity| match identity.user.as_str() {
        "" => identity.token.as_str(),
        user => user,
    });
    Ok(match (key.as_str(), request.request.as_str()) {
        ("", "") => random_id(),
        ("", number) => format!("request:{number}"),
        (key, _) => format!("key:{route}:{caller}:{key}"),
    })
}

/// False if it was noted before, by a transaction that has been committed.
async fn note(tx: &mut Transaction, cause: &str) -> Result<bool, StoreError> {
    let done =
        sqlx::query("INSERT INTO answer (cause, reply, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(cause)
            .bind(Vec::new())
            .bind(now())
            .execute(tx.connection())
            .await?;
    Ok(done.rows_affected() > 0)
}

async fn find(tx: &mut Transaction, cause: &str) -> Result<HttpReply, StoreError> {
    let row = sqlx::query("SELECT reply FROM answer WHERE cause = $1")
        .bind(cause)
        .fetch_one(tx.connection())
        .await?;
    let reply: Vec<u8> = row.try_get("reply")?;
    HttpReply::decode(&*reply).map_err(StoreError::other)
}
