//! All clients.

use anyhow::Context;
use carillon_testkit::Gateway;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Duration, timeout},
};

use super::{
    CLIENTS, ROOMS,
    back_end::Audience,
    client::{Client, Goal, Story},
};

/// How many come at a time, in the beginning.
const AT_A_TIME: usize = 25;

/// How long the last client may take to have everything.
const PATIENCE: Duration = Duration::from_secs(120);

/// The clients, each in a task.
pub(super) struct Attendance {
    clients: JoinSet<anyhow::Result<Story>>,
    goal: watch::Sender<Goal>,
}

impl Attendance {
    /// Connects everyone, each with a token of its own.
    pub(super) async fn gather(gateway: &Gateway) -> anyhow::Result<Self> {
        let goal = watch::Sender::new(None);
        let mut clients = JoinSet::new();
        for first in (0..CLIENTS).step_by(AT_A_TIME) {
            let mut arriving = JoinSet::new();
            for number in first..CLIENTS.min(first + AT_A_TIME) {
                let mut client = Client::new(number, audience(number), gateway.clone(), goal.subscribe());
                arriving.spawn(async move { anyhow::Ok((client.arrive().await?, client)) });
            }
            while let Some(arrived) = arriving.join_next().await {
                let (socket, client) = arrived??;
                clients.spawn(client.listen(socket));
            }
        }
        Ok(Self { clients, goal })
    }

    /// Waits until everyone has everything that was accepted, and lets them go.
    pub(super) async fn end(mut self, accepted: &[(Audience, usize)]) -> anyhow::Result<Vec<Story>> {
        self.goal.send_replace(Some(accepted.to_vec()));
        let everyone = async {
            let mut stories = Vec::new();
            while let Some(story) = self.clients.join_next().await {
                stories.push(story??);
            }
            anyhow::Ok(stories)
        };
        timeout(PATIENCE, everyone).await.context("somebody still lacks something")?
    }
}

/// Every other one is in a room.
fn audience(client: usize) -> Audience {
    if client.is_multiple_of(2) { Audience::Everyone } else { Audience::Room(client / 2 % ROOMS) }
}
