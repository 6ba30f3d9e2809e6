//! Notifications to single users.

use std::collections::{BTreeMap, BTreeSet};

use carillon_contract::Id;
use carillon_store::{StoreError, Transaction, now};
use sqlx::{AssertSqlSafe, Row};

use super::{
    Deliveries, Delivery, Recipient, Stored, event,
    inboxes::{Reserved, reserve},
    lost, trim,
};
use crate::{
    inbox::{State, user_channel},
    values::{places, slices},
};

/// An item with its place in its user's inbox.
struct Arrival<'a> {
    index: usize,
    user: &'a str,
    sequence: i64,
    item: &'a Delivery,
}

impl Deliveries {
    /// Stores the items of these indices that are not there yet.
    pub(super) async fn store_for_users(
        &self,
        tx: &mut Transaction,
        items: &[&Delivery],
        indices: &[usize],
        stored: &mut Stored,
    ) -> Result<(), StoreError> {
        let mut arriving = BTreeMap::new();
        for index in indices {
            *arriving.entry(user(items[*index])).or_insert(0) += 1;
        }
        if arriving.is_empty() {
            return Ok(());
        }
        let mut inboxes = reserve(tx, &arriving, self.keep).await?;
        let arrivals = arrivals(items, indices, &inboxes)?;
        let mut new = BTreeSet::new();
        for slice in slices(&arrivals) {
            new.extend(insert(tx, slice).await?);
        }
        for arrival in &arrivals {
            if new.contains(&(arrival.user.to_owned(), arrival.sequence)) {
                arrived(arrival, stored)?;
            } else {
                repeated(tx, arrival, &mut inboxes, stored).await?;
            }
        }
        self.finish(tx, inboxes).await
    }

    /// Trims what has grown too long, and writes what the reservation didn't.
    async fn finish(
        &self,
        tx: &mut Transaction,
        mut inboxes: BTreeMap<String, Reserved>,
    ) -> Result<(), StoreError> {
        for inbox in inboxes.values_mut() {
            inbox.changed |= trim::to_count(tx, &mut inbox.state, self.keep.count).await?;
        }
        let changed = inboxes.values().filter(|inbox| inbox.changed);
        State::save(tx, changed.map(|inbox| &inbox.state)).await
    }
}

fn user(item: &Delivery) -> &str {
    match &item.recipient {
        Recipient::User(user) => user,
        Recipient::Everyone => "",
    }
}

fn arrivals<'a>(
    items: &[&'a Delivery],
    indices: &[usize],
    inboxes: &BTreeMap<String, Reserved>,
) -> Result<Vec<Arrival<'a>>, StoreError> {
    let mut next: BTreeMap<&str, i64> =
        inboxes.iter().map(|(user, inbox)| (user.as_str(), inbox.first)).collect();
    indices
        .iter()
        .map(|index| {
            let user = user(items[*index]);
            let next = next.get_mut(user).ok_or_else(lost)?;
            let sequence = *next;
            *next += 1;
            Ok(Arrival { index: *index, user, sequence, item: items[*index] })
        })
        .collect()
}

/// Inserts those whose cause is new for their user, and tells which.
async fn insert(tx: &mut Transaction, arrivals: &[Arrival<'_>]) -> Result<Vec<(String, i64)>, StoreError> {
    let sql = format!(
        "INSERT INTO notification
         (user_id, sequence, cause, broadcast, external_id, body, read_at, removed_by, created_at)
         VALUES {} ON CONFLICT (user_id, cause) DO NOTHING RETURNING user_id, sequence",
        places(arrivals.len(), 9)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for Arrival { user, sequence, item, .. } in arrivals {
        query = query.bind((*user).to_owned()).bind(*sequence).bind(item.cause.to_string()).bind(0_i64);
        query = query.bind(item.content.external_id().to_owned()).bind(item.content.body());
        query = query.bind(0_i64).bind(String::new()).bind(now());
    }
    let rows = query.fetch_all(&mut **tx).await?;
    rows.iter().map(|row| Ok((row.try_get("user_id")?, row.try_get("sequence")?))).collect()
}

fn arrived(arrival: &Arrival<'_>, stored: &mut Stored) -> Result<(), StoreError> {
    let id = id(arrival.sequence)?;
    let cause = format!("sent:{id}");
    let event = event(user_channel(arrival.user)?, cause, &arrival.item.content, &id);
    stored.events.insert(arrival.index, event);
    stored.ids.insert(arrival.index, id);
    Ok(())
}

/// Answers with the id of the first time, and takes the item out of the counts. The sequence that
/// was kept for it stays unused.
async fn repeated(
    tx: &mut Transaction,
    arrival: &Arrival<'_>,
    inboxes: &mut BTreeMap<String, Reserved>,
    stored: &mut Stored,
) -> Result<(), StoreError> {
    let sql = "SELECT sequence FROM notification WHERE user_id = $1 AND cause = $2";
    let query = sqlx::query(sql).bind(arrival.user.to_owned()).bind(arrival.item.cause.to_string());
    let row = query.fetch_optional(&mut **tx).await?.ok_or_else(lost)?;
    stored.ids.insert(arrival.index, id(row.try_get("sequence")?)?);
    let inbox = inboxes.get_mut(arrival.user).ok_or_else(lost)?;
    inbox.state.counts.total -= 1;
    inbox.state.counts.unread -= 1;
    inbox.changed = true;
    Ok(())
}

fn id(sequence: i64) -> Result<Id, StoreError> {
    u64::try_from(sequence).map(Id::from).map_err(StoreError::other)
}
