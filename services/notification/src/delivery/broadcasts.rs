//! Notifications to everyone: stored once, each with its number.

use std::collections::BTreeMap;

use carillon_contract::{Channel, Id};
use carillon_store::{StoreError, Transaction, now};
use sqlx::{AssertSqlSafe, Row};

use super::{Delivery, Stored, event, lost};
use crate::{
    inbox::everyone_id,
    values::{places, slices},
};

/// Stores the items of these indices that are not there yet.
pub(super) async fn store(
    tx: &mut Transaction,
    items: &[&Delivery],
    indices: &[usize],
    stored: &mut Stored,
) -> Result<(), StoreError> {
    if indices.is_empty() {
        return Ok(());
    }
    // With the head's row locked nobody else adds a cause meanwhile.
    let head = lock_head(tx).await?;
    let mut known = numbers(tx, items, indices).await?;
    let mut fresh: Vec<(i64, &Delivery)> = Vec::new();
    for index in indices {
        let item = items[*index];
        let next = head + 1 + i64::try_from(fresh.len()).map_err(StoreError::other)?;
        let number = *known.entry(item.cause.to_string()).or_insert(next);
        let id = Id::new(everyone_id(number)).map_err(StoreError::other)?;
        if number == next {
            fresh.push((number, item));
            stored.events.insert(*index, event(Channel::everyone(), everyone_id(number), &item.content, &id));
        }
        stored.ids.insert(*index, id);
    }
    for slice in slices(&fresh) {
        insert(tx, slice).await?;
    }
    match fresh.last() {
        Some((head, _)) => set_head(tx, *head).await,
        None => Ok(()),
    }
}

async fn lock_head(tx: &mut Transaction) -> Result<i64, StoreError> {
    let sql = "UPDATE broadcast_head SET number = number WHERE id = 1 RETURNING number";
    let row = sqlx::query(sql).fetch_optional(&mut **tx).await?.ok_or_else(lost)?;
    Ok(row.try_get("number")?)
}

async fn set_head(tx: &mut Transaction, number: i64) -> Result<(), StoreError> {
    let query = sqlx::query("UPDATE broadcast_head SET number = $1 WHERE id = 1").bind(number);
    query.execute(&mut **tx).await?;
    Ok(())
}

/// The numbers of causes that are stored already.
async fn numbers(
    tx: &mut Transaction,
    items: &[&Delivery],
    indices: &[usize],
) -> Result<BTreeMap<String, i64>, StoreError> {
    let mut known = BTreeMap::new();
    for slice in slices(indices) {
        let places = places(slice.len(), 1);
        let sql = format!("SELECT cause, number FROM broadcast WHERE cause IN (VALUES {places})");
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for index in slice {
            query = query.bind(items[*index].cause.to_string());
        }
        for row in query.fetch_all(&mut **tx).await? {
            known.insert(row.try_get("cause")?, row.try_get("number")?);
        }
    }
    Ok(known)
}

async fn insert(tx: &mut Transaction, rows: &[(i64, &Delivery)]) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO broadcast (number, cause, external_id, body, created_at) VALUES {}",
        places(rows.len(), 5)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for (number, item) in rows {
        query = query.bind(*number).bind(item.cause.to_string());
        query = query.bind(item.content.external_id().to_owned()).bind(item.content.body()).bind(now());
    }
    query.execute(&mut **tx).await?;
    Ok(())
}
