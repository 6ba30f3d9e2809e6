//! `POST /api/notifications/send/` (document 2), to whom each caller may send.

use anyhow::ensure;
use carillon_testkit::{Api, Deployment, Reply, Socket, send, unique};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    checks::{connect, greeted, has},
    suite::{Suite, both, keycloak},
};

const SEND: &str = "/api/notifications/send/";

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        s2_08_each_mistake_has_the_documents_body,
        s2_08_each_caller_reaches_whom_it_may,
        s2_08_to_everyone_in_every_dialect,
    );
    keycloak!(suite, s2_08_to_one_to_several_and_to_an_organisation, s2_08_a_key_makes_repetition_harmless);
}

/// S2-08: `{"status":"error","message":…}`, with one line that says what is wrong.
async fn s2_08_each_mistake_has_the_documents_body(deployment: &Deployment) -> anyhow::Result<()> {
    let api = deployment.admin().await?.api();
    let missing = "Title and message are required";
    let one_of = "Only one of user_id, user_ids, org_id and everyone may be given";
    for (body, status, message) in [
        (json!({}), 400, missing),
        (json!({"title": "Test"}), 400, missing),
        (json!({"title": "Test", "message": ""}), 400, missing),
        (json!({"title": null, "message": "Hello!"}), 400, missing),
        (json!({"title": "", "message": "", "user_id": null}), 400, missing),
        (json!({"title": 1, "message": "Hello!"}), 400, "title must be a string"),
        (test(json!({"message": {}})), 400, "message must be a string"),
        (test(json!({"title": "x".repeat(201)})), 400, "title has at most 200 characters"),
        (test(json!({"message": "x".repeat(5_001)})), 400, "message has at most 5000 characters"),
        (test(json!({"priority": "urgent"})), 400, "priority must be low, normal or high"),
        (test(json!({"user_id": null})), 400, "user_id must be an id"),
        (test(json!({"user_id": 1.5})), 400, "user_id must be an id"),
        (test(json!({"user_ids": []})), 400, "user_ids has 1 to 1000 ids"),
        (test(json!({"user_ids": "1,2"})), 400, "user_ids must be a list of ids"),
        (test(json!({"everyone": "yes"})), 400, "everyone must be true"),
        (test(json!({"user_id": 1, "org_id": "acme"})), 400, one_of),
        (test(json!({"org_id": unique("nowhere")})), 404, "There is no such organisation"),
        (json!([]), 400, "The body must be a JSON object"),
        (json!("Test"), 400, "The body must be a JSON object"),
    ] {
        is_error(&api.post(SEND, &body).await?, status, message)?;
    }
    for (text, status, message) in [
        ("{\"title\":".to_owned(), 400, "Invalid JSON"),
        (String::new(), 400, "Invalid JSON"),
        ("title=Test&message=Hello".to_owned(), 400, "Invalid JSON"),
        (test(json!({"more": "x".repeat(65_536)})).to_string(), 413, "The body is larger than 65536 bytes"),
    ] {
        is_error(&send(api.request(Method::POST, SEND).body(text)).await?, status, message)?;
    }
    Ok(())
}

/// S2-08: anyone without a token to everyone, where the deployment allows it; users to themselves; back ends with the
/// scope, and admins, to anyone.
async fn s2_08_each_caller_reaches_whom_it_may(deployment: &Deployment) -> anyhow::Result<()> {
    let (user, other) = (deployment.user("alice").await?, deployment.user("bob").await?);
    let org = deployment.org(&[&user]).await?;
    let admin = deployment.admin().await?;
    let sender = admin.create_service_token(&unique("sender"), &["notifications:send"]).await?;
    let publisher = admin.create_service_token(&unique("publisher"), &["events:publish"]).await?;
    let api = deployment.api();
    let statuses = async |api: &Api| {
        let mut statuses = Vec::new();
        for recipient in [
            json!({"user_id": user.id}),
            json!({"user_ids": [user.id]}),
            json!({"user_id": other.id}),
            json!({"user_ids": [user.id, other.id]}),
            json!({"org_id": org}),
        ] {
            let reply = api.post(SEND, &test(recipient)).await?;
            if reply.status == 403 {
                has(&reply.json()?, &json!({"status": "error"}))?;
            }
            statuses.push(reply.status);
        }
        anyhow::Ok(statuses)
    };
    for (caller, api, expected) in [
        ("anyone", api.clone(), [403, 403, 403, 403, 403]),
        ("a user", api.with_token(&user.token), [200, 200, 403, 403, 403]),
        ("a back end", api.with_token(&sender.token), [200, 200, 200, 200, 200]),
        ("another back end", api.with_token(&publisher.token), [403, 403, 403, 403, 403]),
        ("an admin", admin.api().clone(), [200, 200, 200, 200, 200]),
        ("a forger", api.with_token("nonsense"), [401, 401, 401, 401, 401]),
    ] {
        let statuses = statuses(&api).await?;
        ensure!(statuses == expected, "{caller}: {statuses:?}");
    }
    let body = test(json!({}));
    api.with_token(&user.token).post(SEND, &body).await?.expect(403)?;
    api.with_token("nonsense").post(SEND, &body).await?.expect(401).map(drop)
}

/// S2-08: who listens without a token, and whoever has one, gets it in the own dialect.
async fn s2_08_to_everyone_in_every_dialect(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("john").await?;
    let [first, second] = deployment.gateways();
    let mut anonymous = greeted(first.socket("/ws/notifications/")?).await?;
    let mut ticketing =
        greeted(second.socket("/ws/notifications/")?.token(&user.token).protocol("ticketing")).await?;
    let own = format!("/ws/notifications/{}/", user.id);
    let mut conversations = connect(second, &own, &user.token).await?;
    let title = unique("New Alert");
    let body = json!({"title": title, "message": "Important update!", "priority": "high", "everyone": true});
    let sent = deployment.admin().await?.notify(&body).await?;
    has(&sent, &json!({"status": "success", "message": "Notification sent"}))?;
    let id = &sent["id"];
    for socket in [&mut anonymous, &mut conversations] {
        let frame = socket.next_where("the notification", |frame| frame["title"] == title).await?;
        has(&frame, &json!({"type": "notification", "priority": "high", "notification": {"id": id}}))?;
    }
    let frame = ticketing.next_where("the notification", |frame| frame["data"]["title"] == title).await?;
    has(&frame, &json!({"type": "notification_message", "data": {"id": id}}))?;
    let inbox =
        deployment.api().with_token(&user.token).get("/api/notifications/?limit=100").await?.expect(200)?;
    let items = inbox["items"].as_array().into_iter().flatten();
    ensure!(
        items.clone().any(|item| item["id"] == *id && item["title"] == title),
        "not in the inbox: {inbox}"
    );
    Ok(())
}

/// S2-08: each recipient gets it once; the answer says how many they were.
async fn s2_08_to_one_to_several_and_to_an_organisation(deployment: &Deployment) -> anyhow::Result<()> {
    let users =
        [deployment.user("alice").await?, deployment.user("bob").await?, deployment.user("carol").await?];
    let org = deployment.org(&[&users[0], &users[1]]).await?;
    let mut sockets = Vec::new();
    for (user, gateway) in users.iter().zip(deployment.gateways().iter().cycle()) {
        sockets.push(connect(gateway, "/ws/notifications/", &user.token).await?);
    }
    for (recipients, count, reached) in [
        (json!({"user_id": users[1].id}), 1, vec![1]),
        (json!({"user_ids": [users[0].id, users[2].id, users[2].id]}), 2, vec![0, 2]),
        (json!({"org_id": org}), 2, vec![0, 1]),
    ] {
        let title = unique("New Order");
        let mut body = test(recipients);
        body["title"] = json!(title);
        has(
            &deployment.admin().await?.notify(&body).await?,
            &json!({"status": "success", "recipients": count}),
        )?;
        for (index, socket) in sockets.iter_mut().enumerate() {
            if reached.contains(&index) {
                has(&socket.next_of_type("notification").await?, &json!({"title": title}))?;
            }
            is_silent(socket).await?;
        }
    }
    let missing = deployment.org(&[]).await?;
    has(
        &deployment.admin().await?.notify(&test(json!({"org_id": missing}))).await?,
        &json!({"recipients": 0}),
    )
}

/// S2-08: with an `Idempotency-Key` a request can be repeated, also through another gateway; another
/// request needs another key.
async fn s2_08_a_key_makes_repetition_harmless(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let token =
        deployment.admin().await?.create_service_token(&unique("shop"), &["notifications:send"]).await?;
    let mut socket = connect(&deployment.gateways()[0], "/ws/notifications/", &user.token).await?;
    let (key, title) = (unique("order"), unique("New Order"));
    let keyed = async |gateway: usize, key: &str, message: &str| {
        let api = deployment.gateways()[gateway].api().with_token(&token.token);
        let body = json!({"user_id": user.id, "title": title, "message": message});
        send(api.request(Method::POST, SEND).header("idempotency-key", key).json(&body)).await
    };
    let first = keyed(0, &key, "once").await?.expect(200)?;
    for gateway in [1, 0] {
        let again = keyed(gateway, &key, "once").await?.expect(200)?;
        ensure!(again == first, "{again} is not {first}");
    }
    has(&socket.next_of_type("notification").await?, &json!({"title": title}))?;
    is_silent(&mut socket).await?;
    is_error(&keyed(1, &key, "twice").await?, 409, "The Idempotency-Key was used for another notification")?;
    keyed(1, &unique("order"), "twice").await?.expect(200)?;
    has(&socket.next_of_type("notification").await?, &json!({"message": "twice"}))?;
    let inbox = deployment.api().with_token(&user.token).get("/api/notifications/").await?.expect(200)?;
    has(&inbox, &json!({"counts": {"total": 2, "unread": 2}}))
}

/// A notification with these fields as well, or instead.
fn test(more: Value) -> Value {
    let mut body = json!({"title": "Test", "message": "Hello!"});
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    body
}

async fn is_silent(socket: &mut Socket) -> anyhow::Result<()> {
    socket.expect_none("another notification", |frame| frame["type"] == "notification").await
}

fn is_error(reply: &Reply, status: u16, message: &str) -> anyhow::Result<()> {
    let body = reply.expect(status)?;
    ensure!(body == json!({"status": "error", "message": message}), "{message:?} is expected, not {body}");
    Ok(())
}
