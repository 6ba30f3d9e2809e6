//! Reading messages, a page at a time.

use carillon_store::StoreError;
use sqlx::{AnyConnection, AssertSqlSafe};

use super::{Message, message::COLUMNS, quote};

/// The most bytes of the texts of one page, so that it fits a message of the bus; a single message
/// may be larger.
const MAX_BYTES: usize = 400_000;

/// Which messages of a channel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    /// Only older ones than this id.
    pub(crate) before: Option<i64>,
    /// Only newer ones than this id; then the oldest of those come.
    pub(crate) after: Option<i64>,
    /// Only those told of up to this offset.
    pub(crate) up_to: Option<u64>,
    pub(crate) limit: i64,
}

/// A page of a channel's messages, oldest first, with what they answer; and whether there are more
/// in the direction that was asked for.
pub(crate) async fn page(
    connection: &mut AnyConnection,
    channel: &str,
    page: Page,
) -> Result<(Vec<Message>, bool), StoreError> {
    let order = if page.after.is_some() { "ASC" } else { "DESC" };
    let sql = format!(
        "SELECT {COLUMNS} FROM message WHERE channel = $1 AND id > $2 AND id < $3 AND position <= $4 \
         ORDER BY id {order} LIMIT $5"
    );
    let up_to = page.up_to.map_or(i64::MAX, |offset| i64::try_from(offset).unwrap_or(i64::MAX));
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(channel)
        .bind(page.after.unwrap_or(0))
        .bind(page.before.unwrap_or(i64::MAX))
        .bind(up_to)
        .bind(page.limit + 1)
        .fetch_all(&mut *connection)
        .await?;
    let limit = usize::try_from(page.limit).unwrap_or_default();
    let messages = rows.iter().take(limit).map(Message::read).collect::<Result<Vec<_>, _>>()?;
    let mut messages = fitting(messages);
    let more = rows.len() > messages.len();
    if page.after.is_none() {
        messages.reverse();
    }
    quote_all(connection, &mut messages).await?;
    Ok((messages, more))
}

/// The first messages, as many as fit a page.
pub(crate) fn fitting(messages: Vec<Message>) -> Vec<Message> {
    let mut bytes = 0;
    let mut is_first = true;
    let fits = |message: &Message| {
        bytes += message.body.len();
        std::mem::take(&mut is_first) || bytes <= MAX_BYTES
    };
    messages.into_iter().take_while(fits).collect()
}

/// Looks up what replies answer, as it is now.
pub(crate) async fn quote_all(
    connection: &mut AnyConnection,
    messages: &mut [Message],
) -> Result<(), StoreError> {
    let answered: Vec<i64> = messages.iter().map(|message| message.reply_to).filter(|id| *id > 0).collect();
    let quotes = quote::find(connection, &answered).await?;
    for message in messages {
        message.quote = quotes.get(&message.reply_to).cloned();
    }
    Ok(())
}
