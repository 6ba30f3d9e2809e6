//! Messages of conversations that carry attachments (S4-04).

use std::time::Duration;

use carillon_chat::{AttachmentArgs, SettingsArgs};
use carillon_contract::messages::Session;
use carillon_testkit::service::{Place, until};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    attachments::{PNG, announce, announced, granted, settings, show, upload},
    talk::{ask, at, conversation, enter, messages, refused, told},
    world::World,
};

/// A picture that was uploaded.
async fn uploaded(world: &World, by: &str) -> String {
    let (id, grant) = announced(world, by).await;
    upload(world, &grant, PNG).await;
    id
}

fn carrying(ids: &[&str]) -> Value {
    json!({"type": "chat_message", "message": "", "attachments": ids})
}

/// Says something that carries these, and gives the message's id.
async fn say(world: &World, session: &Session, number: u64, ids: &[&str]) -> i64 {
    let mut frame = carrying(ids);
    frame["client_id"] = json!(format!("{}-{number}", session.connection));
    let reply = world.frame(session, number, &frame).await;
    assert_eq!(reply[0]["type"], "message_ack", "{reply:?}");
    reply[0]["message_id"].as_i64().expect("an id")
}

/// S4-04
pub(crate) async fn participants_have_what_a_message_carries(place: Place) {
    let world = World::start(place).await;
    let conversation = conversation(&world, &["1", "2"]).await;
    let ann = at(conversation, "1");
    enter(&world, &ann, &[]).await;
    let (first, second) = (uploaded(&world, "1").await, uploaded(&world, "1").await);
    assert_eq!(show(&world, "2", &first).await.status, 404);
    say(&world, &ann, 1, &[&second, &first]).await;
    let seen = |id: &str| {
        json!({
            "id": id, "name": "cat.png", "content_type": "image/png", "size": PNG.len(),
            "url": format!("/api/chat/attachments/{id}/"),
        })
    };
    let expected = json!([seen(&second), seen(&first)]);
    assert_eq!(told(&world, conversation).await[0]["message"]["attachments"], expected);
    assert_eq!(messages(&world, conversation, "2").await[0]["attachments"], expected);
    for (user, status) in [("1", 200), ("2", 200), ("3", 404)] {
        assert_eq!(show(&world, user, &first).await.status, status, "{user}");
    }
    let url = show(&world, "2", &first).await.ok()["url"].clone();
    assert_eq!(granted(&world, &url).user, "2");
    assert_eq!(world.ask(&ask("leave", conversation, "2")).await.status / 100, 2);
    assert_eq!(show(&world, "2", &first).await.status, 404);
}

pub(crate) async fn a_retry_is_the_same_message(place: Place) {
    let world = World::start(place).await;
    let conversation = conversation(&world, &["1", "2"]).await;
    let ann = at(conversation, "1");
    let id = uploaded(&world, "1").await;
    let sent = say(&world, &ann, 1, &[&id]).await;
    assert_eq!(say(&world, &ann, 1, &[&id]).await, sent);
    // Without an id of the client's, the gateway's number of the frame says that it is a retry.
    let other = uploaded(&world, "1").await;
    for _ in 0..2 {
        assert!(world.frame(&ann, 2, &carrying(&[&other])).await.is_empty());
    }
    assert_eq!(messages(&world, conversation, "1").await.len(), 2);
}

pub(crate) async fn what_may_not_be_carried_is_refused(place: Place) {
    let attachments = AttachmentArgs { attachments_per_message: 2, ..AttachmentArgs::default() };
    let world = World::start_with(place, 1, settings(attachments)).await;
    let conversation = conversation(&world, &["1", "2"]).await;
    let ann = at(conversation, "1");
    let [good, other, foreign] =
        [uploaded(&world, "1").await, uploaded(&world, "1").await, uploaded(&world, "2").await];
    let missing = announced(&world, "1").await.0;
    let (wrong, grant) = announced(&world, "1").await;
    upload(&world, &grant, b"<html><body></body></html>").await;
    let (short, grant) = announced(&world, "1").await;
    upload(&world, &grant, &PNG[..PNG.len() - 1]).await;
    let text = json!({"name": "a.txt", "content_type": "text/plain", "size": 3});
    let text = announce(&world, "1", &text).await.body;
    upload(&world, &granted(&world, &text["upload"]["url"]), b"a\0b").await;
    let text = text["id"].as_str().expect("an id");
    for (number, (ids, code)) in (1..).zip([
        (vec![missing.as_str()], "attachment_missing"),
        (vec![&wrong], "attachment_type"),
        (vec![&wrong], "attachment_type"),
        (vec![&short], "attachment_type"),
        (vec![text], "attachment_type"),
        (vec![&good, &foreign], "attachment_unknown"),
        (vec![&good, "nonsense"], "attachment_unknown"),
        (vec![&good, &good], "attachment_taken"),
        (vec![&good, &other, &missing], "invalid_attachments"),
    ]) {
        assert_eq!(refused(&world, &ann, number, &carrying(&ids)).await, code, "{ids:?}");
    }
    assert!(messages(&world, conversation, "1").await.is_empty());
    say(&world, &ann, 100, &[&good]).await;
    assert_eq!(refused(&world, &ann, 101, &carrying(&[&other, &good])).await, "attachment_taken");
    say(&world, &ann, 102, &[&other]).await;
}

pub(crate) async fn what_a_deleted_message_carried_is_gone(place: Place) {
    let world = World::start_with(place, 1, settings(AttachmentArgs::default())).await;
    let conversation = conversation(&world, &["1", "2"]).await;
    let ann = at(conversation, "1");
    let [gone, kept] = [uploaded(&world, "1").await, uploaded(&world, "1").await];
    let message = say(&world, &ann, 1, &[&gone]).await;
    say(&world, &ann, 2, &[&kept]).await;
    world.frame(&ann, 3, &json!({"type": "message_delete", "message_id": message})).await;
    for user in ["1", "2"] {
        assert_eq!(show(&world, user, &gone).await.status, 404);
        assert_eq!(show(&world, user, &kept).await.status, 200);
    }
    until("the file is removed", async || world.files.count() == 1).await;
    assert_eq!(refused(&world, &ann, 4, &carrying(&[&gone])).await, "attachment_unknown");
}

/// What came after it is removed, so its own time would have come.
pub(crate) async fn what_a_message_carries_stays(place: Place) {
    let attachment_unclaimed_age = Duration::from_millis(1_500);
    let settings = settings(AttachmentArgs { attachment_unclaimed_age, ..AttachmentArgs::default() });
    let world = World::start_with(place, 1, settings).await;
    let conversation = conversation(&world, &["1", "2"]).await;
    let carried = uploaded(&world, "1").await;
    say(&world, &at(conversation, "1"), 1, &[&carried]).await;
    let waiting = uploaded(&world, "1").await;
    until("the other is removed", async || show(&world, "1", &waiting).await.status == 404).await;
    until("its file is removed", async || world.files.count() == 1).await;
    assert_eq!(show(&world, "2", &carried).await.status, 200);
}

/// Twenty messages want the same two files, over two replicas and in both orders.
pub(crate) async fn of_many_messages_at_once_one_carries(place: Place) {
    let world = World::start_with(place, 2, SettingsArgs::default()).await;
    let (mut conversations, mut sessions) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        conversations.push(conversation(&world, &["1", "2"]).await);
    }
    for number in 0..20 {
        sessions.push(at(conversations[number % 4], "1"));
    }
    let [first, second] = [uploaded(&world, "1").await, uploaded(&world, "1").await];
    let (there, back) = (carrying(&[&first, &second]), carrying(&[&second, &first]));
    let sending = sessions
        .iter()
        .zip(1..)
        .map(|(session, number)| world.frame(session, number, if number % 2 == 0 { &there } else { &back }));
    let replies = join_all(sending).await;
    let codes = replies.iter().filter_map(|reply| reply.first()).map(|frame| frame["code"].as_str());
    let codes: Vec<_> = codes.collect();
    assert_eq!(codes.len(), 19);
    assert!(codes.iter().all(|code| *code == Some("attachment_taken")), "{codes:?}");
}
