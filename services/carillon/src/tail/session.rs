//! One connection of `tail`.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{
    follower::Follower,
    frame::{Frame, history, subscribe},
    printer::{Note, Printer},
};
use crate::client::{Backoff, Closed, Incoming, Socket, SocketError, TargetArgs};

/// How often to see whether the other end is still there.
const PULSE: Duration = Duration::from_secs(20);

/// How a connection ended.
#[derive(Debug)]
pub(super) enum End {
    /// It was to end.
    Stopped,
    /// There were as many events as were wanted.
    Enough,
    /// Nothing of any channel follows.
    Over,
    /// Coming back is worth it, not before this time.
    Passing(String, Option<Duration>),
    /// It is not.
    Final(String),
}

/// A connection, and what it is for.
pub(super) struct Session<'a> {
    socket: Socket,
    target: &'a TargetArgs,
    follower: &'a mut Follower,
    printer: &'a Printer,
    stop: &'a CancellationToken,
    /// Where channels were when they were subscribed to.
    heads: BTreeMap<usize, (String, u64)>,
    /// What the server has said about coming back.
    pause: Option<Duration>,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        socket: Socket,
        target: &'a TargetArgs,
        follower: &'a mut Follower,
        printer: &'a Printer,
        stop: &'a CancellationToken,
    ) -> Self {
        Self { socket, target, follower, printer, stop, heads: BTreeMap::new(), pause: None }
    }

    /// Listens until it ends.
    ///
    /// # Errors
    /// A reader that has gone.
    pub(super) async fn run(mut self, backoff: &mut Backoff) -> anyhow::Result<End> {
        let end = match self.listen(backoff).await {
            Ok(end) => end,
            Err(error) => {
                let SocketError::Closed(closed) = error.downcast()?;
                self.closed(closed)
            }
        };
        self.follower.disconnected();
        if matches!(end, End::Stopped | End::Enough | End::Over) {
            self.socket.close().await;
        }
        Ok(end)
    }

    async fn listen(&mut self, backoff: &mut Backoff) -> anyhow::Result<End> {
        let followed = self.follower.channels.iter().enumerate().filter(|(_, followed)| !followed.over);
        let requests: Vec<Value> = followed
            .map(|(number, followed)| subscribe(number, &followed.channel, followed.since()))
            .collect();
        // A frame carries up to a hundred.
        for batch in requests.chunks(100) {
            self.socket.send(Value::from(batch).to_string()).await?;
        }
        let (mut pulse, mut answered) = (pulse(), true);
        loop {
            tokio::select! {
                incoming = self.socket.next() => match incoming {
                    Incoming::Text(text) => {
                        let frame = serde_json::from_str(&text)?;
                        if let Some(end) = self.take(frame, backoff).await? {
                            return Ok(end);
                        }
                    }
                    Incoming::Closed(closed) => return Ok(self.closed(closed)),
                    Incoming::Pong(_) => answered = true,
                    Incoming::Binary(_) => {}
                },
                () = self.stop.cancelled() => return Ok(End::Stopped),
                _ = pulse.tick() => {
                    if !answered {
                        return Ok(End::Passing("nothing is heard any more".to_owned(), self.pause));
                    }
                    answered = false;
                    self.socket.ping(b"carillon").await?;
                }
            }
        }
    }

    /// Takes a frame; `Some` if it is the last.
    async fn take(&mut self, frame: Frame, backoff: &mut Backoff) -> anyhow::Result<Option<End>> {
        let number = frame.number().or_else(|| self.follower.named(frame.channel.as_deref()));
        match (frame.kind.as_deref(), number) {
            (None, Some(number)) => self.follower.event(number, frame, self.printer)?,
            (Some("subscribed"), Some(number)) => {
                backoff.reset();
                self.subscribed(number, &frame).await?;
            }
            (Some("history"), Some(number)) => {
                let next = self.follower.page(number, frame, self.printer)?;
                self.read_on(number, next).await?;
            }
            (Some("recovery"), Some(number)) => {
                let head = self.heads.get(&number).cloned();
                self.follower.recovery(number, &frame, head, self.printer)?;
            }
            (Some("error" | "unsubscribed"), Some(number)) => return self.refused(number, &frame),
            (Some("dropped"), _) => {
                self.printer.note(&Note::Dropped { count: frame.count.unwrap_or(0) })?;
            }
            (Some("reconnect"), _) => self.pause = frame.after_ms.map(Duration::from_millis),
            (Some("token_expiring"), _) => self.refresh().await?,
            _ => {}
        }
        Ok(self.follower.has_enough().then_some(End::Enough))
    }

    async fn subscribed(&mut self, number: usize, frame: &Frame) -> anyhow::Result<()> {
        let (epoch, offset) = (frame.epoch.clone().unwrap_or_default(), frame.offset.unwrap_or_default());
        let channel = self.follower.channels[number].channel.clone();
        self.printer.note(&Note::Subscribed { channel: channel.as_str(), epoch: &epoch, offset })?;
        self.heads.insert(number, (epoch, offset));
        let next = self.follower.subscribed(number, frame);
        self.read_on(number, next).await
    }

    async fn read_on(&mut self, number: usize, after: Option<u64>) -> anyhow::Result<()> {
        let Some(after) = after else { return Ok(()) };
        let request = history(number, &self.follower.channels[number].channel, after);
        Ok(self.socket.send(request.to_string()).await?)
    }

    /// What can't be had now is asked for again with the next connection.
    fn refused(&mut self, number: usize, frame: &Frame) -> anyhow::Result<Option<End>> {
        let reason = frame.refusal();
        if frame.retry {
            let said = frame.retry_after.map(Duration::from_secs);
            return Ok(Some(End::Passing(reason, said.or(self.pause))));
        }
        self.follower.ended(number, &reason, self.printer)?;
        Ok(self.follower.channels.iter().all(|followed| followed.over).then_some(End::Over))
    }

    /// Where there is a login, another token comes from it.
    async fn refresh(&mut self) -> anyhow::Result<()> {
        if let Ok(Some(token)) = self.target.credentials.token(&self.target.url).await {
            let request = json!({"id": "refresh", "type": "refresh", "token": token.as_str()});
            self.socket.send(request.to_string()).await?;
        }
        Ok(())
    }

    fn closed(&self, closed: Closed) -> End {
        // An expired token comes back as it was, unless there is a login.
        let has_login = self.target.credentials.login.is_some();
        if closed.is_passing() && (closed.code != 4101 || has_login) {
            End::Passing(format!("closed with {closed}"), self.pause)
        } else {
            End::Final(format!("closed with {closed}; that token is not taken (--token, --login)"))
        }
    }
}

fn pulse() -> Interval {
    let mut pulse = interval(PULSE);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pulse
}
