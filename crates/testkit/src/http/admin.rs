//! What tests need set up before they begin, through the admin's HTTP API.

use anyhow::Context;
use serde_json::{Value, json};

use super::Api;

/// The admin that every deployment of this crate has.
pub const ADMIN: &str = "admin";

/// The password of every user that this crate creates, and of the admin.
pub const PASSWORD: &str = "carillon";

/// A user who is logged in.
#[derive(Debug, Clone)]
pub struct User {
    /// The id's text.
    pub id: String,
    /// The name to log in with; the password is [`PASSWORD`].
    pub username: String,
    /// The access token.
    pub token: String,
    /// The refresh token.
    pub refresh: String,
}

/// A project whose id auth chose.
#[derive(Debug, Clone)]
pub struct Project {
    /// The id's text.
    pub id: String,
    /// What its tickets' keys begin with.
    pub key: String,
}

/// A back end's token.
#[derive(Debug, Clone)]
pub struct ServiceToken {
    /// The id by which it is revoked.
    pub id: String,
    /// The token.
    pub token: String,
}

/// The admin, logged in.
#[derive(Debug, Clone)]
pub struct Admin {
    api: Api,
}

impl User {
    /// The id as it stands in JSON: a number, as every id that auth gives.
    pub fn id_json(&self) -> Value {
        self.id.parse().unwrap_or_else(|_| self.id.as_str().into())
    }
}

impl Project {
    /// The id as it stands in JSON: a number, as every id that auth gives.
    pub fn id_json(&self) -> Value {
        self.id.parse().unwrap_or_else(|_| self.id.as_str().into())
    }
}

/// Logs in.
///
/// # Errors
/// If the gateway refuses.
pub async fn log_in(api: &Api, username: &str, password: &str) -> anyhow::Result<User> {
    let body = json!({"username": username, "password": password});
    let tokens = api.post("/api/auth/token/", &body).await?.expect(200).context("logging in")?;
    let token = text(&tokens, "access")?;
    let me = api.with_token(&token).get("/api/auth/me/").await?.expect(200).context("who am I")?;
    Ok(User {
        id: text(&me, "id")?,
        username: username.to_owned(),
        token,
        refresh: text(&tokens, "refresh")?,
    })
}

impl Admin {
    /// Logs in as the admin.
    ///
    /// # Errors
    /// If the gateway refuses.
    pub async fn log_in(api: &Api) -> anyhow::Result<Self> {
        let admin = log_in(api, ADMIN, PASSWORD).await.context("the admin")?;
        Ok(Self { api: api.with_token(&admin.token) })
    }

    /// Requests with the admin's token.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Creates a user, whose id is returned.
    ///
    /// # Errors
    /// If the gateway refuses, as for a name that is taken.
    pub async fn create_user(&self, username: &str) -> anyhow::Result<String> {
        let body = json!({
            "username": username, "password": PASSWORD, "email": format!("{username}@example.com"),
        });
        self.created("/api/auth/users/", &body).await
    }

    /// Creates an organisation with that id.
    ///
    /// # Errors
    /// If the gateway refuses.
    pub async fn create_org(&self, id: &str) -> anyhow::Result<()> {
        self.created("/api/auth/orgs/", &json!({"id": id, "name": id})).await.map(drop)
    }

    /// Makes a user a member of an organisation.
    ///
    /// # Errors
    /// If the gateway refuses.
    pub async fn add_org_member(&self, org: &str, user: &str) -> anyhow::Result<()> {
        let path = format!("/api/auth/orgs/{org}/members/{user}/");
        self.api.put(&path, &json!({})).await?.success().with_context(|| path).map(drop)
    }

    /// Ends a membership of an organisation.
    ///
    /// # Errors
    /// If the gateway refuses.
    pub async fn remove_org_member(&self, org: &str, user: &str) -> anyhow::Result<()> {
        let path = format!("/api/auth/orgs/{org}/members/{user}/");
        self.api.delete(&path).await?.success().with_context(|| path).map(drop)
    }

    /// Creates a project with that id and key.
    ///
    /// # Errors
    /// If the gateway refuses.
    pub async fn create_project(&self, id: &str, key: &str) -> anyhow::Result<()> {
        self.created("/api/auth/projects/", &json!({"id": id, "key": key, "name": key})).await.map(drop)
    }

    /// Creates a project with that key, whose id auth chooses.
    ///
    /// # Errors
    /// If the gateway refuses.
    pub async fn new_project(&self, key: &str) -> anyhow::Result<Project> {
        let id = self.created("/api/auth/projects/", &json!({"key": key, "name": key})).await?;
        Ok(Project { id, key: key.to_owned() })
    }

    /// Makes a user a member of a project.
    ///
    /// # Errors
    /// If the gateway refuses.
    pub async fn add_project_member(&self, project: &str, user: &str) -> anyhow::Result<()> {
        let path = format!("/api/auth/projects/{project}/members/{user}/");
        self.api.put(&path, &json!({})).await?.success().with_context(|| path).map(drop)
    }

    /// Ends a membership of a project.
    ///
    /// # Errors
    /// If the gateway refuses.
    pub async fn remove_project_member(&self, project: &str, user: &str) -> anyhow::Result<()> {
        let path = format!("/api/auth/projects/{project}/members/{user}/");
        self.api.delete(&path).await?.success().with_context(|| path).map(drop)
    }

    /// Creates a back end's token with these scopes.
    ///
    /// # Errors
    /// If the gateway refuses.
    pub async fn create_service_token(&self, name: &str, scopes: &[&str]) -> anyhow::Result<ServiceToken> {
        let body = json!({"name": name, "scopes": scopes});
        let reply = self.api.post("/api/auth/service-tokens/", &body).await?.success()?;
        Ok(ServiceToken { id: text(&reply, "id")?, token: text(&reply, "token")? })
    }

    /// Voids every token that a user has been given so far.
    ///
    /// # Errors
    /// If the gateway refuses.
    pub async fn revoke_user(&self, user: &str) -> anyhow::Result<()> {
        let path = format!("/api/auth/users/{user}/revoke/");
        self.api.post(&path, &json!({})).await?.success().with_context(|| path).map(drop)
    }

    /// Sends a notification as document 2 does, to whom its body says.
    ///
    /// # Errors
    /// If the gateway refuses.
    pub async fn notify(&self, body: &Value) -> anyhow::Result<Value> {
        self.api.post("/api/notifications/send/", body).await?.expect(200)
    }

    /// Publishes an event to an organisation.
    ///
    /// # Errors
    /// If the gateway refuses.
    pub async fn publish(&self, org: &str, event: &Value) -> anyhow::Result<Value> {
        self.api.post(&format!("/api/orgs/{org}/events/"), event).await?.success()
    }

    async fn created(&self, path: &str, body: &Value) -> anyhow::Result<String> {
        let reply = self.api.post(path, body).await?.success().with_context(|| format!("{path} {body}"))?;
        text(&reply, "id")
    }
}

/// A field's text: an id is a number in JSON if it looks like one.
fn text(reply: &Value, field: &str) -> anyhow::Result<String> {
    match &reply[field] {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => anyhow::bail!("no {field} in {reply}"),
    }
}
