//! Which causes the log has seen, and what they caused.

use std::collections::{HashMap, HashSet};

use carillon_contract::messages;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::{Log, decode_content, offset};
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

    /// [`known`](Self::known), with the events themselves, each by its channel and cause.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn caused(
        &self,
        connection: &mut AnyConnection,
        causes: &[(&str, &str)],
    ) -> Result<HashMap<(String, String), messages::Event>, StoreError> {
        let mut caused = HashMap::new();
        for causes in causes.chunks(MAX_ROWS) {
            let statement = format!(
                "SELECT event.channel, event.cause, event.position, event.at, event.except_connection, \
                 event.variants FROM (VALUES {}) AS wanted \
                 JOIN event ON event.channel = wanted.column1 AND event.cause = wanted.column2",
                values::rows(causes.len(), 2)
            );
            let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(causes.len()));
            let query =
                causes.iter().fold(query, |query, (channel, cause)| query.bind(*channel).bind(*cause));
            for row in query.fetch_all(&mut *connection).await? {
                let channel: String = row.try_get(0)?;
                let event = messages::Event {
                    channel: channel.clone(),
                    epoch: self.epoch().to_owned(),
                    offset: offset(row.try_get(2)?),
                    at: row.try_get(3)?,
                    except_connection: row.try_get(4)?,
                    ..decode_content(row.try_get(5)?)?
                };
                caused.insert((channel, row.try_get(1)?), event);
            }
        }
        Ok(caused)
    }
}
