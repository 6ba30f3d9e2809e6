//! Tokens of back ends: what they may do stands in their scopes.

use carillon_contract::LISTEN_SCOPE;
use carillon_store::{StoreError, Transaction, now};
use carillon_token::{CarillonClaims, Kind, SigningError, SigningKey};
use sqlx::{AnyPool, Row, any::AnyRow};

use crate::{random::random_id, revocations::SECOND};

/// What a service token can be allowed to do.
pub const SCOPES: [&str; 7] = [
    "notifications:send",
    "events:publish",
    "memberships:write",
    "chat:send",
    "counter:update",
    "groups:send",
    LISTEN_SCOPE,
];

/// What is known of a service token: all but its text.
#[derive(Debug)]
pub(crate) struct ServiceToken {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) created_by: String,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) revoked_at: Option<i64>,
}

impl ServiceToken {
    /// A new one. Its times are whole seconds, as in its text.
    pub(crate) fn new(name: String, scopes: Vec<String>, created_by: String, lifetime: i64) -> Self {
        let created_at = now() / SECOND * SECOND;
        let expires_at = created_at.saturating_add(lifetime);
        Self { id: random_id(), name, scopes, created_by, created_at, expires_at, revoked_at: None }
    }

    /// Its text: always the same for the same key.
    pub(crate) fn text(&self, key: &SigningKey) -> Result<String, SigningError> {
        let (issued_at, expires_at) = (self.created_at / SECOND, self.expires_at / SECOND);
        key.issue(&CarillonClaims {
            scope: self.scopes.join(" "),
            ..CarillonClaims::new(Kind::Service, &self.name, &self.id, issued_at, expires_at)
        })
    }
}

/// Notes a token that is about to be given out, signed with this key.
pub(crate) async fn create(tx: &mut Transaction, token: &ServiceToken, kid: &str) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO service_token (id, name, scopes, kid, created_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&token.id)
    .bind(&token.name)
    .bind(token.scopes.join(" "))
    .bind(kid)
    .bind(&token.created_by)
    .bind(token.created_at)
    .bind(token.expires_at)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The token of that id, if this key signed it and it has not been revoked.
pub(crate) async fn find(
    tx: &mut Transaction,
    id: &str,
    kid: &str,
) -> Result<Option<ServiceToken>, StoreError> {
    let row = sqlx::query("SELECT * FROM service_token WHERE id = $1 AND kid = $2 AND revoked_at IS NULL")
        .bind(id)
        .bind(kid)
        .fetch_optional(tx.connection())
        .await?;
    Ok(row.map(|row| service_token(&row)).transpose()?)
}

/// Marks a token as revoked, and returns when it would have expired. `None` if there is none, or
/// it was revoked before.
pub(crate) async fn revoke(tx: &mut Transaction, id: &str) -> Result<Option<i64>, StoreError> {
    let row = sqlx::query(
        "UPDATE service_token SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING expires_at",
    )
    .bind(id)
    .bind(now())
    .fetch_optional(tx.connection())
    .await?;
    Ok(row.map(|row| row.try_get("expires_at")).transpose()?)
}

/// Tokens in the order of their ids, from the one after `after`.
pub(crate) async fn page(reader: &AnyPool, after: &str, limit: i64) -> Result<Vec<ServiceToken>, StoreError> {
    let rows = sqlx::query("SELECT * FROM service_token WHERE id > $1 ORDER BY id LIMIT $2")
        .bind(after)
        .bind(limit)
        .fetch_all(reader)
        .await?;
    Ok(rows.iter().map(service_token).collect::<sqlx::Result<_>>()?)
}

/// Removes tokens that have expired.
pub(crate) async fn prune(tx: &mut Transaction) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM service_token WHERE expires_at < $1")
        .bind(now())
        .execute(tx.connection())
        .await?;
    Ok(())
}

fn service_token(row: &AnyRow) -> sqlx::Result<ServiceToken> {
    let scopes: String = row.try_get("scopes")?;
    Ok(ServiceToken {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        scopes: scopes.split_whitespace().map(str::to_owned).collect(),
        created_by: row.try_get("created_by")?,
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
        revoked_at: row.try_get("revoked_at")?,
    })
}
