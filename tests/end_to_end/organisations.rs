//! Organisations and their events (document 1).

use anyhow::{Context, ensure};
use carillon_testkit::{ADMIN, Api, Deployment, Gateway, PASSWORD, Socket, User, log_in, send, unique};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    checks::{connect, has, refused},
    suite::{Suite, both},
};

/// Document 1's own example.
const UUID: &str = "123e4567-e89b-12d3-a456-426614174000";

/// What could mean something to a router, a subject, a channel's name or a URL. None may reach another.
const OPAQUE: [&str; 18] = [
    "a", "a.b", "a.*", "a.>", "*", ">", "a/b", "a%2Fb", "a=2Fb", "a b", "a+b", "A", "$SYS", "org.a", "a?b#c",
    "组织", "Ünï", "🎉",
];

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        s1_02_members_receive_the_events_of_an_organisation,
        s1_02_an_id_is_opaque_and_reaches_no_other_organisation,
        s1_04_an_event_carries_every_field_through,
        s1_15_every_type_of_organisation_event,
        a_key_makes_a_repeated_event_harmless,
    );
}

/// S1-02: JWT and membership, with document 1's UUID; on both gateways. Whoever is no member is closed with 4003.
async fn s1_02_members_receive_the_events_of_an_organisation(deployment: &Deployment) -> anyhow::Result<()> {
    let (alice, carol) = (deployment.user("alice").await?, deployment.user("carol").await?);
    let admin = deployment.admin().await?;
    admin.create_org(UUID).await?;
    admin.add_org_member(UUID, &alice.id).await?;
    let [first, second] = deployment.gateways();
    let path = format!("/ws/events/{UUID}/");
    let mut sockets = [listen(first, UUID, &alice).await?, listen(second, UUID, &alice).await?];
    let data = json!({"resource_id": "res-789", "resource_type": "document"});
    admin.publish(UUID, &json!({"event_type": "resource.created", "data": data})).await?;
    for socket in &mut sockets {
        let expected = json!({"type": "event", "event_type": "resource.created", "data": data});
        has(&socket.next_of_type("event").await?, &expected)?;
    }
    for path in [path, format!("/ws/events/{}/", UUID.to_uppercase())] {
        refused(first.socket(&path)?.token(&carol.token), 4003).await?;
    }
    // An admin sees every organisation; the last slash is optional.
    let admin = log_in(&deployment.api(), ADMIN, PASSWORD).await?;
    connect(second, &format!("/ws/events/{UUID}"), &admin.token).await?.close().await?;
    let other = deployment.org(&[&carol]).await?;
    refused(second.socket(&format!("/ws/events/{other}/"))?.token(&alice.token), 4003).await
}

/// S1-02: any text is an id, percent-encoded in the path, and is no other organisation's.
async fn s1_02_an_id_is_opaque_and_reaches_no_other_organisation(
    deployment: &Deployment,
) -> anyhow::Result<()> {
    let (member, stranger) = (deployment.user("alice").await?, deployment.user("carol").await?);
    let admin = deployment.admin().await?;
    let mut sockets = Vec::new();
    for (index, org) in OPAQUE.into_iter().enumerate() {
        let path = encoded(org);
        admin.create_org(org).await?;
        admin.add_org_member(&path, &member.id).await?;
        let gateway = &deployment.gateways()[index % 2];
        sockets.push(listen(gateway, &path, &member).await.with_context(|| org.to_owned())?);
        refused(gateway.socket(&format!("/ws/events/{path}/"))?.token(&stranger.token), 4003).await?;
    }
    for org in OPAQUE {
        admin.publish(&encoded(org), &json!({"event_type": "named", "data": {"org": org}})).await?;
    }
    for (org, mut socket) in OPAQUE.into_iter().zip(sockets) {
        has(&socket.next_of_type("event").await?, &json!({"data": {"org": org}}))?;
        socket.expect_none("an event of another organisation", |frame| frame["type"] == "event").await?;
        socket.close().await?;
    }
    Ok(())
}

/// S1-04: `data` and every further field arrive as they were sent.
async fn s1_04_an_event_carries_every_field_through(deployment: &Deployment) -> anyhow::Result<()> {
    let (publisher, org, mut sockets) = audience(deployment).await?;
    let event = json!({
        "event_type": "resource.created",
        "data": {
            "resource_id": "res-123",
            "resource_name": "My Document",
            "created_at": "2025-01-15T10:30:00Z",
            "nested": {"list": [1, 2.5, null, true, {"deep": "väl\"ue"}], "empty": {}},
            "big": 9_007_199_254_740_993_u64,
        },
        "actor": {"id": 7, "name": "Zoë"},
        "trace": ["a", "b"],
        "": "a field without a name",
    });
    publisher.post(&format!("/api/orgs/{org}/events/"), &event).await?.success()?;
    for socket in &mut sockets {
        let frame = socket.next_of_type("event").await?;
        has(&frame, &event)?;
    }
    Ok(())
}

/// S1-15: document 1's catalogue, and any other type; in the order in which they were published.
async fn s1_15_every_type_of_organisation_event(deployment: &Deployment) -> anyhow::Result<()> {
    let (publisher, org, mut sockets) = audience(deployment).await?;
    let types = [
        "resource.created",
        "resource.updated",
        "resource.deleted",
        "member.joined",
        "member.left",
        "system.alert",
        "quota.warning",
        "task.completed",
        "Anything else, ünless it is too long",
    ];
    for kind in types {
        publisher.post(&format!("/api/orgs/{org}/events/"), &json!({"event_type": kind})).await?.success()?;
    }
    for socket in &mut sockets {
        for (kind, offset) in types.into_iter().zip(2..) {
            let frame = socket.next_of_type("event").await?;
            has(&frame, &json!({"event_type": kind, "data": {}, "offset": offset}))?;
        }
    }
    Ok(())
}

async fn a_key_makes_a_repeated_event_harmless(deployment: &Deployment) -> anyhow::Result<()> {
    let (publisher, org, mut sockets) = audience(deployment).await?;
    let key = unique("event");
    let publish = async |key: &str, kind: &str| {
        let request = publisher.request(Method::POST, &format!("/api/orgs/{org}/events/"));
        send(request.header("idempotency-key", key).json(&json!({"event_type": kind}))).await
    };
    for _ in 0..3 {
        has(
            &publish(&key, "resource.created").await?.expect(200)?,
            &json!({"status": "success", "offset": 2}),
        )?;
    }
    publish(&key, "resource.deleted").await?.expect(409)?;
    publish(&unique("event"), "resource.created").await?.expect(200)?;
    for socket in &mut sockets {
        for offset in [2, 3] {
            has(&socket.next_of_type("event").await?, &json!({"offset": offset}))?;
        }
        socket.expect_none("a second copy", |frame| frame["type"] == "event").await?;
    }
    Ok(())
}

/// A back end that may publish, an organisation, and a member's connection to each gateway.
async fn audience(deployment: &Deployment) -> anyhow::Result<(Api, String, [Socket; 2])> {
    let member = deployment.user("alice").await?;
    let org = deployment.org(&[&member]).await?;
    let admin = deployment.admin().await?;
    let token = admin.create_service_token(&unique("publisher"), &["events:publish"]).await?;
    let [first, second] = deployment.gateways();
    let sockets = [listen(first, &org, &member).await?, listen(second, &org, &member).await?];
    Ok((deployment.api().with_token(&token.token), org, sockets))
}

/// Connects an organisation's only member, once the organisation has told that it joined: its first event.
pub(crate) async fn listen(gateway: &Gateway, org: &str, member: &User) -> anyhow::Result<Socket> {
    let mut socket = gateway.socket(&format!("/ws/events/{org}/"))?.token(&member.token).open().await?;
    let greeting: Value = socket.next_json().await?;
    has(&greeting, &json!({"type": "connection.established", "user_id": member.id_json()}))?;
    ensure!(greeting["channels"].as_array().is_some_and(|channels| channels.len() == 1), "{greeting}");
    if greeting["channels"][0]["offset"] == 0 {
        let joined =
            json!({"event_type": "member.joined", "data": {"user_id": member.id_json()}, "offset": 1});
        has(&socket.next_of_type("event").await?, &joined)?;
    }
    Ok(socket)
}

/// As JavaScript's `encodeURIComponent`, and more than that.
fn encoded(org: &str) -> String {
    utf8_percent_encode(org, NON_ALPHANUMERIC).to_string()
}
