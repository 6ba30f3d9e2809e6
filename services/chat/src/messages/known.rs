//! Messages that had been sent before: a client that got no answer sends again, under its own id.

use std::collections::HashMap;

use carillon_store::{StoreError, Transaction, values};
use sqlx::{AssertSqlSafe, Row as _};

use super::{Draft, Sent};

/// Drafts, by their index, that are messages already.
pub(crate) type Known = HashMap<usize, Sent>;

/// Looks for drafts that may be repeated late, or go to conversations. The log still knows the causes of others.
pub(crate) async fn find(tx: &mut Transaction, drafts: &[&Draft]) -> Result<Known, StoreError> {
    let named: Vec<_> = drafts.iter().enumerate().filter(|(_, draft)| draft.may_be_known()).collect();
    let mut known = Known::new();
    for named in named.chunks(values::MAX_ROWS) {
        let sql = format!(
            "SELECT message.channel, message.cause, message.id, message.position \
             FROM (VALUES {}) AS wanted \
             JOIN message ON message.channel = wanted.column1 AND message.cause = wanted.column2",
            values::rows(named.len(), 2)
        );
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(named.len()));
        let query = named
            .iter()
            .fold(query, |query, (_, draft)| query.bind(draft.channel.as_str()).bind(draft.cause.as_str()));
        let mut found = HashMap::new();
        for row in query.fetch_all(&mut **tx).await? {
            found.insert((row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?), sent(&row, 2)?);
        }
        for (index, draft) in named {
            if let Some(sent) = found.get(&(draft.channel.to_string(), draft.cause.clone())) {
                known.insert(*index, *sent);
            }
        }
    }
    Ok(known)
}

/// A draft that another replica has stored meanwhile.
pub(crate) async fn one(tx: &mut Transaction, draft: &Draft) -> Result<Sent, StoreError> {
    let query = sqlx::query("SELECT id, position FROM message WHERE channel = $1 AND cause = $2");
    let query = query.bind(draft.channel.as_str()).bind(draft.cause.as_str());
    sent(&query.fetch_one(&mut **tx).await?, 0)
}

fn sent(row: &sqlx::any::AnyRow, first: usize) -> Result<Sent, StoreError> {
    let offset = u64::try_from(row.try_get::<i64, _>(first + 1)?).map_err(StoreError::other)?;
    Ok(Sent { id: row.try_get(first)?, offset })
}
