//! The operator's port of a process: `/healthz`, `/readyz` and `/metrics`.

use std::{collections::BTreeMap, net::SocketAddr};

use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::Context;
use carillon_instruments::{Registry, TEXT_FORMAT};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::{Readiness, Shell};

/// Seconds to wait for requests that are under way when the process stops.
const STOP_SECONDS: u64 = 1;

/// Serves the operator's port until shutdown is complete, so that a process that drains can
/// still be asked how it does. Returns the address at once.
///
/// # Errors
/// An address that can't be listened to.
pub fn serve_ops(shell: &Shell, listen: SocketAddr, until: CancellationToken) -> anyhow::Result<SocketAddr> {
    let readiness = web::Data::new(shell.readiness.clone());
    let registry = web::Data::new(shell.metrics.clone());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(readiness.clone())
            .app_data(registry.clone())
            .route("/healthz", web::get().to(healthz))
            .route("/readyz", web::get().to(readyz))
            .route("/metrics", web::get().to(metrics))
    })
    .workers(1)
    .disable_signals()
    .shutdown_timeout(STOP_SECONDS)
    .bind(listen)
    .with_context(|| format!("listening on {listen} for operators (--ops-listen)"))?;
    let address = server.addrs().first().copied().context("the operator's port has no address")?;
    let server = server.run();
    let handle = server.handle();
    actix_rt::spawn(server);
    actix_rt::spawn(async move {
        until.cancelled().await;
        handle.stop(false).await;
    });
    Ok(address)
}

/// The process runs.
async fn healthz() -> HttpResponse {
    HttpResponse::Ok().body("ok\n")
}

#[derive(Serialize)]
struct Ready {
    ready: bool,
    failures: BTreeMap<String, String>,
}

/// The process can do its work: every part is subscribed, and what it needs can be reached.
async fn readyz(readiness: web::Data<Readiness>) -> HttpResponse {
    let failures = readiness.failures().await;
    let ready = failures.is_empty();
    let body = Ready { ready, failures };
    if ready { HttpResponse::Ok().json(body) } else { HttpResponse::ServiceUnavailable().json(body) }
}

/// Prometheus's text format.
async fn metrics(registry: web::Data<Registry>) -> HttpResponse {
    match registry.text() {
        Ok(text) => HttpResponse::Ok().content_type(TEXT_FORMAT).body(text),
        Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
    }
}
