//! Traces that callers have begun, and which are recorded.

use anyhow::ensure;
use carillon_testkit::{CollectedSpan, Deployment, OneProcess, Options, send};
use reqwest::Method;
use serde_json::json;

use super::{collected, collected_with};
use crate::{checks::connect, suite::Suite};

/// The place of a caller in a trace that it has begun.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// Another trace, whose caller has decided that it is not recorded.
const UNSAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

pub(super) fn register(suite: &mut Suite) {
    suite.own_process("trace_of_a_caller_goes_on", none_of_our_own, goes_on);
    suite.own_process("trace_of_a_caller_may_be_ignored", ignoring, ignored);
}

/// No trace that begins here is recorded.
fn none_of_our_own() -> Options {
    collected_with(&[("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0")])
}

fn ignoring() -> Options {
    Options { gateway_arguments: vec!["--ignore-traceparent".to_owned()], ..collected() }
}

/// Of all that happened, only what belongs to the trace of the caller who wants it recorded is: an HTTP request and
/// a handshake, with everything that follows from them.
async fn goes_on(process: &OneProcess) -> anyhow::Result<()> {
    let deployment = process.deployment();
    let user = deployment.user("alice").await?;
    notify(deployment, &user.id, Some(UNSAMPLED)).await?;
    notify(deployment, &user.id, None).await?;
    let caller = format!("00-{TRACE}-{PARENT}-01");
    let handshake = deployment.socket("/ws/notifications/")?.token(&user.token);
    let mut socket = handshake.header("traceparent", &caller).open().await?;
    socket.next_of_type("connection.established").await?;
    notify(deployment, &user.id, Some(&caller)).await?;
    socket.next_of_type("notification").await?;
    refused(deployment, &caller).await?;
    // What waits to be sent is sent at the end.
    deployment.stop(OneProcess::NAME).await?;
    let spans = deployment.collector()?.spans();
    let others: Vec<_> = spans.iter().filter(|span| span.trace != TRACE).collect();
    ensure!(others.is_empty(), "recorded though nobody wanted it: {others:#?}");
    let mut begun: Vec<_> =
        spans.iter().filter(|span| span.parent == PARENT).map(|span| &*span.name).collect();
    begun.sort_unstable();
    let expected = ["GET /api/notifications/", "POST /api/notifications/send/", "session.open"];
    ensure!(begun == expected, "{begun:?}");
    ensure!(spans.iter().any(|span| span.name == "fan_out"), "{spans:#?}");
    Ok(())
}

/// What is logged about a request names its trace.
async fn refused(deployment: &Deployment, caller: &str) -> anyhow::Result<()> {
    let request = deployment.api().request(Method::GET, "/api/notifications/").bearer_auth("nonsense");
    send(request.header("traceparent", caller)).await?.expect(401)?;
    let supervisor = deployment.supervisor();
    supervisor.wait_for_output(OneProcess::NAME, &format!("trace_id={TRACE}")).await
}

async fn ignored(process: &OneProcess) -> anyhow::Result<()> {
    let deployment = process.deployment();
    let user = deployment.user("alice").await?;
    let _socket = connect(&deployment.gateways()[0], "/ws/notifications/", &user.token).await?;
    notify(deployment, &user.id, Some(UNSAMPLED)).await?;
    let is_request = |span: &&CollectedSpan| span.name == "POST /api/notifications/send/";
    let found =
        deployment.collector()?.wait_for("the request", |spans| spans.iter().find(is_request).cloned());
    let root = found.await?;
    ensure!(root.parent.is_empty() && !UNSAMPLED.contains(&root.trace), "{root:?}");
    Ok(())
}

async fn notify(deployment: &Deployment, user: &str, caller: Option<&str>) -> anyhow::Result<()> {
    let request = deployment.admin().await?.api().request(Method::POST, "/api/notifications/send/");
    let request = request.json(&json!({"user_id": user, "title": "Hello", "message": "Hello"}));
    let request = caller.into_iter().fold(request, |request, caller| request.header("traceparent", caller));
    send(request).await?.expect(200).map(drop)
}
