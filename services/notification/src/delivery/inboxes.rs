//! The inboxes of a batch: locked, in order, with room for what comes.

use std::collections::BTreeMap;

use carillon_store::{StoreError, Transaction};
use sqlx::AssertSqlSafe;

use super::Keep;
use crate::{
    inbox::{BroadcastRow, State, UNUSED, catch_up},
    values::{places, slices},
};

/// An inbox that so many notifications of the batch go to: they are in its counts already.
pub(super) struct Reserved {
    pub(super) state: State,
    /// The sequence of the first of them.
    pub(super) first: i64,
    /// The row in the table is not what `state` says.
    pub(super) changed: bool,
}

/// Locks the inbox of each user and makes room for so many notifications, after what was sent to
/// everyone before.
pub(super) async fn reserve(
    tx: &mut Transaction,
    arriving: &BTreeMap<&str, i64>,
    keep: Keep,
) -> Result<BTreeMap<String, Reserved>, StoreError> {
    let rows: Vec<(&str, i64)> = arriving.iter().map(|(user, count)| (*user, *count)).collect();
    let mut inboxes = BTreeMap::new();
    for slice in slices(&rows) {
        for state in add(tx, slice).await? {
            inboxes.insert(state.user.clone(), Reserved { state, first: 0, changed: false });
        }
    }
    let head = BroadcastRow::head(tx).await?;
    for (user, inbox) in &mut inboxes {
        inbox.state.version -= arriving.get(user.as_str()).copied().unwrap_or_default();
        inbox.changed = (UNUSED + 1..head).contains(&inbox.state.everyone_through);
    }
    let behind = inboxes.values_mut().filter(|inbox| inbox.changed).map(|inbox| &mut inbox.state);
    catch_up(tx, behind, head, keep.age).await?;
    for (user, inbox) in &mut inboxes {
        inbox.first = inbox.state.version + 1;
        inbox.state.version += arriving.get(user.as_str()).copied().unwrap_or_default();
    }
    Ok(inboxes)
}

async fn add(tx: &mut Transaction, arriving: &[(&str, i64)]) -> Result<Vec<State>, StoreError> {
    let sql = format!(
        "INSERT INTO inbox (user_id, version, unread, total, everyone_through) VALUES {}
         ON CONFLICT (user_id) DO UPDATE SET version = inbox.version + excluded.version,
             unread = inbox.unread + excluded.unread, total = inbox.total + excluded.total
         RETURNING user_id, version, unread, total, everyone_through",
        places(arriving.len(), 5)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for (user, count) in arriving {
        query = query.bind((*user).to_owned()).bind(*count).bind(*count).bind(*count).bind(UNUSED);
    }
    query.fetch_all(&mut **tx).await?.iter().map(State::read).collect()
}
