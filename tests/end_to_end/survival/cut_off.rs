//! Access that ends while a gateway can't be told.

use std::time::Duration;

use anyhow::{Context, ensure};
use carillon_testkit::{Api, Cluster, DEADLINE, Gateway, NatsProxy, Options, Socket, User, unique};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::listener::{is_open, is_told};
use crate::{
    checks::{connect, ends, refused},
    suite::Suite,
};

/// How long a connection may outlive the access that it needs, from the call or, at a gateway that was cut
/// off, from its return.
const PROMPTLY: Duration = Duration::from_secs(2);

/// How often a gateway's readiness is looked at.
const POLL: Duration = Duration::from_millis(20);

pub(super) fn register(suite: &mut Suite) {
    suite.own_cluster("survival_of_a_revocation", Options::default, a_revocation_reaches_who_was_cut_off);
}

/// Connections at one gateway: of a user about to be revoked, of one whose membership is about to end, and
/// of one whom neither concerns.
struct Connections {
    revoked: Socket,
    member: Socket,
    bystander: Socket,
}

/// The users behind them, and the organisation.
struct Cast {
    revoked: User,
    member: User,
    bystander: User,
    org: String,
}

/// A user is revoked and a membership ends while one gateway is cut off from the bus. At the others the
/// connections are closed within two seconds; at that one they stay open, and are closed within two
/// seconds of its return.
async fn a_revocation_reaches_who_was_cut_off(cluster: &Cluster) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let proxy = NatsProxy::start(cluster.nats()).await?;
    let cut_off = cluster.add_gateway("gateway-3", &["--nats-url", &proxy.url()], &[]).await?;
    let cast = Cast::new(cluster).await?;
    let (mut here, mut there) =
        (cast.connect(&deployment.gateways()[0]).await?, cast.connect(&cut_off).await?);
    proxy.cut();
    until_ready(&cut_off, false).await?;

    let admin = deployment.admin().await?;
    let called = Instant::now();
    admin.revoke_user(&cast.revoked.id).await?;
    is_closed(&mut here.revoked, 4001, called).await.context("revoked")?;
    let called = Instant::now();
    admin.remove_org_member(&cast.org, &cast.member.id).await?;
    is_closed(&mut here.member, 4003, called).await.context("no longer a member")?;
    is_open(&mut here.bystander).await?;
    for socket in [&mut there.revoked, &mut there.member, &mut there.bystander] {
        is_open(socket).await.context("while the gateway is cut off")?;
    }

    proxy.restore();
    until_ready(&cut_off, true).await?;
    let back = Instant::now();
    is_closed(&mut there.revoked, 4001, back).await.context("revoked, at the gateway that was cut off")?;
    is_closed(&mut there.member, 4003, back).await.context("no member, at the gateway that was cut off")?;
    let title = unique("well");
    admin.notify(&json!({"user_id": cast.bystander.id, "title": title, "message": "Hello"})).await?;
    for mut connections in [here, there] {
        is_told(&mut connections.bystander, &title).await?;
        connections.bystander.close().await?;
    }
    for gateway in [&deployment.gateways()[0], &cut_off] {
        cast.stay_out(gateway).await?;
    }
    Ok(())
}

impl Cast {
    async fn new(cluster: &Cluster) -> anyhow::Result<Self> {
        let deployment = cluster.deployment();
        let member = deployment.user("bob").await?;
        let org = deployment.org(&[&member]).await?;
        let (revoked, bystander) = (deployment.user("alice").await?, deployment.user("carol").await?);
        Ok(Self { revoked, member, bystander, org })
    }

    async fn connect(&self, gateway: &Gateway) -> anyhow::Result<Connections> {
        Ok(Connections {
            revoked: connect(gateway, "/ws/notifications/", &self.revoked.token).await?,
            member: connect(gateway, &self.events(), &self.member.token).await?,
            bystander: connect(gateway, "/ws/notifications/", &self.bystander.token).await?,
        })
    }

    /// Whose access has ended doesn't come in again.
    async fn stay_out(&self, gateway: &Gateway) -> anyhow::Result<()> {
        let revoked = gateway.socket("/ws/notifications/")?.token(&self.revoked.token);
        refused(revoked, 4001).await.context("revoked, once more")?;
        let member = gateway.socket(&self.events())?.token(&self.member.token);
        refused(member, 4003).await.context("no member, once more")
    }

    fn events(&self) -> String {
        format!("/ws/events/{}/", self.org)
    }
}

async fn is_closed(socket: &mut Socket, expected: u16, since: Instant) -> anyhow::Result<()> {
    ends(socket, expected).await?;
    let elapsed = since.elapsed();
    ensure!(elapsed < PROMPTLY, "it took {elapsed:?}");
    Ok(())
}

/// Waits until a gateway says that it is ready, or that it isn't.
async fn until_ready(gateway: &Gateway, wanted: bool) -> anyhow::Result<()> {
    let operations = Api::new(reqwest::Client::new(), &gateway.operations);
    let deadline = Instant::now() + DEADLINE;
    loop {
        let status = operations.get("/readyz").await?.status;
        if (status == 200) == wanted {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "{} answers /readyz with {status}", gateway.name);
        sleep(POLL).await;
    }
}
