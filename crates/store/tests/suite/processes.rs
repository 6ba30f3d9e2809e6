//! Several processes, and one that is killed.

use std::{
    env,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use carillon_contract::messages::Event;
use tokio::task::JoinHandle;

use crate::{
    Fresh,
    child::{ROLE, URL},
    fixture::{all_events, history, json, offsets},
};

/// A child that ends by itself.
const NEVER: usize = usize::MAX;

fn spawn(fresh: &Fresh, name: &str, task: &str) -> Child {
    Command::new(env::current_exe().expect("this program"))
        .arg(task)
        .env(ROLE, name)
        .env(URL, &fresh.url)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child")
}

/// What a child said was acknowledged until it ended, or until it was killed after so many lines
/// and the pipe was empty. On a thread that may block.
fn follow(mut child: Child, kill_after: usize) -> JoinHandle<Vec<(String, u64)>> {
    let reader = BufReader::new(child.stdout.take().expect("its output"));
    tokio::task::spawn_blocking(move || {
        let mut acknowledged = Vec::new();
        for line in reader.lines().map_while(Result::ok) {
            let (cause, offset) = line.split_once(' ').expect("two words");
            acknowledged.push((cause.to_owned(), offset.parse().expect("an offset")));
            if acknowledged.len() == kill_after {
                child.kill().expect("killed");
            }
        }
        let ended_well = child.wait().expect("an end").success();
        assert_eq!(ended_well, kill_after == NEVER);
        acknowledged
    })
}

/// What was acknowledged is in the log, where it was said to be.
fn check(events: &[Event], acknowledged: &[(String, u64)]) {
    for (cause, offset) in acknowledged {
        let event = events.get(*offset as usize - 1).expect("the event");
        assert_eq!(json(event), format!("{{\"cause\":\"{cause}\"}}"));
    }
}

/// All the while a reader follows the log: if an offset ever became visible before a lower one,
/// it would see a gap.
pub(crate) async fn two_processes_write_to_one_channel(fresh: Fresh) {
    let (_database, log) = fresh.log().await;
    let outputs = ["one", "two"].map(|name| follow(spawn(&fresh, name, "once"), NEVER));
    let mut last = 0;
    while last < 600 {
        let reply = history(&log, "a", last, 1_000).await;
        assert_eq!(offsets(&reply.events), (last + 1..=reply.head).collect::<Vec<_>>());
        last = reply.head;
        let ended = outputs.iter().all(|output| output.is_finished());
        assert!(!ended || history(&log, "a", last, 0).await.head == 600, "a child ended early");
    }
    let events = all_events(&log, "a").await;
    assert_eq!(offsets(&events), (1..=600).collect::<Vec<_>>());
    for output in outputs {
        let acknowledged = output.await.unwrap();
        assert_eq!(acknowledged.len(), 300);
        check(&events, &acknowledged);
    }
}

pub(crate) async fn a_killed_writer_loses_nothing_acknowledged(fresh: Fresh) {
    let mut total = 0;
    for round in 0..3 {
        let child = spawn(&fresh, &format!("round-{round}"), "on");
        let acknowledged = follow(child, 150 + 37 * round).await.unwrap();
        let (database, log) = fresh.log().await;
        let events = all_events(&log, "a").await;
        assert_eq!(offsets(&events), (1..=events.len() as u64).collect::<Vec<_>>());
        check(&events, &acknowledged);
        total += acknowledged.len();
        assert!(events.len() >= total);
        database.close().await;
    }
}
