//! How clients name one of their notifications.

use carillon_store::{StoreError, Transaction};
use sqlx::Row;

/// More notifications than one name ever means.
const MOST: i64 = 100;

const EVERYONE: &str = "everyone-";

/// The id of the notification to everyone of that number.
pub(crate) fn everyone_id(number: i64) -> String {
    format!("{EVERYONE}{number}")
}

/// A notification's name: our id, or the caller's own, which a client of document 3 knows best.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    text: String,
    external_first: bool,
}

impl Reference {
    /// A name that means our id if there is one like it, and else a caller's own.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), external_first: false }
    }

    /// The other way round.
    pub(crate) fn external(text: impl Into<String>) -> Self {
        Self { text: text.into(), external_first: true }
    }

    /// The sequence that `up_to` stands for if it is a plain number: that need not be there (any more).
    pub(crate) fn as_sequence(&self) -> Option<i64> {
        self.text.parse().ok().filter(|sequence: &i64| *sequence >= 0)
    }

    /// The sequences of the notifications that it means: several only if a caller has used an own
    /// id repeatedly.
    pub(crate) async fn resolve(&self, tx: &mut Transaction, user: &str) -> Result<Vec<i64>, StoreError> {
        let (first, second) = if self.external_first {
            (self.by_external_id(tx, user).await?, self.by_id(tx, user).await?)
        } else {
            (self.by_id(tx, user).await?, self.by_external_id(tx, user).await?)
        };
        Ok(if first.is_empty() { second } else { first })
    }

    async fn by_id(&self, tx: &mut Transaction, user: &str) -> Result<Vec<i64>, StoreError> {
        let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number > 0);
        if let Some(number) = self.text.strip_prefix(EVERYONE).and_then(number) {
            let sql = "SELECT sequence FROM notification
                       WHERE user_id = $1 AND cause = $2 AND broadcast = $3 AND removed_by = ''";
            let query = sqlx::query(sql).bind(user).bind(everyone_id(number)).bind(number);
            sequences(query.fetch_all(&mut **tx).await?)
        } else if let Some(sequence) = number(&self.text) {
            let sql = "SELECT sequence FROM notification
                       WHERE user_id = $1 AND sequence = $2 AND broadcast = 0 AND removed_by = ''";
            sequences(sqlx::query(sql).bind(user).bind(sequence).fetch_all(&mut **tx).await?)
        } else {
            Ok(Vec::new())
        }
    }

    async fn by_external_id(&self, tx: &mut Transaction, user: &str) -> Result<Vec<i64>, StoreError> {
        let sql = "SELECT sequence FROM notification
                   WHERE user_id = $1 AND external_id = $2 AND removed_by = '' ORDER BY sequence DESC LIMIT $3";
        let query = sqlx::query(sql).bind(user).bind(self.text.as_str()).bind(MOST);
        sequences(query.fetch_all(&mut **tx).await?)
    }
}

fn sequences(rows: Vec<sqlx::any::AnyRow>) -> Result<Vec<i64>, StoreError> {
    rows.iter().map(|row| Ok(row.try_get("sequence")?)).collect()
}
