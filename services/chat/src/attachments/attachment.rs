//! A row of the table, and how clients read it.

use std::collections::HashMap;

use carillon_blob::Key;
use carillon_store::{StoreError, values};
use serde_json::{Value, json};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _, any::AnyRow};

const COLUMNS: &str = "id, user_id, name, content_type, size, blob_key, verdict, message_id, conversation_id, remove_at, removing";

/// What is known about the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nobody has looked.
    Unknown,
    /// It is what it was said to be.
    Genuine,
    /// It is something else.
    Wrong,
}

/// A file that a message carries, or that waits for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attachment {
    pub(crate) id: String,
    /// Who uploads it.
    pub(super) user: String,
    pub(super) name: String,
    pub(super) content_type: String,
    /// In bytes.
    pub(super) size: u64,
    pub(super) key: Key,
    pub(super) verdict: Verdict,
    /// 0: none carries it.
    pub(super) message: i64,
    pub(super) conversation: i64,
    /// 0: never.
    pub(super) remove_at: i64,
    is_removing: bool,
}

impl Attachment {
    /// A row of [`COLUMNS`].
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        let verdict = match row.try_get::<i64, _>(6)? {
            0 => Verdict::Unknown,
            1 => Verdict::Genuine,
            _ => Verdict::Wrong,
        };
        Ok(Self {
            id: row.try_get(0)?,
            user: row.try_get(1)?,
            name: row.try_get(2)?,
            content_type: row.try_get(3)?,
            size: u64::try_from(row.try_get::<i64, _>(4)?).map_err(StoreError::other)?,
            key: row.try_get::<String, _>(5)?.parse().map_err(StoreError::other)?,
            verdict,
            message: row.try_get(7)?,
            conversation: row.try_get(8)?,
            remove_at: row.try_get(9)?,
            is_removing: row.try_get::<i64, _>(10)? != 0,
        })
    }

    /// Whether it is gone, or about to go, for whoever asks at this time.
    pub(super) fn is_gone(&self, now: i64) -> bool {
        self.is_removing || (self.remove_at > 0 && self.remove_at <= now)
    }

    /// As clients read it in a message.
    pub(crate) fn object(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "content_type": self.content_type,
            "size": self.size,
            "url": format!("/api/chat/attachments/{}/", self.id),
        })
    }
}

/// Those of these ids that there are. `suffix` follows the statement: what locks the rows, in the order of ids.
pub(super) async fn find(
    connection: &mut AnyConnection,
    ids: &[&str],
    suffix: &str,
) -> Result<HashMap<String, Attachment>, StoreError> {
    let mut found = HashMap::new();
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    for ids in ids.chunks(values::MAX_ROWS) {
        let wanted = values::list(ids.len(), 1);
        let sql = format!("SELECT {COLUMNS} FROM attachment WHERE id IN ({wanted}) ORDER BY id{suffix}");
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(ids.len()));
        let query = ids.iter().fold(query, |query, id| query.bind(*id));
        for row in query.fetch_all(&mut *connection).await? {
            let attachment = Attachment::read(&row)?;
            found.insert(attachment.id.clone(), attachment);
        }
    }
    Ok(found)
}
