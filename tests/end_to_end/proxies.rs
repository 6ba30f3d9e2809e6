//! Where clients are, as a gateway behind proxies takes it.

use anyhow::{Context, ensure};
use carillon_testkit::{Cluster, DEADLINE, Deployment, OneProcess, Options};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Duration, Instant, sleep, timeout},
};

use crate::suite::{Suite, both};

pub(crate) fn register(suite: &mut Suite) {
    both!(suite, s0_07_nobody_forges_where_it_is);
    suite.own_process("s0_07_a_trusted_proxy_says_where_clients_are", trusting, async |one: &OneProcess| {
        forwarded(one.deployment()).await
    });
    suite.own_cluster("s0_07_a_trusted_proxy_says_where_clients_are", trusting, async |cluster: &Cluster| {
        forwarded(cluster.deployment()).await?;
        balanced(cluster).await
    });
}

fn trusting() -> Options {
    let gateway_arguments = vec!["--trusted-proxies".to_owned(), "127.0.0.0/8".to_owned()];
    Options { gateway_arguments, ..Options::default() }
}

/// S0-07
async fn s0_07_nobody_forges_where_it_is(deployment: &Deployment) -> anyhow::Result<()> {
    let headers = "X-Forwarded-For: 203.0.113.66\r\nForwarded: for=203.0.113.66\r\n";
    refused(deployment, "", "/forged/one/", headers).await?;
    logged_at(deployment, "/forged/one/", "127.0.0.1").await
}

async fn forwarded(deployment: &Deployment) -> anyhow::Result<()> {
    refused(deployment, "", "/through/a-proxy/", "X-Forwarded-For: 6.6.6.6, 203.0.113.7\r\n").await?;
    logged_at(deployment, "/through/a-proxy/", "203.0.113.7").await
}

async fn balanced(cluster: &Cluster) -> anyhow::Result<()> {
    let trusting = ["--trusted-proxies", "127.0.0.0/8", "--proxy-protocol"];
    let gateway = cluster.add_gateway_with("behind", &trusting, &[]).await?;
    let address = gateway.http.trim_start_matches("http://");
    let version_1 = "PROXY TCP6 2001:db8::7 2001:db8::1 4711 80\r\n";
    asked(address, version_1, "/behind/version-1/", "").await?;
    let version_2 = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x01\x02\x03\x04\x01\x02\x03\x04\x12\x34\0\x50";
    asked(address, version_2, "/behind/version-2/", "").await?;
    for (path, client) in [("/behind/version-1/", "2001:db8::7"), ("/behind/version-2/", "1.2.3.4")] {
        logged(cluster.deployment(), &gateway.name, path, client).await?;
    }
    ensure!(
        asked(address, "", "/behind/nothing/", "").await.is_err(),
        "a connection without a header was served"
    );
    Ok(())
}

async fn refused(deployment: &Deployment, before: &str, path: &str, headers: &str) -> anyhow::Result<()> {
    asked(deployment.gateways()[0].http.trim_start_matches("http://"), before, path, headers).await
}

/// Asks for something that there isn't, which the gateway refuses, and logs with the client's address.
async fn asked(address: &str, before: &str, path: &str, headers: &str) -> anyhow::Result<()> {
    let mut socket = TcpStream::connect(address).await?;
    let request =
        format!("{before}GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    socket.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    timeout(DEADLINE, socket.read_to_string(&mut answer)).await.context("an answer in time")??;
    ensure!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    Ok(())
}

async fn logged_at(deployment: &Deployment, path: &str, address: &str) -> anyhow::Result<()> {
    logged(deployment, &deployment.gateways()[0].name, path, address).await
}

async fn logged(deployment: &Deployment, process: &str, path: &str, address: &str) -> anyhow::Result<()> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let log = deployment.supervisor().output(process)?;
        if let Some(line) = log.lines().find(|line| line.contains(path) && line.contains("address=")) {
            ensure!(line.contains(&format!("address=\"{address}\"")), "{line}");
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "{process} has logged nothing of {path}");
        sleep(Duration::from_millis(20)).await;
    }
}
