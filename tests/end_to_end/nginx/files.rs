//! Files that pass nginx, larger than it lets requests be.

use anyhow::{Context, ensure};
use carillon_testkit::{Gateway, Reply, User, send};
use reqwest::Method;
use serde_json::{Value, json};

/// How large one is, in bytes: more than requests may have, more than nginx's buffers.
const SIZE: usize = 6_000_000;

/// A text goes up, and comes down as it was.
pub(super) async fn pass(way: &Gateway, user: &User) -> anyhow::Result<()> {
    let text: String =
        (0..SIZE).map(|place| char::from(b'a' + u8::try_from(place % 23).unwrap_or(0))).collect();
    let (id, upload) = announce(way, user).await?;
    put(way, &upload, text.clone()).await?.expect(201)?;
    let shown = way.api().with_token(&user.token).get(&format!("/api/chat/attachments/{id}/")).await?;
    let shown = shown.expect(200)?;
    let file = way.api().get(shown["url"].as_str().context("no URL")?).await?;
    ensure!(file.status == 200 && file.body == text, "{} with {} bytes", file.status, file.body.len());
    Ok(())
}

async fn announce(way: &Gateway, user: &User) -> anyhow::Result<(String, Value)> {
    let body = json!({"name": "long.txt", "content_type": "text/plain", "size": SIZE});
    let created = way.api().with_token(&user.token).post("/api/chat/attachments/", &body).await?;
    let created = created.expect(201)?;
    Ok((created["id"].as_str().context("no id")?.to_owned(), created["upload"].clone()))
}

async fn put(way: &Gateway, upload: &Value, body: String) -> anyhow::Result<Reply> {
    let request = way.api().request(Method::PUT, upload["url"].as_str().context("no URL")?);
    send(request.header("content-type", "text/plain").body(body)).await
}
