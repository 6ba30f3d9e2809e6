//! Who hears of a project: its members and admins, for as long as they are that.

use anyhow::Context;
use carillon_testkit::{Deployment, Gateway, JWT_SECRET, Socket, User, hs256, simple_jwt_claims};
use serde_json::json;

use super::{Team, api_of};
use crate::{
    checks::{ends, has, lives, refused},
    suite::{Suite, both},
};

/// The endpoints of a project.
const ENDPOINTS: [&str; 3] = ["tickets/", "presence/", ""];

pub(super) fn register(suite: &mut Suite) {
    both!(
        suite,
        s3_02_only_members_and_admins_enter,
        s3_02_one_whose_membership_ends_is_out,
        s3_02_nothing_is_sent_to_tickets,
    );
}

async fn s3_02_only_members_and_admins_enter(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], team) = (deployment.gateways(), Team::start(deployment).await?);
    let stranger = deployment.user("carol").await?;
    let admin =
        carillon_testkit::log_in(&first.api(), carillon_testkit::ADMIN, carillon_testkit::PASSWORD).await?;
    // Somebody else's user of the same id.
    let namesake = hs256(JWT_SECRET, &simple_jwt_claims(&team.alice.id_json()));
    for endpoint in ENDPOINTS {
        let path = team.path(endpoint);
        refused(first.socket(&path)?, 4001).await.context("without a token")?;
        refused(first.socket(&path)?.token("nonsense"), 4001).await?;
        refused(first.socket(&path)?.token(&stranger.token), 4003).await?;
        refused(first.socket(&path)?.token(&namesake), 4003).await?;
        for user in [&team.alice, &admin] {
            for unknown in ["999999999", "nothing", "%2A", "%3E", &format!("0{}", team.project.id)] {
                let path = format!("/ws/projects/{unknown}/{endpoint}");
                refused(second.socket(&path)?.token(&user.token), 4004).await.context(path)?;
            }
            lives(team.listen(second, endpoint, user).await?).await?;
        }
    }
    Ok(())
}

/// At once, wherever it is connected; the others stay.
async fn s3_02_one_whose_membership_ends_is_out(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let bob = api_of(deployment, &team.bob);
    let elsewhere = deployment.project(&[&team.bob]).await?;
    let (mut ended, mut stay) = (Vec::new(), Vec::new());
    for gateway in deployment.gateways() {
        ended.extend(everywhere(&team, gateway, &team.bob).await?);
        stay.extend(everywhere(&team, gateway, &team.alice).await?);
        let path = format!("/ws/projects/{}/tickets/", elsewhere.id);
        stay.push(crate::checks::connect(gateway, &path, &team.bob.token).await?);
    }
    let admin = deployment.admin().await?;
    admin.remove_project_member(&team.project.id, &team.bob.id).await?;
    for mut socket in ended {
        ends(&mut socket, 4003).await?;
    }
    for socket in stay {
        lives(socket).await?;
    }
    refused(deployment.socket(&team.path("tickets/"))?.token(&team.bob.token), 4003).await?;
    bob.get(&team.route("tickets/")).await?.expect(403)?;
    admin.add_project_member(&team.project.id, &team.bob.id).await?;
    bob.get(&team.route("tickets/")).await?.expect(200)?;
    for gateway in deployment.gateways() {
        lives(team.listen(gateway, "tickets/", &team.bob).await?).await?;
    }
    let api = deployment.admin().await?.api();
    let mut last = team.listen(deployment.gateways().first().context("a gateway")?, "", &team.alice).await?;
    api.delete(&format!("/api/auth/projects/{}/", team.project.id)).await?.expect(204)?;
    ends(&mut last, 4003).await?;
    bob.get(&team.route("tickets/")).await?.expect(404)?;
    refused(deployment.socket(&team.path(""))?.token(&team.bob.token), 4004).await
}

async fn everywhere(team: &Team, gateway: &Gateway, user: &User) -> anyhow::Result<Vec<Socket>> {
    let mut sockets = Vec::new();
    for endpoint in ENDPOINTS {
        sockets.push(team.listen(gateway, endpoint, user).await?);
    }
    Ok(sockets)
}

/// But pings; whoever sends something else is told, and stays.
async fn s3_02_nothing_is_sent_to_tickets(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let mut socket = team.listen(&deployment.gateways()[0], "tickets/", &team.alice).await?;
    for frame in [json!({"type": "ticket_update"}), json!({"type": "viewing", "ticket_id": null}), json!([1])]
    {
        socket.send_json(&frame).await?;
        has(&socket.next_of_type("error").await?, &json!({"code": "read_only"}))?;
    }
    socket.send_text("{not json").await?;
    has(&socket.next_of_type("error").await?, &json!({"type": "error", "message": "Invalid JSON"}))?;
    lives(socket).await
}
