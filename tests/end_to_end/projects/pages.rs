//! The tests of document 3 (S3-07), as far as they are about the protocol: what a front end sees that was written
//! for it, of a deployment that speaks its dialect by default.

use anyhow::{Context, ensure};
use carillon_testkit::{Deployment, Gateway};
use serde_json::json;

use super::{Team, api_of};
use crate::{
    checks::{connect, has},
    clients::{Program, at},
    suite::{Suite, strict},
};

pub(super) fn register(suite: &mut Suite) {
    strict!(
        suite,
        s3_07_test_1_an_assignment_is_shown_in_another_window,
        s3_07_test_2_a_new_ticket_is_shown_in_another_tab,
        s3_07_test_4_a_console_is_greeted_and_answered,
    );
}

/// What runs in a page of somebody who has logged in, and a program hasn't.
fn page(token: &str) -> String {
    format!("globalThis.localStorage = {{getItem: (name) => ({{access_token: '{token}'}})[name] ?? null}};")
}

/// The code that the document gives for a browser's console.
fn console(gateway: &Gateway, token: &str) -> anyhow::Result<String> {
    let code = at(gateway, include_str!("../documents/3-console.js"));
    let (code, send) = code.split_once("// Send a ping\n").context("no ping in the document")?;
    // Pasted whole it throws, in any browser: the ping has to wait.
    let waits = format!("const opened = ws.onopen; ws.onopen = () => {{ opened(); {send} }};");
    Ok(format!("{}\n{code}\n{waits}", page(token)))
}

/// Test 1: two windows, two users.
async fn s3_07_test_1_an_assignment_is_shown_in_another_window(
    deployment: &Deployment,
    gateway: &Gateway,
) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let mut window = connect(gateway, "/ws/notifications/", &team.bob.token).await?;
    let alice = gateway.api().with_token(&team.alice.token);
    let ticket = team.create(&alice, &json!({"title": "Fix login bug"})).await?;
    let route = team.ticket_route(&ticket, "");
    alice.patch(&route, &json!({"assignee": team.bob.id_json()})).await?.expect(200)?;
    let shown = window.next_of_type("notification_message").await?;
    let message = format!("You were assigned to {}: Fix login bug", team.key(1));
    let toast = json!({"title": "Ticket Assigned", "message": message, "ticket_key": team.key(1)});
    has(&shown["data"], &toast)?;
    window.close().await
}

/// Test 2: two tabs, which are each other's witnesses; one at an ordinary gateway.
async fn s3_07_test_2_a_new_ticket_is_shown_in_another_tab(
    deployment: &Deployment,
    gateway: &Gateway,
) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let path = team.path("tickets/");
    let tabs = [
        connect(gateway, &path, &team.alice.token).await?,
        connect(&deployment.gateways()[1], &path, &team.alice.token).await?,
    ];
    let ticket = team.create(&api_of(deployment, &team.alice), &json!({"title": "Fix login bug"})).await?;
    for mut tab in tabs {
        let shown = tab.next_of_type("ticket_update").await?;
        ensure!(shown["action"] == "created" && shown["data"] == ticket, "{shown}");
        tab.close().await?;
    }
    Ok(())
}

/// Test 4: the code as the document has it, but that its ping waits until the connection is open.
async fn s3_07_test_4_a_console_is_greeted_and_answered(
    deployment: &Deployment,
    gateway: &Gateway,
) -> anyhow::Result<()> {
    let user = deployment.user("john").await?;
    let mut console = Program::javascript(&console(gateway, &user.token)?)?;
    console.line(&format!("Token: {}", user.token)).await?;
    console.line("✅ Connected to notifications!").await?;
    console.line("📨 Message received: {").await?;
    console.line("type: 'connection_established'").await?;
    console.line("type: 'pong'").await?;
    console.stop().await
}
