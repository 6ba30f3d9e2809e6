//! The task of one worker: takes in events and commands, writes what they have queued, and keeps time.

mod drain;

use std::{rc::Rc, sync::Arc, time::Duration};

use carillon_contract::{ServiceName, messages::Block};
use ipnet::IpNet;
use rand::RngExt;
use tokio::{sync::mpsc, time::MissedTickBehavior};

pub(crate) use drain::Draining;
use drain::drain;

use super::{
    alarm::Alarm,
    burst::{Burst, belong_together},
    connection::Key,
    listing::{Listing, Wanted},
    registry::Shard,
    roll::Roll,
    tally::Tallies,
};
use crate::{
    clock,
    hub::Delivery,
    session::{self, SessionInfo},
    websocket::{Cause, CloseReason},
};

/// Deliveries taken in before some of what they queued is written.
const TURN: usize = 256;

/// The longest that a drained client is asked to wait before it comes back.
const COME_BACK_MS: u64 = 1_000;

/// What a worker is told about its connections.
#[derive(Debug, Clone)]
pub(crate) enum Control {
    /// This user's tokens issued before then (microseconds since 1970) are void.
    EndUser { user: String, before: i64 },
    /// This token, or every token of this login, is void.
    EndToken { token: String },
    /// This user, or whoever is in this network, is blocked.
    EndBlocked { block: Block },
    /// This user is no longer a member of this.
    EndMembership { user: String, resource: String },
    /// Everyone has to come back and be checked anew.
    EndAll,
    /// An owner may have lost count of its sessions: the answer is up to `count`, from place `from` on.
    CallRoll { owner: ServiceName, from: usize, count: usize, reply: mpsc::Sender<Roll> },
    /// Wanted is what has been counted.
    Count { reply: mpsc::Sender<Tallies> },
    /// Wanted are some of the open connections.
    List { wanted: Arc<Wanted>, reply: mpsc::Sender<Listing> },
    /// An admin wants this connection closed. Answered is whether there is one.
    Disconnect { connection: Arc<str>, reply: mpsc::Sender<bool> },
    /// The gateway is going.
    Drain(Draining),
}

/// Runs a worker until nobody sends it anything any more.
pub(crate) async fn work(
    shard: Rc<Shard>,
    mut deliveries: mpsc::Receiver<Vec<Delivery>>,
    mut controls: mpsc::Receiver<Control>,
    alarm: Alarm,
) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut held = false;
    loop {
        tokio::select! {
            Some(mut turn) = deliveries.recv() => {
                while turn.len() < TURN
                    && let Ok(more) = deliveries.try_recv()
                {
                    turn.extend(more);
                }
                shard.take_in(&turn);
            }
            Some(control) = controls.recv() => shard.obey(control),
            due = seconds.tick() => {
                shard.measure(due.elapsed().as_secs_f64());
                shard.tick();
            }
            // What is held for a moment may leave now.
            () = alarm.rings(), if held => {}
            // Lets other tasks run, and what has arrived meanwhile join what still waits.
            () = tokio::task::yield_now(), if shard.has_pending() => {}
            else => return,
        }
        shard.flush();
        held = shard.held_until().inspect(|until| alarm.set(*until)).is_some();
        shard.instruments.fold();
    }
}

impl Shard {
    fn take_in(&self, turn: &[Delivery]) {
        for deliveries in turn.chunk_by(belong_together) {
            match &deliveries[0] {
                Delivery::Event(channel, event) => {
                    self.fan_out(channel, Burst::new(deliveries));
                    if event.dismissal.is_some() {
                        self.dismiss(channel, event);
                    }
                }
                Delivery::Reset(channel) => self.reset(channel),
            }
        }
    }

    fn obey(self: &Rc<Self>, control: Control) {
        match control {
            Control::EndUser { user, before } => self.end_invalid(|info| {
                info.identity.as_ref().is_some_and(|held| held.user() == user && held.issued_at() < before)
            }),
            Control::EndToken { token } if token.is_empty() => {}
            Control::EndToken { token } => {
                self.end_invalid(|info| info.identity.as_ref().is_some_and(|held| held.is_of(&token)))
            }
            Control::EndBlocked { block } => self.end_blocked(&block),
            Control::EndMembership { user, resource } => self.end_membership(&user, &resource),
            Control::EndAll => self.keys(|_| true).into_iter().for_each(|key| self.send_away(key)),
            Control::CallRoll { owner, from, count, reply } => {
                // There is room for it, unless nobody waits for it any more.
                let _ = reply.try_send(self.call_roll(owner, from, count));
            }
            Control::Count { reply } => {
                let _ = reply.try_send(self.inner.borrow().tallies.clone());
            }
            Control::List { wanted, reply } => {
                let _ = reply.try_send(self.list(&wanted));
            }
            Control::Disconnect { connection, reply } => {
                let _ = reply.try_send(self.disconnect(&connection));
            }
            Control::Drain(draining) => drop(tokio::task::spawn_local(drain(self.clone(), draining))),
        }
    }

    fn end_invalid(&self, wanted: impl Fn(&SessionInfo) -> bool) {
        for key in self.keys(wanted) {
            self.end(key, |info| {
                CloseReason::fixed(Cause::Revoked, info.endpoint.close_codes.invalid, "token revoked")
            });
        }
    }

    fn end_blocked(&self, block: &Block) {
        let network: Option<IpNet> = block.network.parse().ok();
        let is_meant = |info: &SessionInfo| {
            let is_there = network.is_some_and(|network| network.contains(&info.address));
            is_there || !block.user.is_empty() && info.user() == Some(&block.user)
        };
        for key in self.keys(is_meant) {
            self.end(key, SessionInfo::blocked);
        }
    }

    fn disconnect(&self, connection: &str) -> bool {
        let keys = self.keys(|info| *info.connection == *connection);
        for key in &keys {
            tracing::info!(connection, "an administrator ends a connection");
            self.close(*key, CloseReason::DISCONNECTED);
        }
        !keys.is_empty()
    }

    fn end_membership(&self, user: &str, resource: &str) {
        for key in self.membership_ended(user, resource) {
            self.end(key, SessionInfo::no_longer_a_member);
        }
    }

    fn end(&self, key: Key, reason: impl Fn(&SessionInfo) -> CloseReason) {
        if let Some(info) = self.info(key) {
            let reason = reason(&info);
            tracing::info!(connection = %info.connection, code = reason.code, reason = %reason.reason, "access ended");
            self.close(key, reason);
        }
    }

    /// Tells a client when to come back, and closes.
    fn send_away(&self, key: Key) {
        let after = rand::rng().random_range(0..=COME_BACK_MS);
        if let Some(info) = self.info(key).filter(|info| !info.is_binary()) {
            self.send(key, info.come_back(after));
        }
        self.close(key, CloseReason::RESTART);
    }

    /// What a second brings: pings for the silent, an end for the dead, and the ends of tokens.
    fn tick(&self) {
        let second = self.second();
        self.replays.tidy();
        let is_late = self.inner.borrow().timers.is_late(second);
        let heartbeats = self.inner.borrow_mut().timers.heartbeats(second);
        for key in heartbeats {
            self.check_alive(key, second, is_late);
            self.watch_token(key);
        }
        let due = self.inner.borrow_mut().timers.due(second);
        for key in due {
            self.check_token(key);
        }
    }

    /// A worker that is late has not listened, and judges nobody.
    fn check_alive(&self, key: Key, second: u32, is_late: bool) {
        let inner = &mut *self.inner.borrow_mut();
        let Some(connection) = inner.get(key) else { return };
        let silent = second.saturating_sub(connection.heard);
        let blocked = connection.is_blocked
            && second.saturating_sub(connection.blocked_since) >= self.bounds.write_seconds;
        let dead = connection.is_pinged && silent >= 2 * self.bounds.heartbeat_seconds;
        if (blocked || dead) && !is_late {
            tracing::debug!(connection = %connection.info.connection, silent, blocked, "the client is gone");
            connection.given_up = Some(if blocked { "stuck" } else { "silent" });
            connection.is_broken = true;
            connection.notify();
            return;
        }
        if silent < self.bounds.heartbeat_seconds {
            let heard = connection.heard;
            inner.timers.watch(key, heard);
        } else {
            connection.is_pinged = true;
            let heartbeat = connection.info.heartbeat();
            inner.timers.watch(key, second);
            inner.push_control(key, heartbeat, &self.bounds, &self.metrics);
            self.metrics.bytes_sent.inc_by(inner.flush_one(key.slot, second));
        }
    }

    /// Has a connection looked at when its token is about to expire, and when it has. What comes after
    /// the next heartbeat is left to that, so that connections which are gone leave nothing behind.
    pub(crate) fn watch_token(&self, key: Key) {
        let Some(expires_at) = self.expires_at(key) else { return };
        let inner = &mut *self.inner.borrow_mut();
        let Some(connection) = inner.get(key).filter(|connection| !connection.is_subscription()) else {
            return;
        };
        let ahead = if connection.is_warned { 0 } else { self.bounds.expiry_warning_seconds };
        let due = self.second_of(expires_at.saturating_sub(i64::from(ahead) * 1_000_000));
        let is_near = due <= self.second().saturating_add(self.bounds.heartbeat_seconds);
        if is_near && connection.look_at.replace(due) != Some(due) {
            inner.timers.schedule(key, due);
        }
    }

    /// The first of the worker's seconds by which this time (microseconds since 1970) has come: not the
    /// one that it falls into, but the next.
    fn second_of(&self, time: i64) -> u32 {
        let left = Duration::from_micros(time.saturating_sub(clock::now()).try_into().unwrap_or(0));
        let due = (self.age() + left).as_nanos().div_ceil(1_000_000_000);
        u32::try_from(due).unwrap_or(u32::MAX)
    }

    /// When the connection's token ceases to be accepted, in microseconds since 1970.
    fn expires_at(&self, key: Key) -> Option<i64> {
        let expires_at = self.info(key)?.identity.as_ref()?.expires_at();
        Some(expires_at.saturating_add(i64::from(self.bounds.leeway_seconds) * 1_000_000))
    }

    fn check_token(&self, key: Key) {
        let Some(expires_at) = self.expires_at(key) else { return };
        let left = seconds_until(expires_at);
        if left <= 0 {
            let reason = |info: &SessionInfo| {
                CloseReason::fixed(Cause::Expired, info.endpoint.close_codes.expired, "token expired")
            };
            return self.end(key, reason);
        }
        if left <= i64::from(self.bounds.expiry_warning_seconds) && self.warn(key) {
            self.tell(key, &session::token_expiring(left));
        }
        // The end is still to come, and the clock may have been set back meanwhile.
        self.watch_token(key);
    }

    /// Whether a client is to be told that its token is about to expire: once for each token.
    fn warn(&self, key: Key) -> bool {
        let mut inner = self.inner.borrow_mut();
        inner.get(key).is_some_and(|connection| !std::mem::replace(&mut connection.is_warned, true))
    }
}

/// Whole seconds, rounded up.
fn seconds_until(micros: i64) -> i64 {
    let left = micros.saturating_sub(clock::now());
    left.div_euclid(1_000_000) + i64::from(left.rem_euclid(1_000_000) > 0)
}
