//! Document 4's file attachments (S4-04), up and down through different gateways.

use anyhow::{Context, ensure};
use carillon_testkit::{Deployment, Reply, User, send};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    checks::{has, lives},
    suite::{Suite, both},
};

/// A picture, as far as anyone can tell.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        s4_04_a_message_carries_a_file_that_participants_download,
        s4_04_a_deleted_message_takes_its_file_with_it,
    );
}

struct Scene {
    alice: User,
    bob: User,
    conversation: Value,
}

async fn scene(deployment: &Deployment) -> anyhow::Result<Scene> {
    let (alice, bob) = (deployment.user("alice").await?, deployment.user("bob").await?);
    let api = deployment.api().with_token(&alice.token);
    let created = api.post("/api/chat/conversations/", &json!({"participants": [bob.id]})).await?;
    let conversation = created.expect(201)?["id"].clone();
    Ok(Scene { alice, bob, conversation })
}

/// Announces a picture and uploads it to the first gateway; its id.
async fn upload(deployment: &Deployment, user: &User, content: &'static [u8]) -> anyhow::Result<String> {
    let announced = json!({"name": "chat für 世界.png", "content_type": "image/png", "size": content.len()});
    let created = deployment.api().with_token(&user.token).post("/api/chat/attachments/", &announced).await?;
    let created = created.expect(201)?;
    let upload = &created["upload"];
    let put = deployment.gateways()[0].api().request(Method::PUT, upload["url"].as_str().context("a URL")?);
    let put = put.header("content-type", upload["headers"]["content-type"].as_str().context("a type")?);
    send(put.body(content)).await?.expect(201)?;
    Ok(created["id"].as_str().context("an id")?.to_owned())
}

/// Where somebody downloads it from, if they may.
async fn show(deployment: &Deployment, user: &User, id: &str) -> anyhow::Result<Reply> {
    deployment.api().with_token(&user.token).get(&format!("/api/chat/attachments/{id}/")).await
}

/// S4-04: through the second gateway, by participants only.
pub(crate) async fn s4_04_a_message_carries_a_file_that_participants_download(
    deployment: &Deployment,
) -> anyhow::Result<()> {
    let Scene { alice, bob, conversation } = scene(deployment).await?;
    let [first, second] = deployment.gateways();
    let path = format!("/ws/chat/{conversation}/");
    let mut sender = first.socket(&path)?.token(&alice.token).open().await?;
    let mut listener = second.socket(&path)?.token(&bob.token).open().await?;
    let id = upload(deployment, &alice, PNG).await?;
    show(deployment, &bob, &id).await?.expect(404)?;
    let frame = json!({"type": "chat_message", "message": "look", "attachments": [id]});
    sender.send_json(&frame).await?;
    let heard = listener.next_of_type("chat_message").await?;
    let carried = &heard["message"]["attachments"][0];
    has(carried, &json!({"id": id, "name": "chat für 世界.png", "content_type": "image/png"}))?;
    let shown = show(deployment, &bob, &id).await?.expect(200)?;
    let file = second.api().get(shown["url"].as_str().context("a URL")?).await?;
    ensure!(file.status == 200 && file.headers["content-length"] == "16", "{file:?}");
    let disposition = file.headers["content-disposition"].to_str()?;
    ensure!(disposition.starts_with("attachment; ") && disposition.contains("f%C3%BCr"), "{disposition}");
    let stranger = deployment.user("carol").await?;
    show(deployment, &stranger, &id).await?.expect(404)?;
    // A file that is something else, and one that a message has already.
    let wrong = upload(deployment, &alice, b"<html></html>").await?;
    for (id, code) in [(wrong, "attachment_type"), (id, "attachment_taken")] {
        let frame = json!({"type": "chat_message", "message": "look", "attachments": [id], "client_id": id});
        sender.send_json(&frame).await?;
        let error = sender.next_of_type("error").await?;
        has(&error, &json!({"code": code, "client_id": id}))?;
    }
    lives(sender).await?;
    lives(listener).await
}

/// S4-04
async fn s4_04_a_deleted_message_takes_its_file_with_it(deployment: &Deployment) -> anyhow::Result<()> {
    let Scene { alice, bob, conversation } = scene(deployment).await?;
    let mut socket =
        deployment.socket(&format!("/ws/chat/{conversation}/"))?.token(&alice.token).open().await?;
    let id = upload(deployment, &alice, PNG).await?;
    socket.send_json(&json!({"type": "chat_message", "message": "", "attachments": [id]})).await?;
    let message = socket.next_of_type("chat_message").await?["message"]["id"].clone();
    show(deployment, &bob, &id).await?.expect(200)?;
    socket.send_json(&json!({"type": "message_delete", "message_id": message})).await?;
    socket.next_of_type("message_deleted").await?;
    for user in [&alice, &bob] {
        show(deployment, user, &id).await?.expect(404)?;
    }
    lives(socket).await
}
