//! Document 2's counter (S2-06, S2-07), its clients on different gateways. A busy one is in `survival`.

use anyhow::ensure;
use carillon_testkit::{Deployment, Gateway, Socket, send, unique};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    checks::{has, has_texts, lives},
    suite::{Suite, both},
};

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        s2_06_the_first_frame_carries_the_value,
        s2_06_an_update_reaches_everyone,
        s2_06_users_are_counted_over_all_gateways,
        s2_06_what_was_missed_is_recovered,
        s2_06_what_is_no_update_gets_an_error,
        s2_07_a_back_end_updates_a_counter,
    );
}

fn path(name: &str) -> String {
    format!("/ws/counter/{name}/")
}

fn by(action: &str, value: i64) -> Value {
    json!({"action": action, "value": value})
}

/// Opens a connection, and checks its greeting.
async fn at(gateway: &Gateway, name: &str, value: i64, count: i64) -> anyhow::Result<Socket> {
    let mut socket = gateway.socket(&path(name))?.open().await?;
    let greeting = json!({"type": "counter_update", "counter": value, "message": "Connected to counter"});
    has(&socket.next_json().await?, &greeting)?;
    has(&socket.next_json().await?, &json!({"type": "user_count_update", "count": count}))?;
    Ok(socket)
}

/// S2-06: at the document's own address, whose counter others use too.
async fn s2_06_the_first_frame_carries_the_value(deployment: &Deployment) -> anyhow::Result<()> {
    let [first, second] = deployment.gateways();
    for gateway in [first, second] {
        let mut socket = gateway.socket("/ws/counter/")?.open().await?;
        let greeting = socket.next_json().await?;
        has(&greeting, &json!({"type": "counter_update", "message": "Connected to counter"}))?;
        ensure!(greeting["counter"].is_i64(), "{greeting}");
        lives(socket).await?;
    }
    Ok(())
}

/// S2-06: increments and decrements by any value, resets, the sender among those who hear it.
async fn s2_06_an_update_reaches_everyone(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], name) = (deployment.gateways(), unique("clicks"));
    let mut sender = at(first, &name, 0, 1).await?;
    let mut listener = at(second, &name, 0, 2).await?;
    let mut elsewhere = at(second, &unique("clicks"), 0, 1).await?;
    for (frame, value, total) in [
        (by("increment", 1), 1, 1),
        (by("increment", 5), 5, 6),
        (by("decrement", 2), 2, 4),
        (json!({"action": "increment"}), 1, 5),
        (by("reset", 0), 0, 0),
    ] {
        sender.send_json(&frame).await?;
        for socket in [&mut sender, &mut listener] {
            let heard = socket.next_of_type("counter_update").await?;
            has(&heard, &json!({"action": frame["action"], "value": value, "counter": total}))?;
            has_texts(&heard, &["timestamp"])?;
        }
    }
    elsewhere.expect_none("another counter's", |frame| frame["type"] == "counter_update").await?;
    let late = at(second, &name, 0, 3).await?;
    for socket in [sender, listener, elsewhere, late] {
        lives(socket).await?;
    }
    Ok(())
}

/// S2-06: once each, whatever the number of tabs and gateways.
async fn s2_06_users_are_counted_over_all_gateways(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], name) = (deployment.gateways(), unique("clicks"));
    let user = deployment.user("alice").await?;
    let mut listener = at(first, &name, 0, 1).await?;
    let tab = second.socket(&path(&name))?.token(&user.token).open().await?;
    has(&listener.next_of_type("user_count_update").await?, &json!({"count": 2}))?;
    let other_tab = first.socket(&path(&name))?.token(&user.token).open().await?;
    listener.expect_none("a count", |frame| frame["type"] == "user_count_update").await?;
    tab.close().await?;
    other_tab.close().await?;
    has(&listener.next_of_type("user_count_update").await?, &json!({"count": 1}))?;
    lives(listener).await
}

/// S2-06: no update is lost to a client that was away for a moment.
async fn s2_06_what_was_missed_is_recovered(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], name) = (deployment.gateways(), unique("clicks"));
    let client = at(second, &name, 0, 1).await?;
    let since = client.since();
    let mut sender = at(first, &name, 0, 2).await?;
    client.close().await?;
    for total in 1..=3 {
        sender.send_json(&by("increment", 1)).await?;
        has(&sender.next_of_type("counter_update").await?, &json!({"counter": total}))?;
    }
    let mut client = first.socket(&path(&name))?.since(since).open().await?;
    has(&client.next_of_type("recovery").await?, &json!({"recovered": true}))?;
    for total in 1..=3 {
        has(&client.next_of_type("counter_update").await?, &json!({"value": 1, "counter": total}))?;
    }
    lives(client).await
}

/// In the document's words, with nothing changed and the connection open.
async fn s2_06_what_is_no_update_gets_an_error(deployment: &Deployment) -> anyhow::Result<()> {
    let ([gateway, _], name) = (deployment.gateways(), unique("clicks"));
    let mut socket = at(gateway, &name, 0, 1).await?;
    for (text, message) in [
        ("{", "Invalid JSON format"),
        ("[]", "Invalid message format"),
        (r#"{"action":"double"}"#, "Invalid message format"),
        (
            r#"{"action":"increment","value":1.5}"#,
            "Invalid value (a whole number from -9007199254740991 to 9007199254740991)",
        ),
    ] {
        socket.send_text(text).await?;
        let error = socket.next_json().await?;
        has(&error, &json!({"type": "error", "message": message}))?;
    }
    socket.send_json(&by("increment", 9_007_199_254_740_991)).await?;
    socket.next_of_type("counter_update").await?;
    socket.send_json(&by("increment", 1)).await?;
    has(&socket.next_json().await?, &json!({"type": "error", "code": "out_of_range"}))?;
    socket.send_json(&by("decrement", 1)).await?;
    let update = socket.next_of_type("counter_update").await?;
    has(&update, &json!({"counter": 9_007_199_254_740_990_i64}))?;
    lives(socket).await
}

/// S2-07: with a scope; the same `Idempotency-Key` again is the same update.
async fn s2_07_a_back_end_updates_a_counter(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], name) = (deployment.gateways(), unique("clicks"));
    let mut listener = at(first, &name, 0, 1).await?;
    let admin = deployment.admin().await?;
    let token = admin.create_service_token(&unique("counter"), &["counter:update"]).await?.token;
    let route = format!("/api/counter/{name}/");
    let update = |value: i64, key: &str| {
        let request = second.api().with_token(&token).request(Method::POST, &route);
        send(request.header("idempotency-key", key).json(&by("increment", value)))
    };
    let answer = update(5, "first").await?.expect(200)?;
    has(&listener.next_of_type("counter_update").await?, &json!({"value": 5, "counter": 5}))?;
    update(2, "second").await?.expect(200)?;
    ensure!(update(5, "first").await?.expect(200)? == answer, "another answer");
    update(6, "first").await?.expect(409)?;
    has(&listener.next_of_type("counter_update").await?, &json!({"value": 2, "counter": 7}))?;
    let shown = deployment.api().get(&route).await?.expect(200)?;
    ensure!(shown == json!({"name": name, "counter": 7}), "{shown}");

    deployment.api().post(&route, &by("increment", 1)).await?.expect(401)?;
    let user = deployment.user("alice").await?;
    deployment.api().with_token(&user.token).post(&route, &by("increment", 1)).await?.expect(403)?;
    let wrong = json!({"action": "increment", "value": "1"});
    let problem = second.api().with_token(&token).post(&route, &wrong).await?.expect(422)?;
    has(&problem, &json!({"field": "value"}))?;
    lives(listener).await
}
