//! Files that messages carry (S4-04).

use std::time::Duration;

use bytes::Bytes;
use carillon_blob::{BlobArgs, Grant, Operation, PATH};
use carillon_chat::{AttachmentArgs, SettingsArgs};
use carillon_testkit::service::{Answer, Ask, Place, until, user};
use serde_json::{Value, json};

use crate::world::World;

/// What a small picture begins with.
pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

pub(crate) fn settings(attachments: AttachmentArgs) -> SettingsArgs {
    SettingsArgs { chat_prune_every: Duration::from_millis(20), attachments, ..SettingsArgs::default() }
}

pub(crate) async fn announce(world: &World, by: &str, body: &Value) -> Answer {
    world.ask(&Ask::new("chat.attachments.create").by(user(by)).body(body)).await
}

/// A picture that is announced, and the grant of its address.
pub(crate) async fn announced(world: &World, by: &str) -> (String, Grant) {
    let body = json!({"name": "cat.png", "content_type": "image/png", "size": PNG.len()});
    let answer = announce(world, by, &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let id = answer.body["id"].as_str().expect("an id").to_owned();
    (id, granted(world, &answer.body["upload"]["url"]))
}

/// What the gateway makes of an address.
pub(crate) fn granted(world: &World, url: &Value) -> Grant {
    let rest = url.as_str().and_then(|url| url.strip_prefix(PATH)).expect("an address");
    let (key, query) = rest.split_once('?').expect("a query");
    world.files.open().signer.verify(key, query, 0).expect("a grant")
}

/// What the gateway does with an upload.
pub(crate) async fn upload(world: &World, grant: &Grant, content: &'static [u8]) {
    let mut upload = world.files.open().store.upload(&grant.key, content.len() as u64);
    upload.write(Bytes::from_static(content)).await.expect("written");
    upload.finish().await.expect("stored");
}

pub(crate) async fn show(world: &World, by: &str, id: &str) -> Answer {
    world.ask(&Ask::new("chat.attachments.show").by(user(by)).parameter("attachment_id", id)).await
}

/// S4-04
pub(crate) async fn an_attachment_is_announced_uploaded_and_had_back(place: Place) {
    let world = World::start(place).await;
    let body = json!({"name": " Übersicht.PDF ", "content_type": "Application/PDF; x=1", "size": 5});
    let answer = announce(&world, "1", &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let upload = &answer.body["upload"];
    assert_eq!(upload["method"], "PUT");
    assert_eq!(upload["headers"], json!({"content-type": "application/pdf"}));
    assert!(upload["expires_at"].as_str().is_some_and(|time| time.ends_with('Z')), "{upload}");
    let up = granted(&world, &upload["url"]);
    assert_eq!((up.operation, up.size, up.user.as_str()), (Operation::Upload, 5, "1"));
    let id = answer.body["id"].as_str().expect("an id");
    let shown = show(&world, "1", id).await.ok();
    let expected = json!({
        "id": id, "name": "Übersicht.PDF", "content_type": "application/pdf", "size": 5,
        "url": shown["url"], "expires_at": shown["expires_at"],
    });
    assert_eq!(shown, expected);
    let down = granted(&world, &shown["url"]);
    assert_eq!((down.operation, down.name.as_str()), (Operation::Download, "Übersicht.PDF"));
    assert_eq!((&down.key, &down.content_type), (&up.key, &up.content_type));
    assert!(down.expires_at < up.expires_at);
}

pub(crate) async fn what_no_message_carries_is_its_owner_s_alone(place: Place) {
    let world = World::start(place).await;
    let (id, _) = announced(&world, "1").await;
    assert_eq!(show(&world, "1", &id).await.status, 200);
    assert_eq!(show(&world, "2", &id).await.status, 404);
    assert_eq!(show(&world, "1", "0123").await.status, 404);
}

pub(crate) async fn what_may_not_be_attached_is_refused(place: Place) {
    let world = World::start(place).await;
    let good = json!({"name": "a.txt", "content_type": "text/plain", "size": 1});
    for (field, values) in [
        (
            "name",
            vec![json!(""), json!(" "), json!("a/b"), json!("a\\b"), json!("a\nb"), json!("exe.\u{202e}gpj")],
        ),
        ("name", vec![json!("a".repeat(256)), json!(1), Value::Null]),
        ("content_type", vec![json!("text/html"), json!("image/svg+xml"), json!(""), json!(7)]),
        ("size", vec![json!(0), json!(-1), json!(10_485_761), json!("1"), json!(1.5)]),
    ] {
        for value in values {
            let mut body = good.clone();
            body[field] = value.clone();
            let answer = announce(&world, "1", &body).await;
            assert_eq!((answer.status, &answer.body["field"]), (422, &json!(field)), "{value}: {answer:?}");
        }
    }
    assert_eq!(announce(&world, "1", &good).await.status, 201);
}

pub(crate) async fn a_user_has_only_so_many_that_wait(place: Place) {
    let settings = settings(AttachmentArgs { attachments_unclaimed: 2, ..AttachmentArgs::default() });
    let world = World::start_with(place, 1, settings).await;
    announced(&world, "1").await;
    announced(&world, "1").await;
    let body = json!({"name": "a.txt", "content_type": "text/plain", "size": 1});
    assert_eq!(announce(&world, "1", &body).await.status, 429);
    announced(&world, "2").await;
}

pub(crate) async fn what_no_message_carries_is_removed(place: Place) {
    let attachment_unclaimed_age = Duration::from_millis(300);
    let settings = settings(AttachmentArgs { attachment_unclaimed_age, ..AttachmentArgs::default() });
    let world = World::start_with(place, 2, settings).await;
    let (id, grant) = announced(&world, "1").await;
    upload(&world, &grant, PNG).await;
    announced(&world, "1").await;
    until("the file is removed", async || world.files.count() == 0).await;
    until("nothing waits any more", async || show(&world, "1", &id).await.status == 404).await;
}

pub(crate) async fn without_a_store_there_are_no_attachments(place: Place) {
    let mut world = World::start_with(place, 0, SettingsArgs::default()).await;
    world.files.args = BlobArgs::default();
    world.add_replica(SettingsArgs::default()).await;
    let body = json!({"name": "a.txt", "content_type": "text/plain", "size": 1});
    let answer = announce(&world, "1", &body).await;
    assert_eq!(answer.status, 503);
    assert!(answer.body["detail"].as_str().is_some_and(|detail| detail.contains("--blob-store")));
}
