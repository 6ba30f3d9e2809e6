//! Tells once a second what was counted.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use carillon_contract::{
    Subject,
    messages::{DayTraffic, Telemetry, Traffic},
};
use carillon_instruments::Collector;
use prost::Message;
use tokio::{sync::mpsc, task::JoinHandle, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::{Entrance, ask_all, recent::Recent};
use crate::{
    clock,
    gateway::Gateway,
    shard::{Control, Tallies, Tally},
};

/// How often it tells.
const EVERY: Duration = Duration::from_secs(1);

/// How long the last report may take to leave.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Tells what a gateway has counted until `left`: then once more, for the last time.
pub(crate) fn report(
    gateway: &Arc<Gateway>,
    workers: &[mpsc::Sender<Control>],
    left: &CancellationToken,
) -> JoinHandle<()> {
    let mut reporter = Reporter {
        subject: Subject::telemetry(&gateway.incarnation),
        host: host(),
        started_at: clock::now(),
        number: 0,
        tallies: vec![Tallies::default(); workers.len()],
        recent: Recent::new(),
        gateway: gateway.clone(),
        workers: workers.to_vec(),
    };
    let left = left.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = left.cancelled() => break,
                _ = ticks.tick() => reporter.tell(false).await,
            }
        }
        reporter.tell(true).await;
        // What isn't heard in time is made up for by silence.
        let _ = tokio::time::timeout(LAST_WORD, reporter.gateway.bus.flush()).await;
    })
}

struct Reporter {
    gateway: Arc<Gateway>,
    workers: Vec<mpsc::Sender<Control>>,
    subject: Subject,
    host: String,
    started_at: i64,
    number: u64,
    /// The last that each worker has told.
    tallies: Vec<Tallies>,
    recent: Recent,
}

impl Reporter {
    /// Nothing is lost with a report that can't be published: the next one says it all again.
    async fn tell(&mut self, is_last: bool) {
        let telemetry = self.telemetry(is_last).await;
        let published = self.gateway.bus.publish(&self.subject, telemetry.encode_to_vec().into()).await;
        if let Err(error) = published {
            tracing::debug!(%error, "what was counted was not told");
        }
    }

    async fn telemetry(&mut self, is_last: bool) -> Telemetry {
        self.number += 1;
        let told = ask_all(&self.workers, |reply| Control::Count { reply }).await;
        // A worker that is too busy has counted what it had at least.
        for (known, told) in self.tallies.iter_mut().zip(told) {
            *known = told.unwrap_or_else(|| known.clone());
        }
        let sums: Vec<Tally> = Entrance::all().map(|entrance| self.sum(entrance)).collect();
        let messages = sums.iter().map(|sum| (sum.received, sum.sent)).collect();
        let recent = self.recent.grown(messages, Instant::now());
        let traffic = Entrance::all().zip(&sums).zip(recent);
        let traffic = traffic.map(|((entrance, sum), recent)| self.traffic(entrance, sum, recent));
        Telemetry {
            gateway: self.gateway.incarnation.to_string(),
            number: self.number,
            host: self.host.clone(),
            started_at: self.started_at,
            at: clock::now(),
            draining: self.gateway.is_draining(),
            last: is_last,
            traffic: traffic.filter(|traffic| traffic.opened > 0 || traffic.refused > 0).collect(),
            slow_consumers: self.slow_consumers(),
        }
    }

    fn sum(&self, entrance: Entrance) -> Tally {
        let tallies = self.tallies.iter().map(|tallies| tallies.get(entrance));
        tallies.fold(Tally::default(), |sum, tally| sum.plus(tally))
    }

    fn traffic(&self, entrance: Entrance, sum: &Tally, recent: (u64, u64)) -> Traffic {
        let days = sum.days.iter().filter(|day| day.opened > 0);
        Traffic {
            endpoint: entrance.endpoint().to_owned(),
            transport: entrance.transport().to_owned(),
            opened: sum.opened,
            closed: sum.closed,
            closed_milliseconds: sum.closed_milliseconds,
            messages_received: sum.received,
            messages_sent: sum.sent,
            bytes_received: sum.bytes_received,
            bytes_sent: sum.bytes_sent,
            refused: self.gateway.refusals.of(entrance),
            days: days.map(|day| DayTraffic { day: day.day, opened: day.opened }).collect(),
            recently_received: recent.0,
            recently_sent: recent.1,
        }
    }

    /// As metrics have counted them, whatever became of them.
    fn slow_consumers(&self) -> u64 {
        let families = self.gateway.metrics.slow_consumers.collect();
        let counters = families.iter().flat_map(|family| family.get_metric());
        counters.map(|metric| metric.get_counter().get_value() as u64).sum()
    }
}

/// The name of the machine, or pod.
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
