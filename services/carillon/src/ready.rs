//! `carillon ready`: whether the process beside it can do its work. It is the health check of containers, whose image
//! has no other HTTP client.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use carillon_service::time::duration;
use reqwest::Method;
use serde_json::json;
use tokio::time::timeout;

use crate::{
    client::{Address, Api},
    output::{self, OutputArgs, Verdict},
};

/// Options of `carillon ready`.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "ready-command")]
pub(crate) struct Args {
    /// Where the process answers operators, as it was told it. If that is every address of its machine, this machine's own
    /// is asked.
    #[arg(long, env = "CARILLON_OPS_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:9000")]
    ops_listen: SocketAddr,

    /// How long the answer may take.
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration)]
    timeout: Duration,

    #[command(flatten)]
    output: OutputArgs,
}

/// Asks once.
///
/// # Errors
/// A reader that has gone.
pub(crate) async fn run(args: Args) -> anyhow::Result<Verdict> {
    let address = format!("http://{}", on_this_machine(args.ops_listen));
    let why_not = ask(&address, args.timeout).await;
    if args.output.json {
        output::object(&json!({"ready": why_not.is_none(), "reason": why_not}))?;
    } else {
        output::line(&why_not.as_ref().map_or("ready".to_owned(), |why| format!("not ready: {why}")))?;
    }
    Ok(Verdict::from(why_not.is_none()))
}

/// Why it isn't ready, if so.
async fn ask(address: &str, within: Duration) -> Option<String> {
    let asking = async {
        let address: Address = address.parse()?;
        let api = Api::new(&address, None).map_err(|error| format!("{error:#}"))?;
        api.ask(Method::GET, "/readyz", None, None).await.map_err(|_| format!("nobody answers at {address}"))
    };
    match timeout(within, asking).await {
        Ok(Ok(answer)) if answer.status == 200 => None,
        Ok(Ok(answer)) => Some(parts(&answer.body)),
        Ok(Err(error)) => Some(error),
        Err(_) => Some(format!("no answer within {within:?}")),
    }
}

/// What it waits for, and why.
fn parts(body: &serde_json::Value) -> String {
    let failures = body["failures"].as_object().into_iter().flatten();
    let said = failures.map(|(part, why)| format!("{part}: {}", why.as_str().unwrap_or_default()));
    said.collect::<Vec<_>>().join(", ")
}

fn on_this_machine(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_asked_at_this_machines_own() {
        for (listen, asked) in [
            ("0.0.0.0:9000", "127.0.0.1:9000"),
            ("[::]:9001", "[::1]:9001"),
            ("192.0.2.7:9000", "192.0.2.7:9000"),
        ] {
            assert_eq!(on_this_machine(listen.parse().expect("an address")).to_string(), asked);
        }
    }
}
