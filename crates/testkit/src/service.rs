//! For the tests of one service through its public door, the bus: a fresh database on either engine,
//! running replicas, requests as the gateway passes them on, what is published, and stand-ins for auth
//! and notification.

mod ask;
mod auth;
mod engines;
mod listener;
mod notification;
mod replicas;
mod trials;

use std::time::Duration;

pub use ask::{Answer, Ask, admin, service, user};
pub use auth::{Auth, State as AuthState};
use carillon_contract::messages::{Identity, Session};
pub use engines::{BOTH, Engine, Engines, POSTGRES, Place};
pub use listener::{Listener, history, json_of};
pub use notification::Notification;
pub use replicas::Replicas;
pub use trials::trial;

/// No test takes this long, not even on a loaded machine.
const TRIAL: Duration = Duration::from_secs(120);

/// How long a condition may take to come true.
const CONDITION: Duration = Duration::from_secs(60);

/// A session as the gateway describes it to the endpoint's owner. Its connection is named after the user.
pub fn session(
    endpoint: &str,
    dialect: &str,
    identity: Option<Identity>,
    parameters: &[(&str, &str)],
) -> Session {
    let parameters =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Session {
        connection: format!("connection-of-{}", identity.as_ref().map_or("nobody", |it| &it.user)),
        endpoint: endpoint.to_owned(),
        parameters,
        identity,
        dialect: dialect.to_owned(),
        gateway: "gateway".to_owned(),
    }
}

/// Waits for a condition.
///
/// # Panics
/// If it doesn't come true within a minute.
pub async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let deadline = tokio::time::Instant::now() + CONDITION;
    while !condition().await {
        assert!(tokio::time::Instant::now() < deadline, "{what}: not within a minute");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
