//! Reading an inbox, newest first.

use std::str::FromStr;

use carillon_contract::Id;
use carillon_store::{StoreError, Transaction};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use sqlx::{Row, any::AnyRow};

use super::{BroadcastRow, Counts, Inboxes, State, catch_up, reference::everyone_id};
use crate::content::id_json;

/// Which notifications are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Status {
    #[default]
    All,
    Unread,
    Read,
}

impl FromStr for Status {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "all" => Ok(Self::All),
            "unread" => Ok(Self::Unread),
            "read" => Ok(Self::Read),
            _ => Err(()),
        }
    }
}

/// Some of an inbox, and how much it holds: one consistent moment.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Page {
    items: Vec<Item>,
    /// The `before` of the next page.
    next: Option<i64>,
    counts: Counts,
    version: i64,
}

impl Inboxes {
    /// The newest `limit` notifications of a user with a sequence below `before`.
    pub(crate) async fn page(
        &self,
        user: &str,
        status: Status,
        before: i64,
        limit: i64,
    ) -> Result<Page, StoreError> {
        if self.is_behind(user).await? {
            let mut tx = self.database.begin().await?;
            self.lock(&mut tx, user).await?;
            tx.commit().await?;
        }
        // One statement sees one moment, on both engines.
        let condition = match status {
            Status::All => "",
            Status::Unread => "AND n.read_at = 0",
            Status::Read => "AND n.read_at <> 0",
        };
        let sql = format!(
            "SELECT i.version, i.unread, i.total, n.sequence, n.broadcast, n.body, n.read_at FROM inbox i
             LEFT JOIN notification n
             ON n.user_id = i.user_id AND n.removed_by = '' AND n.sequence < $2 {condition}
             WHERE i.user_id = $1 ORDER BY n.sequence DESC LIMIT $3"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(user).bind(before).bind(limit + 1);
        Page::read(&query.fetch_all(self.database.reader()).await?, limit)
    }

    /// Locks an inbox, with all that was sent to everyone in it and saved.
    pub(crate) async fn lock(&self, tx: &mut Transaction, user: &str) -> Result<State, StoreError> {
        let mut state = State::lock(tx, user).await?;
        let head = BroadcastRow::head(tx).await?;
        if state.everyone_through < head {
            catch_up(tx, [&mut state], head, self.keep).await?;
            State::save(tx, [&state]).await?;
        }
        Ok(state)
    }

    async fn is_behind(&self, user: &str) -> Result<bool, StoreError> {
        let sql = "SELECT h.number, COALESCE(i.everyone_through, -1) AS through FROM broadcast_head h
                   LEFT JOIN inbox i ON i.user_id = $1 WHERE h.id = 1";
        let row = sqlx::query(sql).bind(user).fetch_one(self.database.reader()).await?;
        Ok(row.try_get::<i64, _>("through")? < row.try_get::<i64, _>("number")?)
    }
}

impl Page {
    fn read(rows: &[AnyRow], limit: i64) -> Result<Self, StoreError> {
        let Some(first) = rows.first() else { return Ok(Self::default()) };
        let counts = Counts { total: first.try_get("total")?, unread: first.try_get("unread")? };
        let mut items: Vec<Item> =
            rows.iter().map(Item::read).filter_map(Result::transpose).collect::<Result<_, _>>()?;
        let limit = usize::try_from(limit).unwrap_or_default();
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|item| item.sequence);
        Ok(Self { items, next, counts, version: first.try_get("version")? })
    }
}

/// A notification as it stands in the list.
#[derive(Debug)]
struct Item {
    sequence: i64,
    json: Box<RawValue>,
}

impl Item {
    /// `None` for the row of an inbox without any.
    fn read(row: &AnyRow) -> Result<Option<Self>, StoreError> {
        let Some(sequence) = row.try_get::<Option<i64>, _>("sequence")? else { return Ok(None) };
        let broadcast: i64 = row.try_get("broadcast")?;
        let id = if broadcast > 0 { everyone_id(broadcast) } else { sequence.to_string() };
        let id = Id::new(id).map_or_else(|_| sequence.to_string(), |id| id_json(&id));
        let is_read = row.try_get::<i64, _>("read_at")? != 0;
        let body: String = row.try_get("body")?;
        let members = body.strip_prefix('{').unwrap_or("}");
        let json = RawValue::from_string(format!("{{\"id\":{id},\"is_read\":{is_read},{members}"))
            .map_err(StoreError::other)?;
        Ok(Some(Self { sequence, json }))
    }
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}
