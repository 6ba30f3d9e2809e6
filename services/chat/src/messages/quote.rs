//! What a reply answers: an excerpt of it.

use std::collections::HashMap;

use carillon_store::{StoreError, values};
use serde_json::{Value, json};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::Author;

/// The longest excerpt, in characters.
const MAX_EXCERPT: usize = 140;

/// A message as one that answers it shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Quote {
    pub(crate) id: i64,
    pub(crate) channel: String,
    author: Author,
    excerpt: String,
    pub(crate) is_deleted: bool,
}

impl Quote {
    /// As clients see it: of a deleted message nothing is left but that it was there.
    pub(crate) fn object(&self) -> Value {
        match self.is_deleted {
            true => json!({"id": self.id, "deleted": true}),
            false => json!({"id": self.id, "sender": self.author.sender(), "excerpt": self.excerpt}),
        }
    }
}

/// Those of these messages that exist, by id.
pub(crate) async fn find(
    connection: &mut AnyConnection,
    ids: &[i64],
) -> Result<HashMap<i64, Quote>, StoreError> {
    let mut quotes = HashMap::new();
    for ids in ids.chunks(values::MAX_ROWS) {
        let sql = format!(
            "SELECT id, channel, author, body, deleted_at FROM message WHERE id IN ({})",
            values::list(ids.len(), 1)
        );
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(ids.len()));
        let query = ids.iter().fold(query, |query, id| query.bind(*id));
        for row in query.fetch_all(&mut *connection).await? {
            let author = serde_json::from_str(&row.try_get::<String, _>(2)?).map_err(StoreError::other)?;
            let quote = Quote {
                id: row.try_get(0)?,
                channel: row.try_get(1)?,
                author,
                excerpt: excerpt(&row.try_get::<String, _>(3)?),
                is_deleted: row.try_get::<i64, _>(4)? > 0,
            };
            quotes.insert(quote.id, quote);
        }
    }
    Ok(quotes)
}

/// The beginning of a message, on one line.
pub(crate) fn excerpt(body: &str) -> String {
    let mut characters = body.chars().map(|character| if character.is_control() { ' ' } else { character });
    let mut excerpt: String = characters.by_ref().take(MAX_EXCERPT).collect();
    if characters.next().is_some() {
        excerpt.push('…');
    }
    excerpt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(excerpt("a\nb"), "a b");
        let long = excerpt(&"é".repeat(200));
        assert_eq!(long.chars().count(), MAX_EXCERPT + 1);
        assert!(long.ends_with('…'));
    }
}
