//! A busy project over two gateways and two ticket-presence replicas, one of each killed on the way: keys without
//! gaps, nothing acknowledged missing, and everyone who replays what it heard has the board that the API shows.

mod change;
mod replay;
mod watcher;
mod writer;

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use carillon_testkit::{Api, Cluster, Project, User};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Duration, Instant, sleep, timeout},
};

use super::{
    KILLED_GATEWAY, patient_gateways,
    random::{self, Random},
};
use crate::suite::Suite;
use change::Change;
use replay::Board;
use watcher::{Story, Watcher};
use writer::{Done, Writers};

const WRITERS: usize = 40;

/// How many changes each of them makes, one after the other.
const EACH: usize = 100;

const CHANGES: usize = WRITERS * EACH;

const WATCHERS: usize = 100;

/// What is killed, when so many changes have been acknowledged.
const VICTIMS: [(&str, usize); 2] = [("ticket-presence-1", CHANGES / 3), (KILLED_GATEWAY, CHANGES * 2 / 3)];

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(240);

/// How often it is looked again whether everyone was notified.
const POLL: Duration = Duration::from_millis(100);

/// Tickets of one page.
const PAGE: usize = 200;

pub(super) fn register(suite: &mut Suite) {
    suite.own_cluster("survival_of_a_board", patient_gateways, async |cluster: &Cluster| {
        let seed = random::seed()?;
        everyone_has_one_board(cluster, Random::of(seed))
            .await
            .with_context(|| format!("the seed was {seed}"))
    });
}

/// S3-02, S3-04
async fn everyone_has_one_board(cluster: &Cluster, random: Random) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let members = members(cluster).await.context("the members")?;
    let project = deployment.project(&members.iter().collect::<Vec<_>>()).await?;
    let goal = watch::Sender::new(None);
    let mut watchers = JoinSet::new();
    for number in 0..WATCHERS {
        let token = &members[number % WRITERS].token;
        let watcher =
            Watcher::enter(number, deployment.gateways(), &project, token, goal.subscribe()).await?;
        watchers.spawn(watcher.watch());
    }
    let mut writers = Writers::start(deployment.gateways(), &project, &members, random);
    for (victim, acknowledged) in VICTIMS {
        writers.reach(acknowledged).await.with_context(|| format!("before {victim} is killed"))?;
        deployment.kill(victim)?;
        deployment.start(victim).await?;
    }
    let done = timeout(PATIENCE, writers.finish()).await.context("somebody still writes")??;
    let api = deployment.api().with_token(&members[0].token);
    let (shown, events) = shown(&api, &project).await?;
    goal.send_replace(Some(events));
    let everyone = async {
        let mut stories = Vec::new();
        while let Some(story) = watchers.join_next().await {
            stories.push(story??);
        }
        anyhow::Ok(stories)
    };
    let stories = timeout(PATIENCE, everyone).await.context("somebody still lacks something")??;
    let first = &stories[0];
    for story in &stories {
        judge(story, first, &shown).with_context(|| format!("watcher {}", story.number))?;
    }
    keys_have_no_gaps(&project, &first.heard)?;
    is_all_there(&first.heard, &done)?;
    are_notified(cluster, &members, &first.board.notified).await
}

/// Users of auth's own, who log in.
async fn members(cluster: &Cluster) -> anyhow::Result<Vec<User>> {
    let mut members = Vec::new();
    for number in 0..WRITERS {
        members.push(cluster.deployment().user(&format!("writer{number}")).await?);
    }
    Ok(members)
}

/// Every ticket, by id, and how many events there have been.
async fn shown(api: &Api, project: &Project) -> anyhow::Result<(BTreeMap<u64, Value>, u64)> {
    let route = format!("/api/projects/{}/tickets/?sort=key&limit={PAGE}", project.id);
    let mut tickets = BTreeMap::new();
    let mut page = api.get(&route).await?.expect(200)?;
    loop {
        for ticket in page["tickets"].as_array().context("no tickets")? {
            let id = ticket["ticket_id"].as_u64().context("no id")?;
            ensure!(tickets.insert(id, ticket.clone()).is_none(), "listed twice: {ticket}");
        }
        let Some(cursor) = page["next"].as_str() else { break };
        page = api.get(&format!("{route}&cursor={cursor}")).await?.expect(200)?;
    }
    let since = page["since"].as_str().context("no since")?;
    let (_, offset) = since.rsplit_once('.').with_context(|| since.to_owned())?;
    Ok((tickets, offset.parse()?))
}

/// It heard what all did, in one order, and has the board that is shown. Only who was at the gateway that was
/// killed had to come back.
fn judge(story: &Story, first: &Story, shown: &BTreeMap<u64, Value>) -> anyhow::Result<()> {
    ensure!(story.heard == first.heard, "it heard something else than watcher {}", first.number);
    ensure!(story.breaks.is_empty() != (story.home == KILLED_GATEWAY), "{}: {:?}", story.home, story.breaks);
    let Board { tickets, .. } = &story.board;
    ensure!(tickets.keys().eq(shown.keys()), "it has {} tickets, not {}", tickets.len(), shown.len());
    for (id, ticket) in shown {
        let replayed = tickets[id].value()?;
        ensure!(replayed == *ticket, "it has {replayed}, shown is {ticket}");
    }
    Ok(())
}

/// From the first to the last ticket, those that were deleted too.
fn keys_have_no_gaps(project: &Project, heard: &[Change]) -> anyhow::Result<()> {
    let keys: Vec<&str> = heard.iter().filter_map(Change::created_key).collect();
    for (number, key) in (1..).zip(&keys) {
        ensure!(*key == format!("{}-{number}", project.key), "key {number} of {} is {key}", keys.len());
    }
    Ok(())
}

/// What was heard is what was acknowledged; each once.
fn is_all_there(heard: &[Change], done: &Done) -> anyhow::Result<()> {
    let sorted = |changes: &[Change]| {
        let mut changes = changes.to_vec();
        changes.sort_unstable();
        changes
    };
    let (heard, acknowledged) = (sorted(heard), sorted(&done.changes));
    let twice = heard.windows(2).find(|pair| pair[0] == pair[1]);
    ensure!(twice.is_none(), "heard twice: {twice:?}");
    let missing = acknowledged.iter().find(|change| heard.binary_search(change).is_err());
    ensure!(missing.is_none(), "acknowledged, but not heard: {missing:?}");
    let strange = heard.iter().find(|change| acknowledged.binary_search(change).is_err());
    ensure!(strange.is_none(), "heard, but not acknowledged: {strange:?}");
    ensure!(heard.len() == CHANGES, "{} changes", heard.len());
    ensure!(done.conflicts > 0, "nobody ever had an outdated version");
    Ok(())
}

/// Everyone, as often as the events say that it was assigned or commented to; nothing is owed twice or lost.
async fn are_notified(
    cluster: &Cluster,
    members: &[User],
    expected: &BTreeMap<u64, usize>,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    for user in members {
        let api = cluster.deployment().api().with_token(&user.token);
        let expected = expected.get(&user.id.parse()?).copied().unwrap_or_default();
        loop {
            let inbox = api.get("/api/notifications/?limit=1").await?.expect(200)?;
            let total = &inbox["counts"]["total"];
            if *total == json!(expected) {
                break;
            }
            let is_late = Instant::now() > deadline || total.as_u64() > Some(expected as u64);
            ensure!(!is_late, "{} was notified {total} times instead of {expected}", user.username);
            sleep(POLL).await;
        }
    }
    Ok(())
}
