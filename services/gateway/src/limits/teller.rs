//! Carries what gateways tell each other over the bus.

use std::{sync::Arc, time::Duration};

use carillon_bus::{Bus, Signal, Subscription};
use carillon_contract::{Subject, messages::GatewayNotice};
use futures_util::StreamExt;
use prost::Message;
use tokio::{
    sync::broadcast::error::RecvError,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

use super::{Census, Limits};

/// The shortest time between two messages with news: what happens meanwhile goes into one.
const PAUSE: Duration = Duration::from_millis(5);

/// How often something is said, if only that this gateway is there. Several times within the silence after
/// which it would be taken for gone.
const BEAT: Duration = Duration::from_secs(2);

/// How often everything is said at most, on request.
const SELDOM: Duration = Duration::from_millis(500);

/// How often everything is said: for so long a lost message can leave a number stale.
const EVERYTHING: Duration = Duration::from_secs(15);

/// Tells other gateways, and listens to them, until `ended`: then that this one is gone is the last thing it says.
/// Where nothing is counted there is nothing to tell.
pub(crate) fn tell(limits: &Arc<Limits>, bus: &Bus, ended: &CancellationToken) -> JoinHandle<()> {
    let teller = Teller { limits: limits.clone(), bus: bus.clone(), subject: Subject::gateways() };
    let ended = ended.clone();
    tokio::spawn(async move {
        if !teller.limits.quotas.count_anything() {
            return;
        }
        tokio::select! {
            () = ended.cancelled() => {}
            ((), ()) = async { tokio::join!(teller.listen(), teller.speak()) } => {}
        }
        teller.leave().await;
    })
}

struct Teller {
    limits: Arc<Limits>,
    bus: Bus,
    subject: Subject,
}

impl Teller {
    async fn listen(&self) {
        loop {
            match self.bus.subscribe(self.subject.clone()).await {
                Ok(notices) => self.take_in(notices).await,
                Err(error) => tracing::warn!(%error, "other gateways can't be heard yet"),
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Takes in what others say, and has them asked for everything.
    async fn take_in(&self, mut notices: Subscription) {
        let mut signals = self.bus.signals();
        self.limits.change(Census::may_have_missed);
        loop {
            tokio::select! {
                notice = notices.next() => match notice {
                    Some(message) => self.hear(message.payload),
                    None => return,
                },
                signal = signals.recv() => if may_have_missed(signal) {
                    self.limits.change(Census::may_have_missed);
                },
            }
        }
    }

    fn hear(&self, payload: bytes::Bytes) {
        match GatewayNotice::decode(payload) {
            Ok(notice) => {
                let now = self.limits.now();
                let mut census = self.limits.census();
                census.hear(&notice, now);
                if census.is_asked() {
                    self.limits.changed.notify_one();
                }
            }
            Err(error) => tracing::warn!(%error, "a notice of another gateway can't be read"),
        }
    }

    async fn speak(&self) {
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut said_everything = None;
        loop {
            tokio::select! {
                () = self.limits.changed.notified() => {}
                _ = beat.tick() => self.beat().await,
                // Somebody asked, just after everything was said.
                () = tokio::time::sleep(SELDOM), if self.limits.census().is_asked() => {}
            }
            self.tell(|census, _| census.question().into_iter().collect()).await;
            // However many ask for it, and however often.
            let age = said_everything.map(|at: Instant| at.elapsed());
            let is_asked = self.limits.census().is_asked();
            if age.is_none_or(|age| age >= EVERYTHING || is_asked && age >= SELDOM) {
                said_everything = Some(Instant::now());
                self.tell_everything().await;
            } else {
                self.tell(Census::news).await;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What time brings: others are forgotten, and told that this one is there.
    async fn beat(&self) {
        let now = self.limits.now();
        self.limits.census().forget(now);
        let alive = self.limits.census().sign_of_life();
        self.say(vec![alive]).await;
    }

    async fn tell(&self, what: fn(&mut Census, u64) -> Vec<GatewayNotice>) {
        // While the bus is away nobody hears anything. When it is back, everything is said.
        if self.bus.is_connected() {
            let notices = what(&mut self.limits.census(), self.limits.now());
            self.say(notices).await;
        }
    }

    /// Nobody who connects or leaves waits while it is put into messages.
    async fn tell_everything(&self) {
        if self.bus.is_connected() {
            let snapshot = self.limits.census().snapshot(self.limits.now());
            let pages = snapshot.pages();
            let notices = self.limits.census().number(pages);
            self.say(notices).await;
        }
    }

    /// Says it all, or remembers that it has to be said again.
    async fn say(&self, notices: Vec<GatewayNotice>) {
        for notice in &notices {
            if !self.publish(notice).await {
                self.limits.census().untold();
                return;
            }
        }
    }

    async fn publish(&self, notice: &GatewayNotice) -> bool {
        let published = self.bus.publish(&self.subject, notice.encode_to_vec().into()).await;
        published.inspect_err(|error| tracing::debug!(%error, "other gateways were not told")).is_ok()
    }

    /// What it remembers of handshakes, whatever was being said when it was to end; and that no more will come.
    async fn leave(&self) {
        self.tell_everything().await;
        let farewell = self.limits.census().farewell();
        self.publish(&farewell).await;
        // What isn't heard in time is made up for by silence.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.bus.flush()).await;
    }
}

fn may_have_missed(signal: Result<Signal, RecvError>) -> bool {
    match signal {
        Ok(Signal::Reconnected | Signal::Dropped) | Err(RecvError::Lagged(_)) => true,
        Ok(Signal::Disconnected) | Err(RecvError::Closed) => false,
    }
}
