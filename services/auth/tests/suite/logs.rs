//! What the log must not hold (S1-16).

use std::{
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

use serde_json::json;
use tracing_subscriber::filter::LevelFilter;

use crate::{
    database::Fresh,
    world::{World, text},
};

/// Everything that any scenario logs, at every level.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Captured;

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// From now on the log is kept.
pub(crate) fn capture() {
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(|| Captured)
        .init();
}

/// S1-16: no token, password or hash is ever logged.
pub(crate) async fn nothing_secret_is_logged(fresh: Fresh) {
    let world = World::start(fresh).await;
    let password = "a password like no other";
    let user = json!({"username": "eve", "password": password});
    world.admin("auth.users.create").body(&user).expect(201).await;
    let tokens = world.ask("auth.token").body(&user).expect(200).await;
    let (access, refresh) = (text(&tokens["access"]), text(&tokens["refresh"]));
    let renewed = text(&world.refresh(&refresh).await.json["access"]);
    let wrong = json!({"username": "eve", "password": format!("{password}!")});
    world.ask("auth.token").body(&wrong).expect(401).await;
    world.ask("auth.token.verify").body(&json!({ "token": format!("{access}x") })).expect(401).await;
    let body = json!({"name": "x", "scopes": ["events:publish"]});
    let service = world.admin("auth.service-tokens.create").body(&body).expect(201).await;
    world.ask("auth.logout").body(&json!({ "refresh": refresh })).expect(204).await;

    let log = String::from_utf8_lossy(&LOG.lock().unwrap_or_else(PoisonError::into_inner)).into_owned();
    assert!(log.contains("serving"), "the log is kept");
    assert!(!log.contains("could not be removed"), "maintenance failed");
    for secret in
        [password, &access, &refresh, &renewed, &text(&service["token"]), "$argon2id$", "PRIVATE KEY"]
    {
        assert!(!log.contains(secret), "a secret was logged");
    }
}
