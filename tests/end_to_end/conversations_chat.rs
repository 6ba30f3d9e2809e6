//! Document 4's conversations (S4-01, S4-03, S4-04), their clients on different gateways.

use anyhow::{Context, ensure};
use carillon_testkit::{Deployment, Gateway, Socket, User, unique};
use serde_json::{Value, json};

use crate::{
    checks::{connect, ends, has, has_texts, lives, refused},
    suite::{Suite, both},
};

const CONVERSATIONS: &str = "/api/chat/conversations/";

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        s4_01_only_participants_enter,
        s4_01_one_who_is_removed_is_out,
        s4_03_a_message_has_the_documents_fields,
        s4_03_what_was_missed_is_recovered,
        s4_03_a_conversation_is_listed_and_searched,
        s4_04_typing_is_told_to_the_others,
        s4_04_who_is_online_is_told_once,
        s4_04_what_becomes_of_a_message,
        s4_05_one_who_is_away_is_notified,
    );
}

/// A conversation of Alice and Bob, who enter it by different gateways.
pub(crate) struct Talk {
    pub(crate) id: i64,
    pub(crate) alice: User,
    pub(crate) bob: User,
}

impl Talk {
    pub(crate) async fn start(deployment: &Deployment) -> anyhow::Result<Self> {
        let (alice, bob) = (deployment.user("alice").await?, deployment.user("bob").await?);
        let id = conversation(deployment, &alice, &[&bob]).await?;
        Ok(Self { id, alice, bob })
    }

    pub(crate) fn path(&self) -> String {
        path(self.id)
    }

    /// Both have entered, and Alice has heard that Bob is online.
    async fn open(&self, deployment: &Deployment) -> anyhow::Result<(Socket, Socket)> {
        let [first, second] = deployment.gateways();
        let mut alice = enter(first, self.id, &self.alice).await?;
        let bob = enter(second, self.id, &self.bob).await?;
        alice.next_of_type("user_status").await?;
        Ok((alice, bob))
    }
}

async fn conversation(deployment: &Deployment, creator: &User, others: &[&User]) -> anyhow::Result<i64> {
    let participants: Vec<Value> = others.iter().map(|user| user.id_json()).collect();
    let api = deployment.api().with_token(&creator.token);
    let created = api.post(CONVERSATIONS, &json!({"participants": participants})).await?.expect(201)?;
    created["id"].as_i64().context("an id")
}

fn path(conversation: i64) -> String {
    format!("/ws/chat/{conversation}/")
}

async fn enter(gateway: &Gateway, conversation: i64, user: &User) -> anyhow::Result<Socket> {
    connect(gateway, &path(conversation), &user.token).await
}

fn said(message: &str) -> Value {
    json!({"type": "chat_message", "message": message, "message_type": "text"})
}

/// Says something, and gives its id.
async fn say(socket: &mut Socket, message: &str) -> anyhow::Result<i64> {
    socket.send_json(&said(message)).await?;
    let heard = socket.next_where("its own", |frame| frame["message"]["content"] == message).await?;
    heard["message"]["id"].as_i64().context("an id")
}

/// S4-01: unknown and not mine can't be told apart, and `007` is not 7.
async fn s4_01_only_participants_enter(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], talk) = (deployment.gateways(), Talk::start(deployment).await?);
    let stranger = deployment.user("carol").await?;
    let mut reasons = Vec::new();
    for (user, name) in [
        (&stranger, talk.id.to_string()),
        (&talk.alice, "999999999999".to_owned()),
        (&talk.alice, format!("00{}", talk.id)),
        (&talk.alice, "99999999999999999999999".to_owned()),
    ] {
        let handshake = first.socket(&format!("/ws/chat/{name}/"))?.token(&user.token);
        let (code, reason) = handshake.open().await?.expect_close().await?;
        ensure!(code == 4004, "{name}: closed with {code} {reason}");
        reasons.push(reason);
    }
    reasons.dedup();
    ensure!(reasons.len() == 1, "{reasons:?}");
    refused(first.socket(&path(talk.id))?, 4003).await?;
    refused(first.socket(&path(talk.id))?.token("nonsense"), 4001).await?;
    let mut alice = second.socket(&path(talk.id))?.token(&talk.alice.token).open().await?;
    let greeting = alice.next_json().await?;
    has(
        &greeting,
        &json!({
            "type": "conversation_joined",
            "conversation": {"id": talk.id, "name": null, "unread_count": 0},
            "user_id": talk.alice.id_json(),
        }),
    )?;
    ensure!(alice.since().is_some(), "no place in {greeting}");
    lives(alice).await
}

/// The connection ends with 4004, and there is no way back.
async fn s4_01_one_who_is_removed_is_out(deployment: &Deployment) -> anyhow::Result<()> {
    let talk = Talk::start(deployment).await?;
    let (mut alice, mut bob) = talk.open(deployment).await?;
    let api = deployment.api().with_token(&talk.alice.token);
    let participant = format!("{CONVERSATIONS}{}/participants/{}/", talk.id, talk.bob.id);
    api.delete(&participant).await?.expect(204)?;
    ends(&mut bob, 4004).await?;
    let removed = alice.next_of_type("participant_removed").await?;
    has(&removed, &json!({"user_id": talk.bob.id_json(), "by": {"id": talk.alice.id_json()}}))?;
    let gateway = &deployment.gateways()[0];
    refused(gateway.socket(&path(talk.id))?.token(&talk.bob.token), 4004).await?;
    let listed = deployment.api().with_token(&talk.bob.token).get(CONVERSATIONS).await?.expect(200)?;
    ensure!(listed["conversations"] == json!([]), "{listed}");
    api.put(&participant, &json!({})).await?.expect(204)?;
    alice.next_of_type("participant_added").await?;
    lives(enter(gateway, talk.id, &talk.bob).await?).await
}

/// S4-03, and the acknowledgement that lets a client repeat what it is not sure of.
async fn s4_03_a_message_has_the_documents_fields(deployment: &Deployment) -> anyhow::Result<()> {
    let talk = Talk::start(deployment).await?;
    let (mut alice, mut bob) = talk.open(deployment).await?;
    let frame = json!({
        "type": "chat_message", "message": "Hello there!", "message_type": "text", "client_id": "c-1",
    });
    let mut acks = Vec::new();
    for _ in 0..2 {
        alice.send_json(&frame).await?;
        acks.push(alice.next_of_type("message_ack").await?);
    }
    ensure!(acks[0] == acks[1], "{acks:?}");
    let heard = bob.next_of_type("chat_message").await?;
    let sender = json!({"id": talk.alice.id_json(), "username": talk.alice.username});
    let message = json!({"content": "Hello there!", "message_type": "text", "sender": sender});
    has(&heard, &json!({"type": "chat_message", "message": message}))?;
    has_texts(&heard["message"], &["timestamp"])?;
    ensure!(heard["message"]["sender"]["first_name"].is_string(), "{heard}");
    let id = &heard["message"]["id"];
    has(&acks[0], &json!({"client_id": "c-1", "message_id": id, "offset": heard["offset"]}))?;
    let answer = json!({"type": "chat_message", "message": "Hi!", "reply_to": id});
    bob.send_json(&answer).await?;
    let heard = alice.next_where("the answer", |frame| frame["message"]["content"] == "Hi!").await?;
    has(&heard["message"]["reply_to"], &json!({"id": id, "excerpt": "Hello there!"}))?;
    for (frame, message) in [
        ("{no json".to_owned(), "Invalid JSON format"),
        (json!({"type": "unknown"}).to_string(), "Invalid message format"),
        (said("").to_string(), "Invalid message (max 10000 characters)"),
        (said("a\u{0}b").to_string(), "Invalid message (NUL characters can't be stored)"),
    ] {
        bob.send_text(&frame).await?;
        has(&bob.next_of_type("error").await?, &json!({"message": message}))?;
    }
    lives(bob).await?;
    lives(alice).await
}

/// By `?since=`, and by `?history=` for who has never been there.
async fn s4_03_what_was_missed_is_recovered(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], talk) = (deployment.gateways(), Talk::start(deployment).await?);
    let bob = enter(second, talk.id, &talk.bob).await?;
    let since = bob.since().context("no place")?;
    bob.close().await?;
    let mut alice = enter(first, talk.id, &talk.alice).await?;
    for text in ["one", "two", "three"] {
        say(&mut alice, text).await?;
    }
    for (query, expected) in [
        (format!("since={since}"), &["one", "two", "three"][..]),
        ("history=2".to_owned(), &["two", "three"][..]),
    ] {
        let path = format!("{}?{query}", path(talk.id));
        let mut bob = connect(second, &path, &talk.bob.token).await?;
        for text in expected {
            has(&bob.next_of_type("chat_message").await?, &json!({"message": {"content": text}}))?;
        }
        lives(bob).await?;
    }
    lives(alice).await
}

/// `GET /api/chat/conversations/`, its messages, and `GET /api/chat/search/`.
async fn s4_03_a_conversation_is_listed_and_searched(deployment: &Deployment) -> anyhow::Result<()> {
    let talk = Talk::start(deployment).await?;
    let (mut alice, bob) = talk.open(deployment).await?;
    let word = unique("Rendezvous");
    let first = say(&mut alice, &format!("a {word} at 8")).await?;
    let last = say(&mut alice, "ok?").await?;
    let api = deployment.api().with_token(&talk.bob.token);
    let listed = api.get(CONVERSATIONS).await?.expect(200)?;
    let listed = &listed["conversations"][0];
    has(listed, &json!({"id": talk.id, "unread_count": 2, "last_message": {"id": last, "content": "ok?"}}))?;
    ensure!(listed["participants"].as_array().is_some_and(|all| all.len() == 2), "{listed}");
    let page = api.get(&format!("{CONVERSATIONS}{}/messages/?before={last}", talk.id)).await?.expect(200)?;
    has(&page["messages"][0], &json!({"id": first, "reactions": []}))?;
    let search = format!("/api/chat/search/?q={}", word.to_uppercase());
    let found = api.get(&search).await?.expect(200)?;
    has(&found["messages"][0], &json!({"id": first, "conversation_id": talk.id}))?;
    let stranger = deployment.user("carol").await?;
    let api = deployment.api().with_token(&stranger.token);
    ensure!(api.get(&search).await?.expect(200)?["messages"] == json!([]), "found by a stranger");
    api.get(&format!("{CONVERSATIONS}{}/", talk.id)).await?.expect(404)?;
    lives(bob).await
}

/// S4-04: not to the one who types; over when it says so, sends, or falls silent for 5 s.
async fn s4_04_typing_is_told_to_the_others(deployment: &Deployment) -> anyhow::Result<()> {
    let talk = Talk::start(deployment).await?;
    let (mut alice, mut bob) = talk.open(deployment).await?;
    let typing = |is_typing: bool| json!({"type": "typing_indicator", "is_typing": is_typing});
    alice.send_json(&typing(true)).await?;
    let heard = bob.next_of_type("typing_indicator").await?;
    has(&heard, &json!({"user": {"id": talk.alice.id_json()}, "is_typing": true}))?;
    alice.send_json(&typing(false)).await?;
    has(&bob.next_of_type("typing_indicator").await?, &typing(false))?;
    alice.send_json(&typing(true)).await?;
    has(&bob.next_of_type("typing_indicator").await?, &typing(true))?;
    say(&mut alice, "there").await?;
    has(&bob.next_of_type("typing_indicator").await?, &typing(false))?;
    // By itself, five seconds later.
    alice.send_json(&typing(true)).await?;
    has(&bob.next_of_type("typing_indicator").await?, &typing(true))?;
    has(&bob.next_of_type("typing_indicator").await?, &typing(false))?;
    alice.send_json(&typing(true)).await?;
    has(&bob.next_of_type("typing_indicator").await?, &typing(true))?;
    alice.expect_none("its own typing", |frame| frame["type"] == "typing_indicator").await?;
    alice.close().await?;
    has(&bob.next_of_type("typing_indicator").await?, &typing(false))?;
    lives(bob).await
}

/// S4-04: two tabs on two gateways are one user, and whoever comes is told who is there.
async fn s4_04_who_is_online_is_told_once(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], talk) = (deployment.gateways(), Talk::start(deployment).await?);
    let status =
        |status: &str| json!({"type": "user_status", "user_id": talk.bob.id_json(), "status": status});
    let is_status = |frame: &Value| frame["type"] == "user_status";
    let mut alice = enter(first, talk.id, &talk.alice).await?;
    let one = enter(first, talk.id, &talk.bob).await?;
    has(&alice.next_where("a status", is_status).await?, &status("online"))?;
    let other = enter(second, talk.id, &talk.bob).await?;
    let mut tab = enter(second, talk.id, &talk.alice).await?;
    has(&tab.next_json().await?, &status("online"))?;
    one.close().await?;
    alice.expect_none("a second status", is_status).await?;
    other.close().await?;
    for socket in [&mut alice, &mut tab] {
        has(&socket.next_where("a status", is_status).await?, &status("offline"))?;
    }
    lives(alice).await
}

/// S4-04: receipts, reactions, editing and deletion reach everyone, and nobody else's are touched.
async fn s4_04_what_becomes_of_a_message(deployment: &Deployment) -> anyhow::Result<()> {
    let talk = Talk::start(deployment).await?;
    let (mut alice, mut bob) = talk.open(deployment).await?;
    let id = say(&mut alice, "Helo").await?;
    bob.send_json(&json!({"type": "message_read", "message_id": id})).await?;
    let receipt = alice.next_of_type("message_read").await?;
    has(&receipt, &json!({"message_id": id, "read_by": {"id": talk.bob.id_json()}}))?;
    has_texts(&receipt, &["read_at"])?;
    let reaction = json!({"type": "message_reaction", "message_id": id, "emoji": "👍", "action": "add"});
    bob.send_json(&reaction).await?;
    let heard = alice.next_of_type("message_reaction").await?;
    has(&heard, &json!({"emoji": "👍", "action": "add", "count": 1, "user": {"id": talk.bob.id_json()}}))?;
    for frame in [
        json!({"type": "message_edit", "message_id": id, "message": "mine"}),
        json!({"type": "message_delete", "message_id": id}),
    ] {
        bob.send_json(&frame).await?;
        has(&bob.next_of_type("error").await?, &json!({"code": "not_yours"}))?;
    }
    alice.send_json(&json!({"type": "message_edit", "message_id": id, "message": "Hello"})).await?;
    let edited = bob.next_of_type("message_edited").await?;
    has(&edited, &json!({"message_id": id, "message": {"id": id, "content": "Hello"}}))?;
    alice.send_json(&json!({"type": "message_delete", "message_id": id})).await?;
    has(&bob.next_of_type("message_deleted").await?, &json!({"message_id": id}))?;
    bob.send_json(&reaction).await?;
    has(&bob.next_of_type("error").await?, &json!({"code": "deleted_message"}))?;
    let api = deployment.api().with_token(&talk.bob.token);
    let page = api.get(&format!("{CONVERSATIONS}{}/messages/", talk.id)).await?.expect(200)?;
    has(&page["messages"][0], &json!({"id": id, "content": "", "deleted": true, "reactions": []}))?;
    lives(alice).await?;
    lives(bob).await
}

/// S4-05: by the notification service; one who has the conversation open gets none.
async fn s4_05_one_who_is_away_is_notified(deployment: &Deployment) -> anyhow::Result<()> {
    let [first, second] = deployment.gateways();
    let talk = Talk::start(deployment).await?;
    let notifications = |user: &User| format!("/ws/notifications/{}/", user.id);
    let mut away = connect(second, &notifications(&talk.bob), &talk.bob.token).await?;
    let mut alice = enter(first, talk.id, &talk.alice).await?;
    let message = say(&mut alice, "Are you there?").await?;
    let is_notice = |frame: &Value| frame["notification"]["notification_type"] == "message";
    let notice = away.next_where("a notice", is_notice).await?;
    let data = json!({
        "conversation_id": talk.id, "message_id": message, "sender_id": talk.alice.id_json(),
    });
    has(&notice["notification"], &json!({"title": "New Message", "data": data}))?;
    let mut bob = enter(second, talk.id, &talk.bob).await?;
    let heard = say(&mut alice, "Good!").await?;
    bob.next_where("the message", |frame| frame["message"]["id"] == heard).await?;
    // Of the next, which finds Bob away again, there is a notice; what came before would be there by then.
    bob.close().await?;
    alice.next_where("Bob to be gone", |frame| frame["status"] == "offline").await?;
    let message = say(&mut alice, "Bye").await?;
    let notice = away.next_where("a notice", is_notice).await?;
    has(&notice["notification"]["data"], &json!({"message_id": message}))?;
    lives(alice).await
}
