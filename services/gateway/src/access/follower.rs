//! Follows channel `access`: a snapshot first, then every change.

use std::{
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use carillon_bus::{Bus, RequestError, Timing};
use carillon_contract::{
    Channel, ServiceName,
    messages::{
        AccessChange, AccessRequest, ChannelHead, Event, HeadsRequest, JwksRequest, access_change::Change,
    },
};
use carillon_token::{CARILLON, Verifier};
use prost::Message;
use tokio::{
    sync::{Notify, mpsc},
    time::MissedTickBehavior,
};

use super::{Access, Blocks, Revocations};
use crate::{
    clock,
    hub::{Delivery, Hub, ListenerId},
    shard::Control,
};

/// How often auth is asked how far its log is: well within the two seconds in which a revocation
/// takes effect, even if its event was lost.
const HEARTBEAT: Duration = Duration::from_millis(700);

/// How long one such question may take.
const PATIENCE: Timing = Timing { attempt: Duration::from_millis(600) };

/// Keeps an [`Access`] current, and tells the workers whose access ends.
pub(crate) struct Follower {
    pub(crate) bus: Bus,
    pub(crate) hub: Hub,
    pub(crate) listener: ListenerId,
    pub(crate) inbox: mpsc::Receiver<Vec<Delivery>>,
    pub(crate) access: Arc<Access>,
    pub(crate) verifier: Verifier,
    /// Whether auth's users are `carillon:<id>` here.
    pub(crate) prefixed_ids: bool,
    pub(crate) workers: Vec<mpsc::Sender<Control>>,
    /// What is revoked is known, and followed from there.
    pub(crate) is_known: AtomicBool,
    /// How often what is known was lost.
    pub(crate) resets: AtomicU64,
    pub(crate) keys_changed: Notify,
}

/// Why it isn't known what is revoked.
#[derive(Debug, thiserror::Error)]
enum FollowError {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("auth and this gateway were told different issuers of bare ids (--bare-ids)")]
    Names,
}

impl Follower {
    /// Runs until the hub ends.
    ///
    /// Changes are taken in whatever becomes of questions to auth: the hub waits for a listener that
    /// doesn't, so this one must never wait for the hub.
    pub(crate) async fn run(mut self) {
        let mut inbox = std::mem::replace(&mut self.inbox, mpsc::channel(1).1);
        tokio::join!(self.take_in(&mut inbox), self.keep_current());
    }

    async fn take_in(&self, inbox: &mut mpsc::Receiver<Vec<Delivery>>) {
        while let Some(deliveries) = inbox.recv().await {
            for delivery in deliveries {
                match delivery {
                    Delivery::Event(_, event) => self.changed(&event).await,
                    Delivery::Reset(_) => self.start_again().await,
                }
            }
        }
    }

    /// What was missed can't be had: have everyone checked anew.
    async fn start_again(&self) {
        self.resets.fetch_add(1, Ordering::Relaxed);
        self.is_known.store(false, Ordering::Relaxed);
        // Nobody is let in before it is known again: a revocation may be among what was missed.
        self.access.lost();
        self.tell(Control::EndAll).await;
    }

    async fn keep_current(&self) {
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.listen(&mut heartbeat).await;
        loop {
            tokio::select! {
                _ = heartbeat.tick() => self.beat().await,
                () = self.keys_changed.notified() => self.fetch_keys().await,
            }
        }
    }

    async fn beat(&self) {
        let is_known = self.is_known.load(Ordering::Relaxed);
        match if is_known { self.compare().await } else { self.take_snapshot().await } {
            // Unless it was lost in the meantime.
            Ok(()) if self.is_known.load(Ordering::Relaxed) => self.access.reached(),
            Ok(()) => {}
            Err(error @ FollowError::Names) => tracing::error!(%error, "nobody is let in"),
            Err(FollowError::Request(error)) => tracing::debug!(%error, "auth can't be reached"),
        }
        self.revocations(|revocations| revocations.forget(clock::now()));
        self.blocks(|blocks| blocks.forget(clock::now()));
    }

    async fn listen(&self, heartbeat: &mut tokio::time::Interval) {
        let channel = Channel::access();
        while self.hub.listen(self.listener, &channel).await.is_err() {
            heartbeat.tick().await;
        }
    }

    /// Everything that is revoked now, page by page. What changes meanwhile arrives as events, as
    /// of the first page.
    async fn take_snapshot(&self) -> Result<(), FollowError> {
        let resets = self.resets.load(Ordering::Relaxed);
        let mut request = AccessRequest::default();
        let (mut place, mut blocks) = (None, Vec::new());
        self.blocks(Blocks::ask);
        loop {
            let mut reply = self.bus.call_within(ServiceName::Auth, &request, PATIENCE).await?;
            if reply.prefixed_ids != self.prefixed_ids {
                return Err(FollowError::Names);
            }
            place.get_or_insert_with(|| (reply.epoch.clone(), reply.offset));
            request.after.clone_from(&reply.next);
            blocks.append(&mut reply.blocks);
            self.revocations(|revocations| revocations.extend(reply));
            if request.after.is_empty() {
                break;
            }
        }
        // Unlike a revocation a block can be lifted, unheard of.
        self.blocks(|known| known.replace(&blocks));
        if let Some((epoch, offset)) = place {
            let head = ChannelHead { channel: Channel::access().as_str().to_owned(), offset };
            self.hub.heads(&epoch, vec![head]).await;
        }
        // A reset meanwhile leaves a gap behind the first page.
        self.is_known.store(self.resets.load(Ordering::Relaxed) == resets, Ordering::Relaxed);
        self.keys_changed.notify_one();
        Ok(())
    }

    /// Asks how far auth's log is; the hub fetches what is missing.
    async fn compare(&self) -> Result<(), FollowError> {
        let request = HeadsRequest { channels: vec![Channel::access().as_str().to_owned()] };
        let reply = self.bus.call_within(ServiceName::Auth, &request, PATIENCE).await?;
        self.hub.heads(&reply.epoch, reply.channels).await;
        Ok(())
    }

    async fn changed(&self, event: &Event) {
        let change = event.variants.first().and_then(|variant| AccessChange::decode(&*variant.json).ok());
        match change.and_then(|change| change.change) {
            Some(Change::UserRevoked(revoked)) => {
                self.revocations(|revocations| revocations.revoke_user(revoked.clone()));
                self.tell(Control::EndUser { user: revoked.user, before: revoked.before }).await;
            }
            Some(Change::TokenRevoked(revoked)) => {
                self.revocations(|revocations| revocations.revoke_token(revoked.clone()));
                self.tell(Control::EndToken { token: revoked.token }).await;
            }
            Some(Change::MembershipEnded(ended)) => {
                self.tell(Control::EndMembership { user: ended.user, resource: ended.resource }).await;
            }
            Some(Change::Blocked(block)) => {
                self.blocks(|blocks| blocks.change(block.clone(), true));
                self.tell(Control::EndBlocked { block }).await;
            }
            Some(Change::Unblocked(block)) => self.blocks(|blocks| blocks.change(block, false)),
            Some(Change::KeysChanged(_)) => self.keys_changed.notify_one(),
            None => tracing::warn!(offset = event.offset, "an access change can't be read"),
        }
    }

    async fn fetch_keys(&self) {
        // A token of an unknown key makes the verifier ask again, so this may fail.
        if let Ok(reply) = self.bus.call(ServiceName::Auth, &JwksRequest {}).await
            && let Err(error) = self.verifier.set_keys(CARILLON, &reply.jwks)
        {
            tracing::warn!(%error, "auth's keys can't be read");
        }
    }

    async fn tell(&self, control: Control) {
        for worker in &self.workers {
            // A worker that has ended has no connections.
            let _ = worker.send(control.clone()).await;
        }
    }

    fn blocks(&self, change: impl FnOnce(&mut Blocks)) {
        change(&mut self.access.blocks.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn revocations(&self, change: impl FnOnce(&mut Revocations)) {
        change(&mut self.access.revocations.write().unwrap_or_else(PoisonError::into_inner));
    }
}
