//! Gateways as clients reach them, and processes as operators do.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    Args,
    certificate::{self, DAYS},
    report::Row,
    skipped,
};
use crate::client::{Address, Api, ApiError};

const GROUP: &str = "addresses";

pub(super) async fn rows(args: &Args) -> Vec<Row> {
    if args.url.is_empty() && args.ready.is_empty() {
        return skipped(GROUP, "gateway", "none is named (--url, --ready)");
    }
    let mut rows = Vec::new();
    for address in &args.url {
        rows.push(answers(address, args.timeout).await);
        rows.push(tls(address, args.timeout).await);
        rows.push(demo(address, args.timeout).await);
    }
    for address in &args.ready {
        rows.push(ready(address, args.timeout).await);
    }
    rows
}

/// A request that goes through to auth.
async fn answers(address: &Address, within: Duration) -> Row {
    let check = format!("{address}");
    match ask(address, Method::GET, "/.well-known/jwks.json", None, within).await {
        Ok((200, _)) => Row::ok(GROUP, &check, "answers, and reaches auth"),
        Ok((400 | 403, _)) => Row::failed(GROUP, &check, "refuses this host", "ALLOWED_HOSTS with this name"),
        Ok((status, _)) => {
            Row::failed(GROUP, &check, format!("answers {status}"), "that of a gateway; auth has to run")
        }
        Err(error) => Row::failed(GROUP, &check, error, "start a gateway, or say where it is (--url)"),
    }
}

async fn tls(address: &Address, within: Duration) -> Row {
    let check = format!("{address}, TLS");
    if !address.is_secure() {
        return match address.is_loopback() {
            true => Row::ok(GROUP, &check, "no, on this machine"),
            false => Row::warning(
                GROUP,
                &check,
                "no: tokens can be read on their way",
                "TLS at the balancer, and an https address",
            ),
        };
    }
    match timeout(within, certificate::days_left(address)).await {
        Ok(Ok(days)) if days < DAYS => {
            Row::warning(GROUP, &check, format!("the certificate ends in {days} days"), "renew it")
        }
        Ok(Ok(days)) => Row::ok(GROUP, &check, format!("a valid certificate, for {days} days more")),
        Ok(Err(error)) => Row::failed(
            GROUP,
            &check,
            error.to_string(),
            "a certificate of this name that this machine trusts",
        ),
        Err(_) => Row::failed(GROUP, &check, format!("no answer within {within:?}"), "is TLS spoken there?"),
    }
}

/// Whether the demo's user can log in, whose password everyone knows.
async fn demo(address: &Address, within: Duration) -> Row {
    let check = format!("{address}, demo");
    let body = json!({"username": "alice", "password": "carillon"});
    match ask(address, Method::POST, "/api/auth/token/", Some(&body), within).await {
        Ok((200, _)) if address.is_loopback() => {
            Row::ok(GROUP, &check, "the demo's users are there, on this machine")
        }
        Ok((200, _)) => Row::failed(
            GROUP,
            &check,
            "anyone can log in as the demo's users, whose password everyone knows",
            "remove them, or start on another database with --no-demo",
        ),
        Ok((401, _)) => Row::ok(GROUP, &check, "nobody has the demo's password"),
        Ok((status, _)) => Row::skipped(GROUP, &check, format!("a login is answered with {status}")),
        Err(error) => Row::skipped(GROUP, &check, error),
    }
}

async fn ready(address: &Address, within: Duration) -> Row {
    let check = format!("{address}/readyz");
    match ask(address, Method::GET, "/readyz", None, within).await {
        Ok((200, _)) => Row::ok(GROUP, &check, "ready"),
        Ok((_, body)) => {
            let failures = body["failures"].as_object().into_iter().flatten();
            let failures: Vec<String> =
                failures.map(|(part, why)| format!("{part}: {}", why.as_str().unwrap_or_default())).collect();
            Row::failed(GROUP, &check, format!("not ready: {}", failures.join(", ")), "what it waits for")
        }
        Err(error) => Row::failed(GROUP, &check, error, "its --ops-listen"),
    }
}

async fn ask(
    address: &Address,
    method: Method,
    path: &str,
    body: Option<&Value>,
    within: Duration,
) -> Result<(u16, Value), String> {
    let api = Api::new(address, None).map_err(|error| format!("{error:#}"))?;
    let answer = timeout(within, api.ask(method, path, body, None)).await;
    let answer = answer.map_err(|_| format!("no answer within {within:?}"))?;
    let answer = answer.map_err(|error: ApiError| error.to_string())?;
    Ok((answer.status, answer.body))
}
