//! A project that people come to and go from, all the time, by two gateways of which one is killed in the end: what
//! everyone computes from its frames is what the API says, and who is really there.

mod attendance;
mod tab;
mod truth;

use std::sync::Arc;

use anyhow::{Context, ensure};
use carillon_testkit::{Api, Cluster, Deployment, JWT_SECRET, Project, hs256, simple_jwt_claims};
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
use crate::{checks::connect, suite::Suite};
use attendance::Attendance;
use tab::{Habit, Phase, Tab};
use truth::Truth;

const USERS: usize = 300;

/// The most tabs of a user.
const TABS: usize = 3;

/// How many users watch from the beginning, as many at each gateway.
const WATCHERS: usize = 6;

/// For how long they come and go.
const COMING_AND_GOING: Duration = Duration::from_secs(60);

/// Within what everyone who is gone is counted out: longer than a gateway's lease and the time that a client has to
/// return, on a machine that is busy.
const SETTLED: Duration = Duration::from_secs(60);

/// How often it is looked at who is there.
const POLL: Duration = Duration::from_millis(200);

/// How many comings and goings there have to be, for this to show anything.
const ENOUGH: usize = 300;

pub(super) fn register(suite: &mut Suite) {
    let name = "survival_of_who_is_in_a_project";
    suite.own_cluster(name, patient_gateways, async |cluster: &Cluster| {
        let seed = random::seed()?;
        everyone_knows_who_is_there(cluster, Random::of(seed))
            .await
            .with_context(|| format!("the seed was {seed}"))
    });
}

/// A user of the project.
#[derive(Debug, Clone)]
struct Member {
    id: String,
    token: String,
}

/// S3-03
async fn everyone_knows_who_is_there(cluster: &Cluster, random: Random) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let mut members = members();
    let project = project(deployment, &members).await?;
    let api = deployment.gateways()[1].api().with_token(&members[0].token);
    let late = members.pop().context("somebody")?;
    let (phase, truth) = (watch::Sender::new(Phase::ComingAndGoing), Arc::new(Truth::default()));
    let mut tabs = open_tabs(deployment, &project, &members, random, &phase, &truth);
    tokio::select! {
        () = sleep(COMING_AND_GOING) => {}
        Some(ended) = tabs.join_next() => {
            ended??;
            anyhow::bail!("a tab was closed for good");
        }
    }
    phase.send_replace(Phase::Over);
    deployment.kill(KILLED_GATEWAY)?;
    let expected = settled(&api, &project, &truth).await?;

    // Everyone hears of one who comes last, after all that came before.
    let path = format!("/ws/projects/{}/presence/", project.id);
    let last = connect(&deployment.gateways()[1], &path, &late.token).await?;
    let expected = expected.and(&late.id);
    let (shown, _) = shown(&api, &project).await?;
    ensure!(shown == expected, "the API differs: {}", expected.difference(&shown));
    phase.send_replace(Phase::LastIs(late.id));
    let everyone = async {
        let (mut staying, mut most) = (0, 0);
        while let Some(tab) = tabs.join_next().await {
            let Some(computed) = tab?? else { continue };
            (staying, most) = (staying + 1, most.max(computed.told));
            ensure!(computed.who == expected, "{}", expected.difference(&computed.who));
        }
        Ok((staying, most))
    };
    let (staying, told) = timeout(SETTLED, everyone).await.context("somebody did not hear of the last")??;
    ensure!(staying >= WATCHERS && told >= ENOUGH, "{staying} stayed, and heard at most {told}");
    last.close().await
}

/// Those who come and go, the watchers, and one who comes last; of another issuer, whose users need no passwords.
fn members() -> Vec<Member> {
    let member = |number: usize| Member {
        id: format!("django:{number}"),
        token: hs256(JWT_SECRET, &simple_jwt_claims(&json!(number))),
    };
    (9_000..9_000 + USERS + WATCHERS + 1).map(member).collect()
}

async fn project(deployment: &Deployment, members: &[Member]) -> anyhow::Result<Project> {
    let project = deployment.project(&[]).await?;
    let members: Vec<&str> = members.iter().map(|member| member.id.as_str()).collect();
    let path = format!("/api/auth/projects/{}/members/", project.id);
    let api = deployment.admin().await?.api();
    api.put(&path, &json!({ "members": members })).await?.expect(200).context("the members")?;
    Ok(project)
}

/// One tab of each watcher, and one to three of everyone else.
fn open_tabs(
    deployment: &Deployment,
    project: &Project,
    members: &[Member],
    mut random: Random,
    phase: &watch::Sender<Phase>,
    truth: &Arc<Truth>,
) -> JoinSet<anyhow::Result<Option<tab::Computed>>> {
    let mut tabs = JoinSet::new();
    for (number, member) in members.iter().enumerate() {
        let habit = if number < WATCHERS { Habit::Watches } else { Habit::ComesAndGoes };
        let count = if number < WATCHERS { 1 } else { 1 + random.below(TABS) };
        for _ in 0..count {
            let tab = Tab {
                number: tabs.len(),
                habit,
                member: member.clone(),
                gateways: deployment.gateways().clone(),
                project: project.id.clone(),
                random: random.another(),
                phase: phase.subscribe(),
                truth: truth.clone(),
            };
            tabs.spawn(tab.live());
        }
    }
    tabs
}

/// Waits until the API says who is really there, and nobody is typing any more.
async fn settled(api: &Api, project: &Project, truth: &Truth) -> anyhow::Result<Attendance> {
    let deadline = Instant::now() + SETTLED;
    loop {
        let (shown, is_typing) = shown(api, project).await?;
        let real = truth.settled(KILLED_GATEWAY);
        match &real {
            Some(real) if *real == shown && !is_typing => return Ok(shown),
            _ => {}
        }
        ensure!(
            Instant::now() < deadline,
            "somebody is typing: {is_typing}; {}",
            real.map_or("tabs are on their way".to_owned(), |real| real.difference(&shown))
        );
        sleep(POLL).await;
    }
}

/// Who is there, and whether any of them is typing.
async fn shown(api: &Api, project: &Project) -> anyhow::Result<(Attendance, bool)> {
    let page = api.get(&format!("/api/projects/{}/presence/?limit=1000", project.id)).await?.expect(200)?;
    ensure!(page["next"].is_null(), "{page}");
    let is_idle = |user: &Value| user["typing"] == json!([]);
    let is_typing = !page["present"].as_array().context("nobody")?.iter().all(is_idle);
    Ok((Attendance::read(&page)?, is_typing))
}
