//! Which causes the log has seen.

use std::collections::HashSet;

use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::Log;
use crate::{
    StoreError,
    values::{self, MAX_ROWS},
};

impl Log {
    /// Those of these causes, each with its channel, whose events the log has: what they cause has
    /// been done. [`append`](Self::append) finds out by itself; this is for whoever has to know
    /// before it changes rows of its own, and has locked what keeps others from doing the same.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn known(
        &self,
        connection: &mut AnyConnection,
        causes: &[(&str, &str)],
    ) -> Result<HashSet<(String, String)>, StoreError> {
        let mut known = HashSet::new();
        for causes in causes.chunks(MAX_ROWS) {
            let statement = format!(
                "SELECT event.channel, event.cause FROM (VALUES {}) AS wanted \
                 JOIN event ON event.channel = wanted.column1 AND event.cause = wanted.column2",
                values::rows(causes.len(), 2)
            );
            let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(causes.len()));
            let query =
                causes.iter().fold(query, |query, (channel, cause)| query.bind(*channel).bind(*cause));
            for row in query.fetch_all(&mut *connection).await? {
                known.insert((row.try_get(0)?, row.try_get(1)?));
            }
        }
        Ok(known)
    }
}
