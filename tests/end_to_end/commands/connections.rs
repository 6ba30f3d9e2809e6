//! `carillon connections` and `carillon disconnect`.

use anyhow::ensure;
use carillon_testkit::{Deployment, unique};
use serde_json::{Value, json};

use super::invocation::Invocation;
use crate::{
    checks::{ends, has},
    suite::{Suite, both},
};

pub(super) fn register(suite: &mut Suite) {
    both!(suite, s0_13_connections_are_listed_and_closed);
}

/// Every gateway's connections, by filters and pages; one of them is closed; who is no admin may do neither.
async fn s0_13_connections_are_listed_and_closed(deployment: &Deployment) -> anyhow::Result<()> {
    let [first, second] = deployment.gateways();
    let (user, room) = (deployment.user("alice").await?, unique("general"));
    let path = format!("/ws/chat/{room}/?since=");
    let mut sockets = Vec::new();
    for gateway in [first, second, second] {
        let mut socket = gateway.socket(&path)?.token(&user.token).open().await?;
        socket.next_of_type("connected").await?;
        sockets.push(socket);
    }
    let login = ["--login", "admin", "--url", &first.http];
    let list = |arguments: &[&str]| Invocation::of(&["connections", "--json"]).with(&login).with(arguments);
    let of_user = list(&["--user", &user.id]).exits(0).await?.json()?;
    has(&of_user, &json!({"count": 3, "next": null, "unanswered": []}))?;
    let pages =
        list(&["--user", &user.id, "--endpoint", "chat", "--limit", "1", "--all"]).exits(0).await?.json()?;
    let items = pages["items"].as_array().cloned().unwrap_or_default();
    ensure!(items.len() == 3, "{pages}");
    ensure!(items.iter().all(|item| item["channels"] == json!([format!("room.{room}")])), "{pages}");
    let page = list(&["--user", &user.id, "--limit", "1"]).exits(0).await?.json()?;
    ensure!(page["next"].is_string() && page["items"].as_array().map(Vec::len) == Some(1), "{page}");
    let none = list(&["--user", &user.id, "--endpoint", "counter"]).exits(0).await?.json()?;
    has(&none, &json!({"count": 0}))?;
    let table = Invocation::of(&["connections", "--user", &user.id]).with(&login).exits(0).await?.output;
    ensure!(table.lines().count() == 5 && !table.contains('\x1b'), "{table}");

    let ids: Vec<&str> = items.iter().filter_map(|item| item["id"].as_str()).collect();
    let closed =
        Invocation::of(&["disconnect", "--json"]).with(&login).with(&ids).exits(0).await?.objects()?;
    ensure!(closed.len() == 3 && closed.iter().all(|object| object["disconnected"] == true), "{closed:?}");
    for socket in &mut sockets {
        ends(socket, 4102).await?;
    }
    // One that there never was, at a gateway that there is.
    let gone = format!("{}-4000000000", ids[0].split('-').next().unwrap_or_default());
    let refused = Invocation::of(&["disconnect", "--json", &gone]).with(&login).exits(1).await?.json()?;
    has(&refused, &json!({"id": gone, "disconnected": false, "answer": Value::Null}))?;

    let stranger =
        Invocation::of(&["connections", "--url", &first.http, "--token", &user.token]).exits(1).await?;
    stranger.complains("an admin's")?;
    let nobody = Invocation::of(&["connections", "--url", &first.http]).exits(1).await?;
    nobody.complains("401")
}
