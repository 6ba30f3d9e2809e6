//! NATS and Postgres are killed and started again, and never outlive the process that started them.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use carillon_testkit::{Durability, Nats, Postgres, Supervisor};

/// Set in the process that is to be killed.
const VICTIM: &str = "CARILLON_TESTKIT_VICTIM";

#[tokio::test]
async fn nats_comes_back_on_the_same_port() {
    let nats = Nats::start().await.expect("a NATS server");
    let url = nats.url();
    nats.kill().expect("killed");
    assert!(std::net::TcpStream::connect(("127.0.0.1", nats.port())).is_err());
    nats.start_again().await.expect("started again");
    assert_eq!(nats.url(), url);
}

#[tokio::test]
async fn postgres_comes_back_after_a_kill() {
    let postgres = Postgres::start(Durability::Process).await.expect("a Postgres");
    for _ in 0..3 {
        postgres.kill().expect("killed");
        postgres.start_again().await.expect("started again");
    }
}

#[tokio::test]
async fn what_exits_at_once_is_reported_with_its_log() {
    let nats = Nats::start().await.expect("a NATS server");
    let error = nats.start_again().await.expect_err("it still runs").to_string();
    assert!(error.contains("nats"), "{error}");
    let supervisor = Supervisor::new().expect("a supervisor");
    let error = supervisor.start("nobody").await.expect_err("no such process").to_string();
    assert!(error.contains("nobody"), "{error}");
}

/// Runs itself in a second process, which starts a NATS server and is killed.
#[tokio::test]
async fn children_die_with_the_process_that_started_them() {
    if env::var_os(VICTIM).is_some() {
        return be_the_victim().await;
    }
    let name = "children_die_with_the_process_that_started_them";
    let left_behind = tempfile::tempdir().expect("a directory");
    let mut victim = Command::new(env::current_exe().expect("this program"))
        .args(["--exact", name, "--nocapture"])
        .env(VICTIM, "1")
        .env("TMPDIR", left_behind.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a second process");
    let lines = BufReader::new(victim.stdout.take().expect("its output")).lines();
    let child = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("child ")?.parse::<u32>().ok());
    let child = child.expect("the id of its child");
    assert!(runs(child));
    victim.kill().expect("killed");
    victim.wait().expect("gone");
    let deadline = Instant::now() + Duration::from_secs(10);
    while runs(child) {
        assert!(Instant::now() < deadline, "process {child} outlived its parent");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn be_the_victim() {
    let nats = Nats::start().await.expect("a NATS server");
    println!("\nchild {}", nats.id().expect("its id"));
    std::future::pending::<()>().await;
}

/// A zombie that nobody has reaped yet doesn't run any more.
fn runs(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}
