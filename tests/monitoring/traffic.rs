//! A little of everything that a cluster does.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use carillon_testkit::{Admin, Deployment, Gateway, PASSWORD, Project, Socket, User, log_in, unique};
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};

/// How often it is done again: often enough that each scrape finds some of it.
const PACE: Duration = Duration::from_millis(500);

/// Whoever does it.
#[derive(Clone)]
pub(crate) struct Traffic(Arc<Inner>);

struct Inner {
    gateway: Gateway,
    admin: Admin,
    alice: User,
    bob: User,
    org: String,
    project: Project,
    room: String,
    failure: Mutex<Option<String>>,
}

impl Traffic {
    pub(crate) async fn start(deployment: &Deployment) -> anyhow::Result<Self> {
        let [gateway, _] = deployment.gateways();
        let (alice, bob) = (deployment.user("alice").await?, deployment.user("bob").await?);
        Ok(Self(Arc::new(Inner {
            gateway: gateway.clone(),
            admin: Admin::log_in(&gateway.api()).await?,
            org: deployment.org(&[&alice, &bob]).await?,
            project: deployment.project(&[&alice, &bob]).await?,
            alice,
            bob,
            room: unique("room"),
            failure: Mutex::default(),
        })))
    }

    /// Does it for ever. What fails is tried again: a part of the cluster may be down on purpose.
    pub(crate) async fn run(self) {
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            pace.tick().await;
            let failure = self.0.once().await.err().map(|error| format!("{error:?}"));
            *self.0.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
        }
    }

    /// What failed the last time, for whoever lacks data.
    pub(crate) fn said(&self) -> String {
        let failure = self.0.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.as_ref().map_or("all was done".to_owned(), |failure| format!("not all was done: {failure}"))
    }

    /// Causes a notification, which ticket-presence owes to its receiver.
    pub(crate) async fn assign_a_ticket(&self) -> anyhow::Result<()> {
        self.0.assign_a_ticket().await
    }
}

impl Inner {
    async fn once(&self) -> anyhow::Result<()> {
        let api = self.gateway.api();
        log_in(&api, &self.alice.username, PASSWORD).await?;
        // A membership that ends is an event of auth's log.
        self.admin.remove_org_member(&self.org, &self.bob.id).await?;
        self.admin.add_org_member(&self.org, &self.bob.id).await?;
        self.come_back().await?;
        self.admin.publish(&self.org, &json!({"event_type": "looked", "data": {}})).await?;
        self.admin.api().get("/api/monitoring/websocket/metrics/").await?.expect(200)?;
        self.gateway.socket("/ws/notifications/")?.token("not a token").open().await?.expect_close().await?;
        self.speak().await?;
        self.speak_of_channels().await?;
        self.assign_a_ticket().await
    }

    /// Hears a notification, goes, and comes back for another one.
    async fn come_back(&self) -> anyhow::Result<()> {
        let mut socket = self.enter("/ws/notifications/", None).await?;
        self.notify().await?;
        socket.next_of_type("notification").await?;
        let since = socket.since();
        socket.close().await?;
        self.notify().await?;
        self.enter("/ws/notifications/", since).await?.close().await
    }

    async fn notify(&self) -> anyhow::Result<()> {
        let body = json!({"user_id": self.alice.id, "title": "A word", "message": "Hello"});
        self.admin.notify(&body).await.map(drop)
    }

    async fn speak(&self) -> anyhow::Result<()> {
        // A room greets nobody.
        let path = format!("/ws/chat/{}/", self.room);
        let mut socket = self.gateway.socket(&path)?.token(&self.alice.token).open().await?;
        socket.send_json(&json!({"type": "chat_message", "message": "Hello"})).await?;
        socket.next_of_type("chat_message").await?;
        socket.close().await
    }

    async fn speak_of_channels(&self) -> anyhow::Result<()> {
        let mut socket = self.enter("/ws/v1/", None).await?;
        socket.send_json(&json!({"type": "ping"})).await?;
        socket.close().await
    }

    async fn assign_a_ticket(&self) -> anyhow::Result<()> {
        let api = self.gateway.api().with_token(&self.alice.token);
        let ticket = json!({"title": "Look at it", "assignee": self.bob.id_json()});
        api.post(&format!("/api/projects/{}/tickets/", self.project.id), &ticket).await?.expect(201)?;
        let path = format!("/ws/projects/{}/presence/", self.project.id);
        self.enter(&path, None).await?.close().await
    }

    /// Opens a connection, and waits for its greeting.
    async fn enter(&self, path: &str, since: Option<String>) -> anyhow::Result<Socket> {
        let handshake = self.gateway.socket(path)?.token(&self.alice.token).since(since);
        let mut socket = handshake.open().await?;
        let _: Value = socket.next_json().await?;
        Ok(socket)
    }
}
