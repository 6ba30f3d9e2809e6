//! Telling it: once a second, at once when something has changed, and a last time at the end.

use std::time::Duration;

use carillon_contract::{
    Program, Subject,
    messages::{Beacon, ReplicaState},
};
use prost::Message as _;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::findings::{Findings, microseconds};
use crate::Shell;

/// How often it is told, and how long it rests between two looks.
const EVERY: Duration = Duration::from_secs(1);

/// How long the last word may take to leave.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Tells of one program of this process until it is stopped. Dropped, it falls silent: then the program is
/// taken for lost.
#[derive(Debug)]
#[must_use = "dropping it ends it"]
pub struct HealthTeller {
    stopped: CancellationToken,
    /// Ends whatever is left.
    silent: DropGuard,
    telling: JoinHandle<()>,
}

impl Shell {
    /// Has others know how this program of the process does.
    pub fn tell_health(&self, program: Program) -> HealthTeller {
        let (stopped, silent) = (CancellationToken::new(), CancellationToken::new());
        let (sender, findings) = watch::channel(None);
        let (looking, telling) = (silent.clone(), silent.clone());
        let teller = Teller { shell: self.clone(), program, host: host(), stopped: stopped.clone() };
        let shell = self.clone();
        tokio::spawn(async move { looking.run_until_cancelled(look(&shell, program, &sender)).await });
        let telling = tokio::spawn(async move {
            telling.run_until_cancelled(teller.run(findings)).await;
        });
        HealthTeller { stopped, silent: silent.drop_guard(), telling }
    }
}

impl HealthTeller {
    /// Says that the program is gone, as it was meant to be.
    pub async fn stop(self) {
        let Self { stopped, silent, telling } = self;
        stopped.cancel();
        // What can't be said in time is made up for by silence.
        let _ = timeout(LAST_WORD, telling).await;
        drop(silent);
    }
}

/// Looks again after a rest, and whenever something has happened meanwhile.
async fn look(shell: &Shell, program: Program, found: &watch::Sender<Option<Findings>>) {
    let (mut signals, mut parts) = (shell.bus.signals(), shell.readiness.changes());
    let mut was_ready = false;
    loop {
        parts.mark_unchanged();
        let findings = Findings::of(shell, program, was_ready).await;
        was_ready |= findings.state == ReplicaState::Ready;
        let stopping = findings.state == ReplicaState::Stopping;
        found.send_replace(Some(findings));
        tokio::select! {
            () = sleep(EVERY) => {}
            Ok(()) = parts.changed() => {}
            Ok(_) = signals.recv() => {}
            () = shell.shutdown.cancelled(), if !stopping => {}
        }
    }
}

struct Teller {
    shell: Shell,
    program: Program,
    host: String,
    stopped: CancellationToken,
}

impl Teller {
    async fn run(self, mut findings: watch::Receiver<Option<Findings>>) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = Findings::default();
        loop {
            tokio::select! {
                () = self.stopped.cancelled() => break,
                _ = ticks.tick() => {}
                () = news(&mut findings, &told) => ticks.reset(),
            }
            let Some(found) = findings.borrow_and_update().clone() else { continue };
            self.tell(found.clone()).await;
            told = found;
        }
        self.tell(Findings { state: ReplicaState::Stopped, ..told }).await;
        // What isn't heard in time is made up for by silence.
        let _ = self.shell.bus.flush().await;
    }

    /// Nothing is lost with one that can't be told: the next one says it all again.
    async fn tell(&self, found: Findings) {
        let health = &self.shell.health;
        let beacon = Beacon {
            replica: health.replica().to_owned(),
            service: self.program.as_str().to_owned(),
            host: self.host.clone(),
            process: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: health.started_at(),
            state: found.state.into(),
            failures: found.failures,
            event_loop_lag_microseconds: microseconds(health.event_loops().lag()),
            memory_bytes: resident_bytes(),
            bus: Some(found.bus),
            database: found.database,
        };
        let subject = Subject::health(self.program);
        if let Err(error) = self.shell.bus.publish(&subject, beacon.encode_to_vec().into()).await {
            tracing::debug!(%error, "how this process does was not told");
        }
    }
}

/// Waits until something is found that others are to know at once.
async fn news(findings: &mut watch::Receiver<Option<Findings>>, told: &Findings) {
    loop {
        if findings.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        if findings.borrow_and_update().as_ref().is_some_and(|found| found.is_news_after(told)) {
            return;
        }
    }
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// What this process holds of the machine's memory, where the system tells.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1_024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_what_memory_it_holds() {
        assert!(resident_bytes().is_some_and(|bytes| bytes > 100_000), "{:?}", resident_bytes());
    }
}
