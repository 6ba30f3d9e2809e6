//! Who takes part in conversations, and the lock under which that and all that is in them changes.

use std::collections::{BTreeSet, HashSet};

use carillon_store::{StoreError, Transaction, values};
use sqlx::{AssertSqlSafe, Row as _};

/// Locks conversations until the transaction ends, in the order of their ids: whoever changes one, or
/// what is in it, does this first. Returns those that exist.
pub(crate) async fn lock(
    tx: &mut Transaction,
    for_update: &'static str,
    conversations: &BTreeSet<i64>,
) -> Result<HashSet<i64>, StoreError> {
    let conversations: Vec<_> = conversations.iter().copied().collect();
    let mut found = HashSet::new();
    for conversations in conversations.chunks(values::MAX_ROWS) {
        let sql = format!(
            "SELECT id FROM conversation WHERE id IN ({}) ORDER BY id{for_update}",
            values::list(conversations.len(), 1)
        );
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(conversations.len()));
        let query = conversations.iter().fold(query, |query, id| query.bind(*id));
        for row in query.fetch_all(&mut **tx).await? {
            found.insert(row.try_get(0)?);
        }
    }
    Ok(found)
}

/// Those of these users who are participants of these conversations.
pub(crate) async fn find(
    tx: &mut Transaction,
    wanted: HashSet<(i64, &str)>,
) -> Result<HashSet<(i64, String)>, StoreError> {
    let wanted: Vec<_> = wanted.into_iter().collect();
    let mut found = HashSet::new();
    for wanted in wanted.chunks(values::MAX_ROWS) {
        let sql = format!(
            "SELECT participant.conversation_id, participant.user_id FROM (VALUES {}) AS wanted \
             JOIN participant ON participant.conversation_id = CAST(wanted.column1 AS BIGINT) \
             AND participant.user_id = wanted.column2",
            values::rows(wanted.len(), 2)
        );
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(wanted.len()));
        let query = wanted.iter().fold(query, |query, (id, user)| query.bind(*id).bind(*user));
        for row in query.fetch_all(&mut **tx).await? {
            found.insert((row.try_get(0)?, row.try_get(1)?));
        }
    }
    Ok(found)
}
