//! `GET /api/chat/search/`: in all conversations of the caller.

use std::ops::DerefMut as _;

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::http::{self, Problem};
use carillon_store::{Database, StoreError};
use serde_json::{Value, json};
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::{
    conversations::caller::Caller,
    messages::{COLUMNS, Message, Page, fitting, fold, quote_all, react_all},
    rooms::wanted,
};

/// The longest text to look for, in characters.
const MAX_TEXT: usize = 200;

/// `GET …?q=&before=&limit=`: messages that contain a text, however it is capitalised, newest first.
pub(super) async fn search(database: &Database, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let (caller, text, page) = (Caller::of(request)?, text(request)?, wanted(request)?);
    if page.after.is_some() {
        return Err(Problem::unprocessable("after", "a search goes on before an id"));
    }
    let mut snapshot = database.snapshot().await?;
    let (messages, more) = find(snapshot.deref_mut(), caller.user(), &text, page).await?;
    let messages: Vec<Value> = messages.iter().map(object).collect();
    Ok(http::json(200, &json!({"messages": messages, "has_more": more})))
}

fn text(request: &HttpRequest) -> Result<String, Problem> {
    let text = request.query.get("q").map(|text| text.trim()).unwrap_or_default();
    if !(1..=MAX_TEXT).contains(&text.chars().count()) || text.contains('\0') {
        return Err(Problem::unprocessable("q", "must be the text to look for, of 1 to 200 characters"));
    }
    Ok(fold(text))
}

async fn find(
    connection: &mut AnyConnection,
    user: &str,
    text: &str,
    page: Page,
) -> Result<(Vec<Message>, bool), StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM message JOIN participant \
             ON message.channel = 'conversation.' || CAST(participant.conversation_id AS TEXT) \
         WHERE participant.user_id = $1 AND message.folded LIKE $2 ESCAPE '\\' \
             AND message.deleted_at = 0 AND message.id < $3 \
         ORDER BY message.id DESC LIMIT $4"
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(user).bind(format!("%{}%", escaped(text)));
    let query = query.bind(page.before.unwrap_or(i64::MAX)).bind(page.limit + 1);
    let rows = query.fetch_all(&mut *connection).await?;
    let limit = usize::try_from(page.limit).unwrap_or_default();
    let messages = rows.iter().take(limit).map(Message::read).collect::<Result<Vec<_>, _>>()?;
    let mut messages = fitting(messages);
    quote_all(connection, &mut messages).await?;
    react_all(connection, &mut messages, user).await?;
    let more = rows.len() > messages.len();
    Ok((messages, more))
}

/// What stands for other text in a pattern stands for itself.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

fn object(message: &Message) -> Value {
    let mut object = message.object();
    let conversation = message.channel.rsplit('.').next().and_then(|id| id.parse::<i64>().ok());
    object["conversation_id"] = json!(conversation);
    object
}
