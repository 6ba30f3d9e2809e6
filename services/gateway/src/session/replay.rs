//! Giving a client that comes back what it missed, in order, once; or telling it that this can't be done.

use std::{rc::Rc, sync::Arc};

use carillon_contract::{
    Channel, Since,
    messages::{ChannelHead, Event},
};

use super::{Framing, SessionInfo, frames, pace};
use crate::{
    gateway::Gateway,
    history::Missing,
    server_sent,
    shard::{Key, Shard, cut},
    websocket::CloseReason,
};

/// A reconnection that names its place.
pub(super) struct Replay<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) shard: &'a Rc<Shard>,
    pub(super) key: Key,
    pub(super) info: &'a SessionInfo,
    /// The epoch of the owner's log.
    pub(super) epoch: &'a str,
    /// What the owner's greeting covers of each channel.
    pub(super) greeted: &'a [ChannelHead],
    /// The last event of each channel that is not going to arrive live.
    pub(super) heads: &'a [ChannelHead],
}

/// The log no longer holds what is asked for.
struct Lost;

impl Replay<'_> {
    /// Sends what was missed since then, and how much it is. False if it can't be had, which the
    /// client has been told.
    ///
    /// # Errors
    /// Why the connection has to be closed: the owner doesn't answer, so nothing can be said.
    pub(super) async fn recover(&self, since: &Since) -> Result<bool, CloseReason> {
        let Some(missed) = self.missed(since) else { return Ok(self.give_up("unrecoverable")) };
        // The first page of each channel shows whether the log still holds the rest: nothing is
        // promised before that is known.
        let mut firsts = Vec::new();
        for (head, after) in self.heads.iter().zip(&since.offsets) {
            match self.page(head, *after).await? {
                Ok(events) => firsts.push(events),
                Err(Lost) => return Ok(self.give_up("lost")),
            }
        }
        self.gateway.metrics.recoveries.with_label_values(&["recovered"]).inc();
        // It leaves with the first events.
        let recovered = frames::recovered(missed, self.info.subscribed());
        self.shard.announce_replay(self.key, self.info.word(&recovered), 1);
        for ((place, after), first) in self.places().zip(&since.offsets).zip(firsts) {
            self.channel(place, *after, first).await?;
        }
        Ok(true)
    }

    /// Sends what follows the greeting, where the stream of live events begins later than that.
    ///
    /// # Errors
    /// Why the connection has to be closed.
    pub(super) async fn catch_up(&self) -> Result<(), CloseReason> {
        for (head, greeted) in self.places() {
            let first = self.page(head, greeted).await?.map_err(|Lost| CloseReason::UNAVAILABLE)?;
            self.channel((head, greeted), greeted, first).await?;
        }
        Ok(())
    }

    /// Each channel's head, and what the greeting covers of it.
    fn places(&self) -> impl Iterator<Item = (&ChannelHead, u64)> {
        self.heads.iter().zip(self.greeted.iter().map(|greeted| greeted.offset))
    }

    /// How many events were missed; `None` if the place is not one of this log.
    fn missed(&self, since: &Since) -> Option<u64> {
        if since.epoch != self.epoch || since.offsets.len() != self.heads.len() {
            return None;
        }
        self.heads.iter().zip(&since.offsets).map(|(head, after)| head.offset.checked_sub(*after)).sum()
    }

    fn give_up(&self, outcome: &str) -> bool {
        self.gateway.metrics.recoveries.with_label_values(&[outcome]).inc();
        let json = frames::not_recovered(self.info.subscribed());
        match (self.info.framing, self.greeted) {
            // Nothing but what follows is to be had, so this is its place by now.
            (Framing::Events, [head, ..]) => {
                self.shard.send(self.key, server_sent::said_at(&json, self.epoch, head.offset));
            }
            _ => self.shard.tell(self.key, &json),
        }
        false
    }

    /// Sends one channel's missed events, page by page, each when the one before is written.
    async fn channel(
        &self,
        (head, greeted): (&ChannelHead, u64),
        mut after: u64,
        mut events: Vec<Arc<Event>>,
    ) -> Result<(), CloseReason> {
        loop {
            let mut rest = &events[..];
            while let (piece, others) = cut(rest)
                && let Some(last) = piece.last()
            {
                pace::replay(self.shard, self.key, piece, self.info.format()).await?;
                // What the owner knew when it let the client in is history.
                if last.offset > greeted
                    && let Some(reason) = self.info.dismissed_by(last)
                {
                    return Err(reason);
                }
                after = last.offset;
                rest = others;
            }
            if after >= head.offset {
                return Ok(());
            }
            pace::written(self.shard, self.key).await?;
            // The log lost events between two pages: the client's next `since` will tell it.
            events = self.page(head, after).await?.map_err(|Lost| CloseReason::UNAVAILABLE)?;
        }
    }

    /// Events above `after`.
    async fn page(
        &self,
        head: &ChannelHead,
        after: u64,
    ) -> Result<Result<Vec<Arc<Event>>, Lost>, CloseReason> {
        if after >= head.offset {
            return Ok(Ok(Vec::new()));
        }
        let channel: Channel = head.channel.parse().map_err(|_| CloseReason::UNAVAILABLE)?;
        match self.gateway.history.page(&channel, self.epoch, after, head.offset).await {
            Ok(mut events) => {
                events.retain(|event| event.offset <= head.offset);
                Ok(Ok(events))
            }
            Err(Missing::Lost) => Ok(Err(Lost)),
            Err(Missing::Unavailable) => Err(CloseReason::UNAVAILABLE),
        }
    }
}
