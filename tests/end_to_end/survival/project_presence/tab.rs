//! A tab of somebody's browser, which is opened and closed, and shows who else is there.

use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use carillon_testkit::{Gateway, Socket};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{Duration, Instant, sleep_until, timeout},
};

use super::{
    KILLED_GATEWAY, Member,
    attendance::Attendance,
    truth::{Place, Truth},
};
use crate::survival::random::Random;

/// For how long a tab is closed, or open, at most; and what it does there is as long apart. In milliseconds.
const CLOSED: usize = 20_000;
const OPEN: usize = 25_000;
const BETWEEN: usize = 20_000;

/// How many tickets there are to view.
const TICKETS: usize = 20;

/// How long it may hear nothing at all.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a tab's user does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Habit {
    /// Is there all the time, and comes back.
    Watches,
    ComesAndGoes,
}

/// How far the test is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    ComingAndGoing,
    /// Who is there stays, unless its gateway is killed.
    Over,
    /// Who hears that this user has come has heard everything.
    LastIs(String),
}

/// What a tab that stayed has computed.
pub(super) struct Computed {
    pub(super) who: Attendance,
    /// From how many events.
    pub(super) told: usize,
}

/// A tab, open or closed.
pub(super) struct Tab {
    pub(super) number: usize,
    pub(super) habit: Habit,
    pub(super) member: Member,
    pub(super) gateways: [Gateway; 2],
    pub(super) project: String,
    pub(super) random: Random,
    pub(super) phase: watch::Receiver<Phase>,
    pub(super) truth: Arc<Truth>,
}

/// How a visit ends.
enum End {
    Left,
    /// The gateway was killed.
    Broken,
    Stayed(Computed),
}

impl Tab {
    /// Opens and closes it until that is over. `None` if it was closed then, or not opened again.
    pub(super) async fn live(mut self) -> anyhow::Result<Option<Computed>> {
        let who = format!("tab {} of {}", self.number, self.member.id);
        self.visits().await.context(who)
    }

    async fn visits(&mut self) -> anyhow::Result<Option<Computed>> {
        let watches = self.habit == Habit::Watches;
        loop {
            if !watches && !self.wait().await {
                return Ok(None);
            }
            let gateway = if watches { self.number % 2 } else { self.random.below(2) };
            match self.visit(self.gateways[gateway].clone()).await? {
                End::Left => {}
                End::Stayed(computed) => return Ok(Some(computed)),
                End::Broken if !watches && self.random.percent(50) => return Ok(None),
                End::Broken => match self.visit(self.gateways[1].clone()).await? {
                    End::Stayed(computed) => return Ok(Some(computed)),
                    End::Left | End::Broken => bail!("it did not stay at the other gateway"),
                },
            }
        }
    }

    /// Stays closed for some time. False if that is for good.
    async fn wait(&mut self) -> bool {
        let pause = self.some(CLOSED);
        timeout(pause, self.phase.wait_for(|phase| *phase != Phase::ComingAndGoing)).await.is_err()
    }

    /// From opening to closing.
    async fn visit(&mut self, gateway: Gateway) -> anyhow::Result<End> {
        self.truth.is(self.number, Place::OnTheWay);
        let end = self.stay(&gateway).await;
        self.truth.is(self.number, Place::Away);
        end
    }

    async fn stay(&mut self, gateway: &Gateway) -> anyhow::Result<End> {
        let (mut socket, greeting) = match self.enter(gateway).await {
            Ok(entered) => entered,
            Err(error) => return self.broke(gateway, error),
        };
        let mut computed = Computed { who: Attendance::read(&greeting)?, told: 0 };
        ensure!(computed.who.has(&self.member.id), "it is not among them: {greeting}");
        self.is_there(gateway, None);
        let leaves_at = Instant::now() + self.some(OPEN);
        let mut acts_at = Instant::now() + self.some(BETWEEN);
        loop {
            let phase = self.phase.borrow_and_update().clone();
            if matches!(&phase, Phase::LastIs(user) if computed.who.has(user)) {
                return Ok(End::Stayed(computed));
            }
            let is_restless = phase == Phase::ComingAndGoing && self.habit == Habit::ComesAndGoes;
            let going_on = tokio::select! {
                frame = socket.next_json_within(PATIENCE) => match frame {
                    Ok(frame) => {
                        computed.take(&frame)?;
                        Ok(())
                    }
                    Err(error) => Err(error),
                },
                changed = self.phase.changed() => {
                    changed?;
                    Ok(())
                }
                () = sleep_until(leaves_at), if is_restless => break,
                () = sleep_until(acts_at), if is_restless => {
                    acts_at = Instant::now() + self.some(BETWEEN);
                    self.act(&mut socket, gateway).await
                }
            };
            if let Err(error) = going_on {
                return self.broke(gateway, error);
            }
        }
        match self.leave(socket).await {
            Ok(()) => Ok(End::Left),
            Err(error) => self.broke(gateway, error),
        }
    }

    /// A connection ends unasked for with its gateway only.
    fn broke(&self, gateway: &Gateway, error: anyhow::Error) -> anyhow::Result<End> {
        let is_killed = gateway.name == KILLED_GATEWAY && *self.phase.borrow() != Phase::ComingAndGoing;
        if is_killed { Ok(End::Broken) } else { Err(error) }
    }

    /// Up to the greeting, which tells who is there.
    async fn enter(&mut self, gateway: &Gateway) -> anyhow::Result<(Socket, Value)> {
        let path = format!("/ws/projects/{}/{}", self.project, self.random.one_of(&["presence/", ""]));
        let mut socket = gateway.socket(&path)?.token(&self.member.token).open().await?;
        let greeting = socket.next_where("who is there", |frame| frame["present"].is_array()).await?;
        Ok((socket, greeting))
    }

    /// Politely, or not.
    async fn leave(&mut self, socket: Socket) -> anyhow::Result<()> {
        if self.random.percent(50) {
            return socket.close().await;
        }
        drop(socket);
        Ok(())
    }

    /// Views another ticket or none, or types.
    async fn act(&mut self, socket: &mut Socket, gateway: &Gateway) -> anyhow::Result<()> {
        let ticket = 1 + self.random.below(TICKETS);
        if self.random.percent(30) {
            return socket
                .send_json(&json!({"type": "typing", "ticket_id": ticket, "is_typing": true}))
                .await;
        }
        let viewing = self.random.percent(70).then_some(ticket as u64);
        self.is_there(gateway, viewing);
        socket.send_json(&json!({"type": "viewing", "ticket_id": viewing})).await
    }

    fn is_there(&self, gateway: &Gateway, viewing: Option<u64>) {
        let (gateway, user) = (gateway.name.clone(), self.member.id.clone());
        self.truth.is(self.number, Place::There { gateway, user, viewing });
    }

    /// Any time up to so many milliseconds.
    fn some(&mut self, milliseconds: usize) -> Duration {
        Duration::from_millis(self.random.below(milliseconds) as u64)
    }
}

impl Computed {
    fn take(&mut self, frame: &Value) -> anyhow::Result<()> {
        match frame["type"].as_str().unwrap_or_default() {
            "user_status" | "ticket_viewing" => {
                self.told += 1;
                self.who.apply(frame)
            }
            "user_typing" => Ok(()),
            _ => bail!("what is this? {frame}"),
        }
    }
}
