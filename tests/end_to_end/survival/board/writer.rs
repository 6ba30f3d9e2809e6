//! Members who create, change, comment on and delete tickets, and take nothing for done before they were told so.

mod requests;

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail, ensure};
use carillon_testkit::{Gateway, Project, User};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinSet, time::timeout};

use super::{
    EACH, PATIENCE,
    change::{Change, What},
};
use crate::survival::random::Random;
use requests::Requests;

/// So many of the latest tickets are what most of them work on at a time, so that they meet.
const HOT: usize = 20;

/// All of them at work.
pub(super) struct Writers {
    tasks: JoinSet<anyhow::Result<Done>>,
    acknowledged: watch::Receiver<usize>,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Done {
    /// What was acknowledged.
    pub(super) changes: Vec<Change>,
    /// How often somebody had an outdated version.
    pub(super) conflicts: usize,
}

/// A ticket as somebody last saw it.
#[derive(Clone)]
struct Seen {
    id: u64,
    key: String,
    version: u64,
}

/// What the writers have seen. It is behind what has happened, as what people see is.
type Sight = Arc<Mutex<Vec<Seen>>>;

struct Writer {
    number: usize,
    requests: Requests,
    random: Random,
    sight: Sight,
    members: Vec<Value>,
    /// Those that it reported, and may delete.
    own: Vec<Seen>,
    done: Done,
    marks: usize,
}

impl Writers {
    /// Lets each member write, one change after the other, through both gateways.
    pub(super) fn start(
        gateways: &[Gateway; 2],
        project: &Project,
        members: &[User],
        mut random: Random,
    ) -> Self {
        let (sight, count) = (Sight::default(), Arc::new(watch::Sender::new(0)));
        let acknowledged = count.subscribe();
        let ids: Vec<Value> = members.iter().map(User::id_json).collect();
        let mut tasks = JoinSet::new();
        for (number, user) in members.iter().enumerate() {
            let writer = Writer {
                number,
                requests: Requests::new(gateways, number % 2, project, user),
                random: random.another(),
                sight: sight.clone(),
                members: ids.clone(),
                own: Vec::new(),
                done: Done::default(),
                marks: 0,
            };
            tasks.spawn(writer.write(count.clone()));
        }
        Self { tasks, acknowledged }
    }

    /// Waits until so many changes are acknowledged.
    pub(super) async fn reach(&mut self, count: usize) -> anyhow::Result<()> {
        tokio::select! {
            reached = timeout(PATIENCE, self.acknowledged.wait_for(|acknowledged| *acknowledged >= count)) => {
                reached.with_context(|| format!("{count} changes were not acknowledged"))??;
                Ok(())
            }
            Some(ended) = self.tasks.join_next() => {
                let done = ended??;
                bail!("a writer ended after {} changes", done.changes.len())
            }
        }
    }

    /// Waits until all have made all their changes.
    pub(super) async fn finish(mut self) -> anyhow::Result<Done> {
        let mut done = Done::default();
        while let Some(ended) = self.tasks.join_next().await {
            let Done { changes, conflicts } = ended??;
            done.changes.extend(changes);
            done.conflicts += conflicts;
        }
        Ok(done)
    }
}

impl Writer {
    async fn write(mut self, count: Arc<watch::Sender<usize>>) -> anyhow::Result<Done> {
        while self.done.changes.len() < EACH {
            let before = self.done.changes.len();
            let chance = self.random.below(100);
            match self.pick() {
                Some(seen) if chance < 40 => self.change(seen).await?,
                Some(seen) if chance < 60 => self.comment(seen).await?,
                Some(_) if chance < 65 && !self.own.is_empty() => self.delete().await?,
                _ => self.create().await?,
            }
            count.send_modify(|count| *count += self.done.changes.len() - before);
        }
        Ok(self.done)
    }

    async fn create(&mut self) -> anyhow::Result<()> {
        let mark = self.mark();
        let mut body = json!({"title": mark, "labels": ["new"]});
        if self.random.percent(20) {
            body["assignee"] = self.random.one_of(&self.members).clone();
        }
        let reply = self.requests.send(Method::POST, "", &body).await?;
        let ticket = reply.expect(201)?;
        let seen = Seen::of(&ticket)?;
        self.done.changes.push(seen.change(What::Created, mark));
        self.sight.lock().unwrap_or_else(PoisonError::into_inner).push(seen.clone());
        self.own.push(seen);
        Ok(())
    }

    /// Changes a ticket as it is; where somebody else was faster, the ticket is looked at again.
    async fn change(&mut self, mut seen: Seen) -> anyhow::Result<()> {
        let mark = self.mark();
        let (field, value) = match self.random.below(4) {
            0 => ("status", json!(1 + self.random.below(4))),
            1 => (
                "priority",
                self.random.one_of(&["low", "medium", "high", "urgent"].map(Value::from)).clone(),
            ),
            2 => ("assignee", self.random.one_of(&self.members).clone()),
            _ => ("labels", json!([self.random.below(10).to_string()])),
        };
        loop {
            let mut body = json!({"version": seen.version, "description": mark});
            body[field] = value.clone();
            let route = format!("{}/", seen.id);
            let reply = self.requests.send(Method::PATCH, &route, &body).await?;
            match reply.status {
                409 => {
                    self.done.conflicts += 1;
                    let current = reply.json()?["ticket"].take();
                    ensure!(current["description"] != mark, "refused, but done before: {current}");
                    seen = Seen::of(&current)?;
                }
                404 => {
                    self.is_gone(&seen);
                    return Ok(());
                }
                _ => {
                    let seen = Seen::of(&reply.expect(200)?)?;
                    self.sees(&seen);
                    self.done.changes.push(seen.change(What::Updated, mark));
                    return Ok(());
                }
            }
        }
    }

    async fn comment(&mut self, seen: Seen) -> anyhow::Result<()> {
        let mark = self.mark();
        let route = format!("{}/comments/", seen.id);
        let body = json!({"message": mark});
        let reply = self.requests.send(Method::POST, &route, &body).await?;
        if reply.status == 404 {
            self.is_gone(&seen);
            return Ok(());
        }
        reply.expect(201)?;
        self.done.changes.push(seen.change(What::Commented, mark));
        Ok(())
    }

    /// Nobody else may.
    async fn delete(&mut self) -> anyhow::Result<()> {
        let seen = self.own.swap_remove(self.random.below(self.own.len()));
        let route = format!("{}/", seen.id);
        let reply = self.requests.send(Method::DELETE, &route, &json!({})).await?;
        reply.expect(204)?;
        self.done.changes.push(seen.change(What::Deleted, String::new()));
        Ok(())
    }

    /// A ticket to work on, as it was last seen: mostly one of the latest.
    fn pick(&mut self) -> Option<Seen> {
        let sight = self.sight.lock().unwrap_or_else(PoisonError::into_inner);
        let count = if self.random.percent(70) { sight.len().min(HOT) } else { sight.len() };
        (count > 0).then(|| sight[sight.len() - 1 - self.random.below(count)].clone())
    }

    fn sees(&self, seen: &Seen) {
        let mut sight = self.sight.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = sight.iter_mut().find(|known| known.id == seen.id) {
            known.version = known.version.max(seen.version);
        }
    }

    /// Somebody has deleted it first.
    fn is_gone(&self, seen: &Seen) {
        self.sight.lock().unwrap_or_else(PoisonError::into_inner).retain(|known| known.id != seen.id);
    }

    /// A text that no other change has.
    fn mark(&mut self) -> String {
        self.marks += 1;
        format!("{} of {}", self.marks, self.number)
    }
}

impl Seen {
    fn of(ticket: &Value) -> anyhow::Result<Self> {
        let number = |field: &str| ticket[field].as_u64().with_context(|| format!("no {field} in {ticket}"));
        let key = ticket["key"].as_str().with_context(|| format!("no key in {ticket}"))?.to_owned();
        Ok(Self { id: number("ticket_id")?, key, version: number("version")? })
    }

    fn change(&self, what: What, mark: String) -> Change {
        Change { what, ticket: self.id, key: self.key.clone(), mark }
    }
}
