//! Projects (documents 0 and 3: S0-02, S3-02 to S3-04, S3-07), their members' clients on different gateways.

mod back_end;
mod channel;
mod comments;
mod entering;
mod lists;
mod notices;
mod pages;
mod presence;
mod recovery;
mod refusals;
mod repetition;
mod tickets;
mod viewing;

use anyhow::Context;
use carillon_testkit::{Api, Deployment, Gateway, Project, Socket, User};
use serde_json::{Value, json};

use crate::{checks::connect, suite::Suite};

pub(crate) fn register(suite: &mut Suite) {
    tickets::register(suite);
    comments::register(suite);
    repetition::register(suite);
    lists::register(suite);
    entering::register(suite);
    refusals::register(suite);
    recovery::register(suite);
    notices::register(suite);
    presence::register(suite);
    viewing::register(suite);
    channel::register(suite);
    back_end::register(suite);
    pages::register(suite);
}

/// A project and two of its members.
pub(crate) struct Team {
    pub(crate) project: Project,
    pub(crate) alice: User,
    pub(crate) bob: User,
}

impl Team {
    pub(crate) async fn start(deployment: &Deployment) -> anyhow::Result<Self> {
        let (alice, bob) = (deployment.user("alice").await?, deployment.user("bob").await?);
        let project = deployment.project(&[&alice, &bob]).await?;
        Ok(Self { project, alice, bob })
    }

    /// `/api/projects/1/tickets/` of `tickets/`
    pub(crate) fn route(&self, rest: &str) -> String {
        format!("/api/projects/{}/{rest}", self.project.id)
    }

    /// `/ws/projects/1/tickets/` of `tickets/`
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/ws/projects/{}/{rest}", self.project.id)
    }

    pub(crate) fn key(&self, number: u32) -> String {
        format!("{}-{number}", self.project.key)
    }

    /// A member's connection, from whose greeting on nothing is missed.
    async fn listen(&self, gateway: &Gateway, rest: &str, user: &User) -> anyhow::Result<Socket> {
        connect(gateway, &self.path(rest), &user.token).await
    }

    /// Creates a ticket.
    pub(crate) async fn create(&self, api: &Api, body: &Value) -> anyhow::Result<Value> {
        api.post(&self.route("tickets/"), body).await?.expect(201)
    }

    /// Comments on a ticket.
    async fn comment(&self, api: &Api, ticket: &Value, message: &str) -> anyhow::Result<Value> {
        let route = self.ticket_route(ticket, "comments/");
        api.post(&route, &json!({"message": message})).await?.expect(201)
    }

    /// `/api/projects/1/tickets/123/comments/` of `comments/`
    fn ticket_route(&self, ticket: &Value, rest: &str) -> String {
        self.route(&format!("tickets/{}/{rest}", ticket["ticket_id"]))
    }
}

/// Requests of a user, through the second gateway.
fn api_of(deployment: &Deployment, user: &User) -> Api {
    deployment.api().with_token(&user.token)
}

/// The next frame of that type and action.
async fn next(socket: &mut Socket, kind: &str, action: &str) -> anyhow::Result<Value> {
    socket.next_where(kind, |frame| frame["type"] == kind && frame["action"] == action).await
}

fn number(value: &Value, field: &str) -> anyhow::Result<i64> {
    value[field].as_i64().with_context(|| format!("no number {field} in {value}"))
}

/// How a user stands in JSON, as far as every test's users have it.
fn person(user: &User) -> Value {
    json!({"id": user.id_json(), "username": user.username})
}
