//! Documents that several people edit: real clients, npm's `yjs` and `y-websocket`, as they are.

use anyhow::{Context, ensure};
use carillon_testkit::{Cluster, Deployment, Gateway, Options, unique};
use serde_json::{Value, json};

use crate::{
    clients::Program,
    suite::{Suite, both},
};

/// How many words each client types.
const WORDS: usize = 100;

pub(crate) fn register(suite: &mut Suite) {
    both!(suite, yjs_clients_converge_and_a_late_one_gets_the_text, yjs_clients_see_each_other);
    suite.own_cluster("yjs_clients_survive_a_gateway", Options::default, a_gateway_is_killed);
}

/// A client of that gateway, once it has all that there is, and that text.
async fn client(gateway: &Gateway, room: &str, token: &str) -> anyhow::Result<(Program, Value)> {
    let server = format!("{}/ws/documents", gateway.websocket);
    let given = format!("const server = '{server}', room = '{room}', token = '{token}';");
    let mut client = Program::javascript(&format!("{given}\n{}", include_str!("clients/yjs.js")))?;
    let text = after(&mut client, "synced ").await?;
    Ok((client, text))
}

/// What it prints next after that word.
async fn after(client: &mut Program, word: &str) -> anyhow::Result<Value> {
    loop {
        let line = client.line(word).await?;
        if let Some(value) = line.strip_prefix(word) {
            return serde_json::from_str(value).with_context(|| line.clone());
        }
    }
}

async fn tell(client: &mut Program, command: &Value) -> anyhow::Result<()> {
    client.type_line(&command.to_string()).await
}

async fn leave(mut client: Program) -> anyhow::Result<()> {
    tell(&mut client, &json!({"leave": {}})).await?;
    client.ends().await
}

/// The text of that length that both have in the end.
async fn agree(one: &mut Program, two: &mut Program, length: usize) -> anyhow::Result<Value> {
    for client in [&mut *one, &mut *two] {
        tell(client, &json!({"expect": length})).await?;
    }
    let texts = [after(one, "complete ").await?, after(two, "complete ").await?];
    ensure!(texts[0] == texts[1], "they differ: {texts:?}");
    Ok(texts[0].clone())
}

/// The length of what a client types in so many words, all in all.
fn typed(name: &str, words: usize) -> usize {
    (0..words).map(|number| format!("{name}{number};").len()).sum()
}

/// Show 4 of rooms: two clients on two gateways edit one text at once and converge; a third that
/// comes after both left gets the text.
pub(crate) async fn yjs_clients_converge_and_a_late_one_gets_the_text(
    deployment: &Deployment,
) -> anyhow::Result<()> {
    let ([first, second], room) = (deployment.gateways(), unique("plan"));
    let (ada, bob) = (deployment.user("ada").await?, deployment.user("bob").await?);
    let (mut one, empty) = client(first, &room, &ada.token).await?;
    ensure!(empty == "", "{empty}");
    let (mut two, _) = client(second, &room, &bob.token).await?;
    for (client, name) in [(&mut one, "a"), (&mut two, "b")] {
        tell(client, &json!({"type": {"words": WORDS, "name": name}})).await?;
    }
    let text = agree(&mut one, &mut two, typed("a", WORDS) + typed("b", WORDS)).await?;
    for client in [one, two] {
        leave(client).await?;
    }
    let (late, found) = client(second, &room, &ada.token).await?;
    ensure!(found == text, "{found} instead of {text}");
    leave(late).await
}

/// Who is there and where its cursor is, for those who were there before and those who come later.
async fn yjs_clients_see_each_other(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], room) = (deployment.gateways(), unique("plan"));
    let user = deployment.user("ada").await?;
    let (mut one, _) = client(first, &room, &user.token).await?;
    let (ada, bob) = (json!({"user": {"name": "Ada"}}), json!({"user": {"name": "Bob"}, "cursor": 7}));
    tell(&mut one, &json!({"present": ada, "meet": "Bob"})).await?;
    let (mut two, _) = client(second, &room, &user.token).await?;
    tell(&mut two, &json!({"present": bob, "meet": "Ada"})).await?;
    let seen = [after(&mut one, "met ").await?, after(&mut two, "met ").await?];
    ensure!(seen == [bob, ada], "{seen:?}");
    leave(two).await?;
    leave(one).await
}

/// What a client types while its gateway is gone is there when the gateway is back.
async fn a_gateway_is_killed(cluster: &Cluster) -> anyhow::Result<()> {
    let (deployment, room) = (cluster.deployment(), unique("plan"));
    let [first, second] = deployment.gateways();
    let user = deployment.user("ada").await?;
    let (mut one, _) = client(first, &room, &user.token).await?;
    let (mut two, _) = client(second, &room, &user.token).await?;
    for (client, name) in [(&mut one, "a"), (&mut two, "b")] {
        tell(client, &json!({"type": {"words": WORDS, "name": name}})).await?;
    }
    deployment.kill(&first.name)?;
    one.line("closed ").await?;
    // Nobody hears that yet.
    tell(&mut one, &json!({"insert": [0, "zzz"]})).await?;
    deployment.start(&first.name).await?;
    one.line("synced ").await?;
    let text = agree(&mut one, &mut two, typed("a", WORDS) + typed("b", WORDS) + 3).await?;
    ensure!(text.as_str().is_some_and(|text| text.matches('z').count() == 3), "{text}");
    let (late, found) = client(second, &room, &user.token).await?;
    ensure!(found == text, "{found} instead of {text}");
    for client in [one, two, late] {
        leave(client).await?;
    }
    Ok(())
}
