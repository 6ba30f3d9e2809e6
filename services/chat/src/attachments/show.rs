//! `GET /api/chat/attachments/{attachment_id}/`: where to get it from.

use std::time::Duration;

use carillon_blob::{DOWNLOAD, Grant, Operation};
use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::{
    http::{self, Problem},
    time,
};
use carillon_store::{Snapshot, StoreError, now};
use serde_json::json;

use super::{Attachment, Attachments, attachment::find};

/// Answers with a signed address, to its owner while no message carries it, and then to whoever is in the
/// conversation.
pub(super) async fn show(attachments: &Attachments, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let user = &http::user(request)?.user;
    let blobs = attachments.blobs()?;
    let id = http::parameter(request, "attachment_id");
    let mut snapshot = attachments.database.snapshot().await?;
    let found = find(&mut snapshot, &[id], "").await?.remove(id);
    let unknown = || Problem::not_found("there is no such attachment");
    let attachment = found.filter(|attachment| !attachment.is_gone(now())).ok_or_else(unknown)?;
    if !may_have(&mut snapshot, &attachment, user).await? {
        return Err(unknown());
    }
    let second = time::microseconds(Duration::from_secs(1));
    let expires_at = (now() + time::microseconds(DOWNLOAD)) / second;
    let mut body = attachment.object();
    body["url"] = blobs
        .signer
        .sign(&Grant {
            operation: Operation::Download,
            key: attachment.key,
            size: attachment.size,
            content_type: attachment.content_type,
            name: attachment.name,
            user: user.clone(),
            expires_at,
        })
        .into();
    body["expires_at"] = json!(time::timestamp(expires_at * second));
    Ok(http::json(200, &body))
}

async fn may_have(snapshot: &mut Snapshot, attachment: &Attachment, user: &str) -> Result<bool, StoreError> {
    if attachment.message == 0 {
        return Ok(attachment.user == user);
    }
    let sql = "SELECT COUNT(*) FROM participant WHERE conversation_id = $1 AND user_id = $2";
    let query = sqlx::query_scalar::<_, i64>(sql).bind(attachment.conversation).bind(user);
    Ok(query.fetch_one(&mut **snapshot).await? > 0)
}
