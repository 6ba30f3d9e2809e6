//! `make cluster`: a private NATS server and Postgres, two gateways and two replicas of each service on
//! this machine, with the demo's users, until Ctrl-C.

use std::{collections::BTreeSet, process::ExitCode, time::Duration};

use anyhow::Context;
use carillon_testkit::{ADMIN, Cluster, Durability, Options, PASSWORD};
use clap::Parser;
use tokio::{
    io::AsyncReadExt,
    signal::unix::{SignalKind, signal},
    time::interval,
};

/// The demo's users, beside the admin.
const USERS: [&str; 3] = ["alice", "bob", "carol"];

/// How many of them are in the demo's organisation and project.
const MEMBERS: usize = 2;

/// How often the processes are looked after.
const ROUND: Duration = Duration::from_secs(1);

/// Runs a whole cluster on this machine, each service a process of its own.
#[derive(Debug, Parser)]
struct Arguments {
    /// The port of the first gateway on 127.0.0.1; the second has the next one.
    #[arg(long, default_value_t = 8001, value_parser = clap::value_parser!(u16).range(1..=65534))]
    port: u16,

    /// Stop when standard input ends, as well as on Ctrl-C and SIGTERM.
    #[arg(long)]
    until_eof: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cluster: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Everything stops when the cluster is dropped, also half-way through its start.
async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    tokio::select! {
        served = serve(arguments) => served,
        stopped = told_to_stop(arguments.until_eof) => {
            stopped?;
            println!("stopping");
            Ok(())
        }
    }
}

async fn serve(arguments: &Arguments) -> anyhow::Result<()> {
    println!("starting NATS, Postgres, two gateways and two replicas of each service");
    let gateway_ports = Some([arguments.port, arguments.port + 1]);
    let options = Options { gateway_ports, durability: Durability::Disk, ..Options::default() };
    let cluster = Cluster::start(options).await?;
    let ids = make_demo(&cluster).await.context("the demo's users")?;
    introduce(&cluster, &ids);
    watch(&cluster).await
}

async fn told_to_stop(until_eof: bool) -> anyhow::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let end_of_input = async {
        let mut input = tokio::io::stdin();
        while until_eof && input.read(&mut [0; 64]).await? > 0 {}
        if until_eof { Ok(()) } else { std::future::pending::<std::io::Result<()>>().await }
    };
    tokio::select! {
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
        ended = end_of_input => Ok(ended?),
    }
}

/// The users' ids.
async fn make_demo(cluster: &Cluster) -> anyhow::Result<Vec<String>> {
    let admin = cluster.deployment().admin().await?;
    let mut ids = Vec::new();
    for name in USERS {
        ids.push(admin.create_user(name).await?);
    }
    admin.create_org("acme").await?;
    admin.create_project("1", "PROJ").await?;
    for id in &ids[..MEMBERS] {
        admin.add_org_member("acme", id).await?;
        admin.add_project_member("1", id).await?;
    }
    Ok(ids)
}

fn introduce(cluster: &Cluster, ids: &[String]) {
    let deployment = cluster.deployment();
    let [first, second] = deployment.gateways();
    let users: Vec<_> = USERS.iter().zip(ids).map(|(name, id)| format!("{name} (id {id})")).collect();
    println!("\nready: {} and {}, any of them for anything", first.http, second.http);
    println!("  NATS       {}", cluster.nats().url());
    println!("  Postgres   {}", cluster.postgres().url());
    println!("  processes  {}", deployment.processes().join(" "));
    println!("  logs       {}", deployment.supervisor().directory().display());
    println!("  users      {}, {ADMIN}; password {PASSWORD}", users.join(", "));
    println!("  members    of organisation acme and project 1 are {} and {}", USERS[0], USERS[1]);
    println!("\nLog in as {}, and listen at one gateway (with wscat, or any WebSocket client):\n", USERS[0]);
    let json = "-H 'Content-Type: application/json'";
    let login = format!("{{\"username\":\"{}\",\"password\":\"{PASSWORD}\"}}", USERS[0]);
    let access = "sed 's/.*\"access\":\"\\([^\"]*\\)\".*/\\1/'";
    println!("  TOKEN=$(curl -s {}/api/auth/token/ {json} -d '{login}' | {access})", first.http);
    println!("  wscat -c \"{}/ws/notifications/?token=$TOKEN\"", first.websocket);
    println!("\nNotify everyone through the other:\n");
    let body = "{\"title\":\"Hello\",\"message\":\"through the other gateway\"}";
    println!("  curl {}/api/notifications/send/ {json} -d '{body}'", second.http);
    println!("\nCtrl-C stops everything.");
}

/// Says so when a process has ended. The others go on: that is what a cluster is for.
async fn watch(cluster: &Cluster) -> anyhow::Result<()> {
    let supervisor = cluster.deployment().supervisor();
    let (mut rounds, mut reported) = (interval(ROUND), BTreeSet::new());
    loop {
        rounds.tick().await;
        for (name, status) in supervisor.exited() {
            if reported.insert(name.clone()) {
                eprintln!("{name} has ended ({status})\n{}", supervisor.tail(&name));
            }
        }
    }
}
