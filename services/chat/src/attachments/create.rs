//! `POST /api/chat/attachments/`: what is to come, and where to put it.

use std::time::Duration;

use carillon_blob::{Grant, Key, Operation, UPLOAD};
use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::{
    http::{self, Problem},
    time,
};
use carillon_store::{StoreError, now};
use serde::Deserialize;
use serde_json::json;

use super::{Attachments, content};

/// The longest name of a file, in characters of any script.
const MAX_NAME: usize = 255;

/// Seconds after which somebody with too many attachments may have fewer.
const RETRY_AFTER: u32 = 60;

/// Nothing is inserted if the user has as many as may wait for a message.
const INSERT: &str = "INSERT INTO attachment (id, user_id, name, content_type, size, blob_key, verdict, message_id, \
     conversation_id, created_at, remove_at, removing) \
     SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT), \
     CAST($6 AS TEXT), 0, 0, 0, CAST($7 AS BIGINT), CAST($8 AS BIGINT), 0 \
     WHERE (SELECT COUNT(*) FROM attachment WHERE user_id = $9 AND message_id = 0) < $10";

#[derive(Deserialize)]
struct Announced {
    name: String,
    content_type: String,
    size: i64,
}

/// Answers with a signed address that takes exactly what was announced.
pub(super) async fn create(attachments: &Attachments, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let user = &http::user(request)?.user;
    let blobs = attachments.blobs()?;
    let announced = checked(attachments, http::body(request)?)?;
    let created_at = now();
    let remove_at = created_at + time::microseconds(attachments.settings.attachment_unclaimed_age);
    // What comes after the row is gone would stay for ever.
    let expires_at = remove_at.min(created_at + time::microseconds(UPLOAD));
    let (id, key) = (format!("{:032x}", rand::random::<u128>()), Key::random());
    insert(attachments, user, &announced, (&id, &key), (created_at, remove_at)).await?;
    let expires_at = expires_at / time::microseconds(Duration::from_secs(1));
    let url = blobs.signer.sign(&Grant {
        operation: Operation::Upload,
        key,
        size: announced.size.unsigned_abs(),
        content_type: announced.content_type.clone(),
        name: announced.name,
        user: user.clone(),
        expires_at,
    });
    let upload = json!({
        "method": "PUT",
        "url": url,
        "headers": {"content-type": announced.content_type},
        "expires_at": time::timestamp(expires_at * time::microseconds(Duration::from_secs(1))),
    });
    Ok(http::json(201, &json!({"id": id, "upload": upload})))
}

async fn insert(
    attachments: &Attachments,
    user: &str,
    announced: &Announced,
    (id, key): (&str, &Key),
    (created_at, remove_at): (i64, i64),
) -> Result<(), Problem> {
    let bound = attachments.settings.attachments_unclaimed;
    let mut tx = attachments.database.begin().await?;
    let inserted = sqlx::query(INSERT)
        .bind(id)
        .bind(user)
        .bind(announced.name.as_str())
        .bind(announced.content_type.as_str())
        .bind(announced.size)
        .bind(key.as_str())
        .bind(created_at)
        .bind(remove_at)
        .bind(user)
        .bind(i64::from(bound))
        .execute(&mut *tx)
        .await
        .map_err(StoreError::from)?;
    tx.commit().await?;
    if inserted.rows_affected() == 0 {
        let detail = format!("you have {bound} attachments that no message carries yet: send those first");
        return Err(Problem::too_many_requests(RETRY_AFTER, &detail));
    }
    Ok(())
}

fn checked(attachments: &Attachments, announced: Announced) -> Result<Announced, Problem> {
    let settings = &attachments.settings;
    let name = announced.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return Err(Problem::unprocessable("name", &format!("must have 1 to {MAX_NAME} characters")));
    }
    if name.chars().any(is_misleading) {
        return Err(Problem::unprocessable("name", "must be the name of a file, without a path"));
    }
    let content_type = content::essence(&announced.content_type);
    if !settings.attachment_types.contains(&content_type) {
        let allowed = settings.attachment_types.join(", ");
        return Err(Problem::unprocessable("content_type", &format!("must be one of {allowed}")));
    }
    if !(1..=settings.attachment_bytes).contains(&announced.size) {
        let detail = format!("must be 1 to {} bytes", settings.attachment_bytes);
        return Err(Problem::unprocessable("size", &detail));
    }
    Ok(Announced { name, content_type, size: announced.size })
}

/// Characters that no file's name has, or that make a name read as another one: control characters,
/// separators, and what turns the direction of writing around.
fn is_misleading(character: char) -> bool {
    character.is_control()
        || matches!(character, '/' | '\\' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}
