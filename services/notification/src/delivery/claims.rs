//! Idempotency keys: each stands for one request body.

use std::collections::{BTreeMap, BTreeSet};

use carillon_store::{StoreError, Transaction, now};
use sqlx::{AssertSqlSafe, Row};

use super::Delivery;
use crate::values::{places, slices};

/// A caller's idempotency key, and what it was used for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Claim {
    /// The key with the caller that it is scoped to.
    pub(crate) key: String,
    /// A digest of the request's body.
    pub(crate) fingerprint: String,
}

/// Enters the keys of a batch, and tells which items have one that stands for another body.
pub(super) async fn refused(
    tx: &mut Transaction,
    items: &[&Delivery],
) -> Result<BTreeSet<usize>, StoreError> {
    let claims: BTreeSet<&Claim> = items.iter().filter_map(|item| item.claim.as_deref()).collect();
    let claims: Vec<&Claim> = claims.into_iter().collect();
    let mut known = BTreeMap::new();
    for slice in slices(&claims) {
        enter(tx, slice).await?;
        known.extend(look_up(tx, slice).await?);
    }
    let is_refused = |item: &Delivery| {
        item.claim.as_ref().is_some_and(|claim| known.get(&claim.key) != Some(&claim.fingerprint))
    };
    Ok((0..items.len()).filter(|index| is_refused(items[*index])).collect())
}

async fn enter(tx: &mut Transaction, claims: &[&Claim]) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO idempotency (idempotency_key, fingerprint, reply, created_at) VALUES {}
         ON CONFLICT (idempotency_key) DO NOTHING",
        places(claims.len(), 4)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for claim in claims {
        query = query.bind(claim.key.clone()).bind(claim.fingerprint.clone());
        query = query.bind(String::new()).bind(now());
    }
    query.execute(&mut **tx).await?;
    Ok(())
}

async fn look_up(tx: &mut Transaction, claims: &[&Claim]) -> Result<BTreeMap<String, String>, StoreError> {
    let sql = format!(
        "SELECT idempotency_key, fingerprint FROM idempotency WHERE idempotency_key IN (VALUES {})",
        places(claims.len(), 1)
    );
    let query =
        claims.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, claim| query.bind(claim.key.clone()));
    let rows = query.fetch_all(&mut **tx).await?;
    rows.iter().map(|row| Ok((row.try_get("idempotency_key")?, row.try_get("fingerprint")?))).collect()
}
