//! Server-sent events: npm's `eventsource`, which follows the standard's EventSource, and plain HTTP.

use anyhow::{Context, ensure};
use carillon_testkit::{Cluster, DEADLINE, Deployment, Gateway, OneProcess, Options, User, send, unique};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::{
    chat_rooms::enter,
    clients::Program,
    suite::{Suite, both},
};

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        an_event_source_hears_what_a_socket_hears,
        what_was_missed_is_had_by_the_last_id_on_any_gateway,
        a_stream_ends_with_its_membership_and_does_not_begin_without,
    );
    suite.own_cluster("an_event_source_survives_a_gateway", Options::default, a_gateway_is_killed);
    suite.own_process("an_event_source_survives_a_restart", Options::default, it_is_killed);
}

/// An EventSource that prints each message, after it has printed the first.
async fn event_source(gateway: &Gateway, channel: &str, token: &str) -> anyhow::Result<Program> {
    let url = format!("{}/api/events/{channel}/?token={token}", gateway.http);
    let code = format!(
        "const {{ EventSource }} = require('eventsource');
        const source = new EventSource('{url}');
        source.onmessage = ({{ data, lastEventId }}) => console.log('heard', lastEventId, data);
        source.onerror = ({{ code }}) => console.log('error', code, source.readyState);"
    );
    let mut program = Program::javascript(&code)?;
    program.line("heard").await?;
    Ok(program)
}

/// The next message with this text, and its place.
async fn heard(source: &mut Program, text: &str) -> anyhow::Result<(String, Value)> {
    let line = source.line(text).await?;
    let mut words = line.splitn(3, ' ').skip(1);
    let place = words.next().context("a place")?.to_owned();
    Ok((place, serde_json::from_str(words.next().context("data")?)?))
}

async fn publish(deployment: &Deployment, org: &str, name: &str) -> anyhow::Result<()> {
    let event = json!({"event_type": name, "data": {}});
    deployment.admin().await?.publish(org, &event).await.map(drop)
}

pub(crate) async fn an_event_source_hears_what_a_socket_hears(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], room) = (deployment.gateways(), unique("stream"));
    let (ada, bob) = (deployment.user("ada").await?, deployment.user("bob").await?);
    let mut socket = enter(second.socket(&format!("/ws/chat/{room}/"))?.token(&bob.token)).await?;
    let mut source = event_source(first, &format!("room.{room}"), &ada.token).await?;
    // Who hears a room is there.
    let joined = |frame: &Value| frame["event"] == "user_joined" && frame["user_id"] == ada.id_json();
    socket.next_where("the coming", joined).await?;
    for number in 0..3 {
        let message = format!("number {number} of {room}");
        socket.send_json(&json!({"type": "chat_message", "message": message})).await?;
        let by_socket = socket.next_of_type("chat_message").await?;
        let (place, by_source) = heard(&mut source, &message).await?;
        ensure!(by_source == by_socket, "{by_source} and {by_socket}");
        ensure!(place.ends_with(&format!(".{}", by_source["offset"])), "{place} of {by_source}");
    }
    source.stop().await?;
    let left = |frame: &Value| frame["event"] == "user_left" && frame["user_id"] == ada.id_json();
    socket.next_where("the leaving", left).await.map(drop)
}

/// The text of a stream, from its beginning until this text is in it.
async fn read_until(mut response: Response, text: &str) -> anyhow::Result<String> {
    let mut received = String::new();
    while !received.contains(text) {
        let chunk = tokio::time::timeout(DEADLINE, response.chunk()).await.context(received.clone())??;
        received.push_str(std::str::from_utf8(&chunk.context("it has ended")?)?);
    }
    Ok(received)
}

async fn stream(gateway: &Gateway, channel: &str, user: &User, last: &str) -> anyhow::Result<Response> {
    let api = gateway.api().with_token(&user.token);
    let request = api.request(Method::GET, &format!("/api/events/{channel}/")).header("last-event-id", last);
    let response = request.send().await?;
    ensure!(response.status() == 200, "{}", response.status());
    Ok(response)
}

/// The places of the events in a stream's text.
fn places(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("id: ")).collect()
}

/// Whether places are those after another one, without a gap.
fn follow(place: &str, places: &[&str]) -> bool {
    let offset = |place: &str| place.rsplit_once('.').and_then(|(_, offset)| offset.parse::<u64>().ok());
    let Some(first) = offset(place) else { return false };
    places.len() >= 4 && places.iter().zip(first + 1..).all(|(place, next)| offset(place) == Some(next))
}

pub(crate) async fn what_was_missed_is_had_by_the_last_id_on_any_gateway(
    deployment: &Deployment,
) -> anyhow::Result<()> {
    let user = deployment.user("ada").await?;
    let org = deployment.org(&[&user]).await?;
    let channel = format!("org.{org}");
    let [first, second] = deployment.gateways();
    let greeted = stream(first, &channel, &user, "").await?;
    let names: Vec<String> = (0..5).map(|_| unique("event")).collect();
    publish(deployment, &org, &names[0]).await?;
    let text = read_until(greeted, &names[0]).await?;
    let seen = (*places(&text).last().context("a place")?).to_owned();
    for name in &names[1..] {
        publish(deployment, &org, name).await?;
    }
    for gateway in [first, second] {
        let text = read_until(stream(gateway, &channel, &user, &seen).await?, &names[4]).await?;
        // The organisation may tell of its new member meanwhile.
        ensure!(text.contains(r#"{"type":"recovery","recovered":true,"missed":"#), "{text}");
        ensure!(!text.contains(&names[0]) && follow(&seen, &places(&text)), "{text}");
        ensure!(names[1..].iter().all(|name| text.matches(&format!("\"{name}\"")).count() == 1), "{text}");
        ensure!(names[1..].iter().map(|name| text.find(name)).is_sorted(), "{text}");
    }
    let text = read_until(stream(second, &channel, &user, "other.7").await?, "recovery").await?;
    ensure!(text.contains(r#"{"type":"recovery","recovered":false}"#), "{text}");
    Ok(())
}

async fn a_stream_ends_with_its_membership_and_does_not_begin_without(
    deployment: &Deployment,
) -> anyhow::Result<()> {
    let (user, stranger) = (deployment.user("ada").await?, deployment.user("bob").await?);
    let org = deployment.org(&[&user]).await?;
    let path = format!("/api/events/org.{org}/");
    let [first, second] = deployment.gateways();
    let response = stream(first, &format!("org.{org}"), &user, "").await?;
    let (nobody, other) = (first.api(), second.api().with_token(&stranger.token));
    ensure!(send(nobody.request(Method::GET, &path)).await?.status == 401);
    ensure!(send(other.request(Method::GET, &path)).await?.status == 403);
    let unknown = other.request(Method::GET, "/api/events/project.nothing-here.tickets/");
    ensure!([403, 404].contains(&send(unknown).await?.status));
    deployment.admin().await?.remove_org_member(&org, &user.id).await?;
    let text = read_until(response, "\"type\":\"closed\"").await?;
    ensure!(text.contains("\"code\":4003"), "{text}");
    let again = first.api().with_token(&user.token).request(Method::GET, &path);
    ensure!(send(again).await?.status == 403);
    Ok(())
}

/// It comes back by itself, and has everything once and in order; of which so many are published meanwhile.
async fn survives(
    deployment: &Deployment,
    meanwhile: usize,
    kill: impl AsyncFnOnce() -> anyhow::Result<()>,
    start: impl AsyncFnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let user = deployment.user("ada").await?;
    let org = deployment.org(&[&user]).await?;
    let mut source = event_source(&deployment.gateways()[0], &format!("org.{org}"), &user.token).await?;
    let names: Vec<String> = (0..6).map(|_| unique("event")).collect();
    publish(deployment, &org, &names[0]).await?;
    let (_, first) = heard(&mut source, &names[0]).await?;
    kill().await?;
    source.line("error").await?;
    for name in &names[1..=meanwhile] {
        publish(deployment, &org, name).await?;
    }
    start().await?;
    for name in &names[meanwhile + 1..] {
        publish(deployment, &org, name).await?;
    }
    let mut offset = first["offset"].as_u64().context("an offset")?;
    let mut expected = names[1..].iter().peekable();
    while let Some(name) = expected.peek() {
        let (place, event) = heard(&mut source, "\"event_type\":").await?;
        offset += 1;
        ensure!(event["offset"] == offset && place.ends_with(&format!(".{offset}")), "{place}: {event}");
        // The organisation may tell of its new member meanwhile.
        if event["event_type"] != "member.joined" {
            ensure!(event["event_type"] == ***name, "{event} instead of {name}");
            expected.next();
        }
    }
    source.stop().await
}

async fn a_gateway_is_killed(cluster: &Cluster) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let name = &deployment.gateways()[0].name;
    survives(deployment, 3, async || deployment.kill(name), async || deployment.start(name).await).await
}

async fn it_is_killed(process: &OneProcess) -> anyhow::Result<()> {
    let start = async || process.start_again().await;
    survives(process.deployment(), 0, async || process.kill(), start).await
}
