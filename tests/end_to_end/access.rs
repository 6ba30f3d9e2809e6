//! Who may enter which rooms and documents: rules made over HTTP (S0-03, S4-06).

use anyhow::Context;
use carillon_testkit::{Api, Deployment, Options, unique};
use serde_json::{Value, json};

use crate::{
    checks::{connect, ends, greeted, has, lives, refused},
    suite::{Suite, both},
};

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        a_rule_change_sends_everyone_away_and_takes_effect_everywhere,
        s0_03_a_room_of_an_organisation_is_for_its_members,
        a_document_s_rules_are_its_own,
        only_admins_see_and_change_rules,
    );
    suite.own_process("rules_by_configuration", configured, rules_by_configuration);
}

const ROUTE: &str = "/api/chat/access/";

/// Makes a rule; its id.
async fn set(api: &Api, area: &str, prefix: &str, allow: &str) -> anyhow::Result<Value> {
    let rule = json!({"area": area, "prefix": prefix, "allow": allow});
    let made = api.put(ROUTE, &rule).await?.expect(200)?;
    has(&made, &rule)?;
    Ok(made["id"].clone())
}

/// S4-06: with 1012, on every gateway. Whoever comes back is checked by the new rules, on every replica; the
/// history is for those who may enter.
async fn a_rule_change_sends_everyone_away_and_takes_effect_everywhere(
    deployment: &Deployment,
) -> anyhow::Result<()> {
    let ([first, second], prefix) = (deployment.gateways(), unique("eng"));
    let admin = deployment.admin().await?;
    let (alice, bob) = (deployment.user("alice").await?, deployment.user("bob").await?);
    let room = format!("/ws/chat/{prefix}-general/?since=");
    let mut guest = greeted(first.socket(&room)?).await?;
    let mut member = connect(second, &room, &alice.token).await?;
    let bystander = greeted(first.socket(&format!("/ws/chat/{}/?since=", unique("general")))?).await?;

    let id = set(admin.api(), "chat", &format!("{prefix}-"), &format!("users:{}", alice.id)).await?;
    for socket in [&mut guest, &mut member] {
        ends(socket, 1012).await?;
    }
    for gateway in [first, second, first, second] {
        lives(connect(gateway, &room, &alice.token).await?).await?;
        refused(gateway.socket(&room)?.token(&bob.token), 4004).await?;
        refused(gateway.socket(&room)?, 4003).await?;
    }
    let history = format!("/api/chat/rooms/{prefix}-general/messages/");
    second.api().with_token(&alice.token).get(&history).await?.expect(200)?;
    second.api().with_token(&bob.token).get(&history).await?.expect(403)?;
    second.api().get(&history).await?.expect(401)?;

    let mut member = connect(first, &room, &alice.token).await?;
    let route = format!("{ROUTE}{id}/");
    admin.api().delete(&route).await?.expect(204)?;
    ends(&mut member, 1012).await?;
    lives(greeted(second.socket(&room)?).await?).await?;
    lives(bystander).await
}

/// S0-03: and for as long as they are members.
async fn s0_03_a_room_of_an_organisation_is_for_its_members(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], prefix) = (deployment.gateways(), unique("proj"));
    let admin = deployment.admin().await?;
    let (alice, bob) = (deployment.user("alice").await?, deployment.user("bob").await?);
    let org = deployment.org(&[&alice]).await?;
    let room = format!("/ws/collaboration/{prefix}-board/");
    let mut early = connect(first, &room, &alice.token).await?;
    set(admin.api(), "collaboration", &prefix, &format!("org:{org}")).await?;
    // Who enters before the room is cleared would have to come back as well.
    ends(&mut early, 1012).await?;
    let mut member = connect(first, &room, &alice.token).await?;
    refused(second.socket(&room)?.token(&bob.token), 4003).await?;
    admin.add_org_member(&org, &bob.id).await?;
    let second_member = connect(second, &room, &bob.token).await?;
    admin.remove_org_member(&org, &alice.id).await?;
    ends(&mut member, 4003).await?;
    refused(second.socket(&room)?.token(&alice.token), 4003).await?;
    lives(second_member).await
}

/// The areas have nothing to do with each other.
async fn a_document_s_rules_are_its_own(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], prefix) = (deployment.gateways(), unique("notes"));
    let admin = deployment.admin().await?;
    let alice = deployment.user("alice").await?;
    let document = format!("/ws/documents/{prefix}-1/");
    let mut open = first.socket(&document)?.open().await?;
    let room = greeted(second.socket(&format!("/ws/chat/{prefix}-1/?since="))?).await?;
    // The server speaks first: from here on the session is open.
    open.next_binary().await?;
    set(admin.api(), "document", &prefix, "signed-in").await?;
    ends(&mut open, 1012).await?;
    refused(second.socket(&document)?, 4401).await?;
    let mut open = second.socket(&document)?.token(&alice.token).open().await?;
    open.next_binary().await?;
    lives(room).await
}

/// Others are refused, and what is no rule is named.
async fn only_admins_see_and_change_rules(deployment: &Deployment) -> anyhow::Result<()> {
    let (admin, user) = (deployment.admin().await?, deployment.user("alice").await?);
    let rule = json!({"area": "chat", "prefix": unique("x"), "allow": "signed-in"});
    for (api, status) in [(deployment.api(), 401), (deployment.api().with_token(&user.token), 403)] {
        api.get(ROUTE).await?.expect(status)?;
        api.put(ROUTE, &rule).await?.expect(status)?;
        api.delete(&format!("{ROUTE}1/")).await?.expect(status)?;
    }
    for (field, value) in [("area", json!("rooms")), ("prefix", json!(7)), ("allow", json!("nobody"))] {
        let mut wrong = rule.clone();
        wrong[field] = value;
        has(&admin.api().put(ROUTE, &wrong).await?.expect(422)?, &json!({"field": field}))?;
    }
    let id = set(admin.api(), "chat", rule["prefix"].as_str().context("a prefix")?, "signed-in").await?;
    let listed = admin.api().get(ROUTE).await?.expect(200)?;
    let rules = listed["rules"].as_array().context("rules")?;
    let mine = rules.iter().find(|listed| listed["id"] == id).context("not listed")?;
    has(mine, &rule)?;
    has(mine, &json!({"source": "api", "in_force": true}))
}

fn configured() -> Options {
    let rules = "chat:eng-=signed-in;document:=signed-in".to_owned();
    Options { environment: vec![("CARILLON_ROOM_ACCESS".to_owned(), rules)], ..Options::default() }
}

/// Rules of the configuration hold, until one made over HTTP takes their place.
async fn rules_by_configuration(process: &carillon_testkit::OneProcess) -> anyhow::Result<()> {
    let deployment = process.deployment();
    let (admin, alice) = (deployment.admin().await?, deployment.user("alice").await?);
    refused(deployment.socket("/ws/chat/eng-1/")?, 4003).await?;
    refused(deployment.socket("/ws/documents/x/")?, 4401).await?;
    let mut early = greeted(deployment.socket("/ws/chat/eng-1/?since=")?.token(&alice.token)).await?;
    lives(greeted(deployment.socket("/ws/chat/general/?since=")?).await?).await?;
    let listed = admin.api().get(ROUTE).await?.expect(200)?;
    has(&listed["rules"][0], &json!({"prefix": "eng-", "source": "configuration", "in_force": true}))?;
    set(admin.api(), "chat", "eng-", "everyone").await?;
    ends(&mut early, 1012).await?;
    lives(greeted(deployment.socket("/ws/chat/eng-1/?since=")?).await?).await
}
