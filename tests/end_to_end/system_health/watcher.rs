//! An admin who watches.

use std::{
    sync::LazyLock,
    time::{Duration, UNIX_EPOCH},
};

use anyhow::{Context, ensure};
use carillon_testkit::{ADMIN, Deployment, Gateway, PASSWORD, Socket, log_in};
use jsonschema::Validator;
use serde_json::{Value, json};

/// What every frame is held to.
static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let text = include_str!("../../../proto/asyncapi.yaml");
    let document: Value = serde_saphyr::from_str(text).expect("YAML");
    let schemas = &document["components"]["schemas"];
    let schema = json!({"$ref": "#/components/schemas/SystemHealth", "components": {"schemas": schemas}});
    jsonschema::validator_for(&schema).expect("a schema")
});

pub(super) const PATH: &str = "/ws/system-health/";

/// An open connection.
pub(super) struct Watcher {
    socket: Socket,
    token: String,
    /// The last frame.
    last: Value,
}

/// An admin's token.
pub(super) async fn admin(deployment: &Deployment) -> anyhow::Result<String> {
    Ok(log_in(&deployment.api(), ADMIN, PASSWORD).await?.token)
}

/// The replicas of a service that a frame shows.
pub(super) fn replicas<'a>(frame: &'a Value, service: &'a str) -> impl Iterator<Item = &'a Value> {
    let services = frame["services"].as_array().into_iter().flatten();
    let of_service = services.filter(move |shown| shown["service"] == service);
    of_service.flat_map(|shown| shown["replicas"].as_array().into_iter().flatten())
}

/// When a frame was made, since 1970.
pub(super) fn time(frame: &Value) -> anyhow::Result<Duration> {
    let text = frame["timestamp"].as_str().context("a timestamp")?;
    Ok(humantime::parse_rfc3339(text)?.duration_since(UNIX_EPOCH)?)
}

fn is_as_specified(frame: &Value) -> anyhow::Result<()> {
    let errors: Vec<String> =
        SCHEMA.iter_errors(frame).map(|error| format!("{}: {error}", error.instance_path())).collect();
    ensure!(errors.is_empty(), "{frame}: {errors:#?}");
    Ok(())
}

impl Watcher {
    /// Connects, and is told how everything is: that is the first frame.
    pub(super) async fn enter(deployment: &Deployment, gateway: &Gateway) -> anyhow::Result<Self> {
        Self::enter_with(gateway, admin(deployment).await?).await
    }

    /// The same admin connects once more.
    pub(super) async fn another(&self, gateway: &Gateway) -> anyhow::Result<Self> {
        Self::enter_with(gateway, self.token.clone()).await
    }

    async fn enter_with(gateway: &Gateway, token: String) -> anyhow::Result<Self> {
        let mut socket = gateway.socket(PATH)?.token(&token).open().await?;
        let last = socket.next_json().await?;
        ensure!(last["type"] == "system_health" && last["cause"] == "snapshot", "{last}");
        is_as_specified(&last)?;
        ensure!(last["channels"][0]["name"] == "system.health", "{last}");
        Ok(Self { socket, token, last })
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    pub(super) fn socket(&mut self) -> &mut Socket {
        &mut self.socket
    }

    /// The next frame that is `wanted`, beginning with the last.
    pub(super) async fn next_where(
        &mut self,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        if wanted(&self.last) {
            return Ok(std::mem::take(&mut self.last));
        }
        let mut specified = Ok(());
        let is_it = |frame: &Value| {
            if frame["type"] == "system_health" {
                specified = is_as_specified(frame);
            }
            specified.is_err() || frame["type"] == "system_health" && wanted(frame)
        };
        let frame = self.socket.next_where(what, is_it).await?;
        specified.map(|()| frame)
    }

    /// Waits until a change is told, and that not just because two seconds have passed.
    pub(super) async fn is_told(
        &mut self,
        what: &str,
        change: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let has_it = |frame: &Value| frame["changes"].as_array().into_iter().flatten().any(&change);
        self.next_where(what, |frame| frame["cause"] == "change" && has_it(frame)).await
    }

    /// Waits until everything is well; what it looks like then is remembered.
    pub(super) async fn recovers(&mut self) -> anyhow::Result<Value> {
        let frame = self.next_where("everything is well", |frame| frame["status"] == "healthy").await?;
        self.last = frame.clone();
        Ok(frame)
    }

    /// The name of a process's replica, by the frame that was remembered.
    pub(super) fn replica_of(&self, deployment: &Deployment, process: &str) -> anyhow::Result<Value> {
        let id = deployment.supervisor().id(process)?;
        let services = self.last["services"].as_array().into_iter().flatten();
        let mut all = services.flat_map(|service| service["replicas"].as_array().into_iter().flatten());
        let found = all.find(|replica| replica["process"] == id);
        Ok(found.with_context(|| format!("{process} is not in {}", self.last))?["replica"].clone())
    }

    pub(super) async fn close(self) -> anyhow::Result<()> {
        self.socket.close().await
    }
}
