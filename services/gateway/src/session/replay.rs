//! Giving a client that comes back what it missed, in order, once; or telling it that this can't be done.

use std::{rc::Rc, sync::Arc};

use carillon_contract::{
    Channel, Since,
    messages::{ChannelHead, Event, HistoryRequest},
};

use super::{SessionInfo, frames, pace};
use crate::{
    gateway::Gateway,
    shard::{Key, Shard, render},
    websocket::CloseReason,
};

/// Events asked for in one request.
const PAGE: u32 = 200;

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
        self.shard.tell(self.key, &frames::recovered(missed));
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
        self.shard.tell(self.key, &frames::not_recovered(None));
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
            for event in &events {
                after = event.offset;
                if let Some(frame) = render(event, self.info.format()) {
                    pace::send(self.shard, self.key, frame).await?;
                }
                // What the owner knew when it let the client in is history.
                if event.offset > greeted
                    && let Some(reason) = self.info.dismissed_by(event)
                {
                    return Err(reason);
                }
            }
            if after >= head.offset {
                return Ok(());
            }
            pace::written(self.shard, self.key).await?;
            // The log lost events between two pages: the client's next `since` will tell it.
            events = self.page(head, after).await?.map_err(|Lost| CloseReason::UNAVAILABLE)?;
        }
    }

    /// Events above `after`: from memory, else from the owner's log.
    async fn page(
        &self,
        head: &ChannelHead,
        after: u64,
    ) -> Result<Result<Vec<Arc<Event>>, Lost>, CloseReason> {
        if after >= head.offset {
            return Ok(Ok(Vec::new()));
        }
        let channel: Channel = head.channel.parse().map_err(|_| CloseReason::UNAVAILABLE)?;
        let until = head.offset.min(after + u64::from(PAGE));
        if let Some(events) = self.gateway.hub.recent(&channel, after, until).await {
            return Ok(Ok(events));
        }
        let request = HistoryRequest { channel: head.channel.clone(), after, limit: PAGE };
        let reply = self.gateway.bus.call(channel.owner(), &request).await.map_err(|error| {
            tracing::warn!(%channel, %error, "what a client missed could not be read");
            CloseReason::UNAVAILABLE
        })?;
        let follows = reply.events.first().is_some_and(|event| event.offset == after + 1);
        let is_whole = reply.epoch == self.epoch && reply.first <= after + 1 && follows;
        let events = reply.events.into_iter().filter(|event| event.offset <= head.offset).map(Arc::new);
        Ok(if is_whole { Ok(events.collect()) } else { Err(Lost) })
    }
}
