//! One issuer's public keys: fetched when first needed, kept fresh, and kept when fetching fails.

use std::{
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use crate::{
    Options, VerifyError,
    fetch::{FetchError, Source},
    key_set::{KeySet, Verdict},
    parts::Parts,
};

/// Keys older than this many times their usual age are not used before they were asked for again.
const VERY_OLD: u32 = 6;

/// The keys of one issuer, shared by all verifications.
pub(crate) struct KeyRing {
    issuer: String,
    source: Source,
    max_age: Duration,
    min_interval: Duration,
    timeout: Duration,
    held: RwLock<Option<Held>>,
    attempts: Mutex<Attempts>,
}

#[derive(Clone)]
struct Held {
    keys: Arc<KeySet>,
    since: Instant,
}

#[derive(Default)]
struct Attempts {
    latest: Option<Instant>,
    /// Closed when the running attempt is over.
    running: Option<watch::Receiver<()>>,
    failed: bool,
    /// Counts pushed sets: what was asked for before the latest push is older than it.
    pushes: u64,
}

impl KeyRing {
    pub(crate) fn new(issuer: String, source: Source, options: &Options) -> Arc<Self> {
        Arc::new(Self {
            issuer,
            source,
            max_age: options.keys_max_age,
            min_interval: options.keys_min_interval,
            timeout: options.keys_timeout,
            held: RwLock::default(),
            attempts: Mutex::default(),
        })
    }

    /// Whether one of the issuer's keys made the token's signature. Asks for the keys once more if
    /// the token names one that isn't known.
    pub(crate) async fn check(self: &Arc<Self>, token: &Parts<'_>) -> Result<(), VerifyError> {
        let verdict = match self.current().await?.judge(token) {
            Verdict::UnknownKey => {
                self.renew().await;
                self.held().ok_or(VerifyError::KeysUnavailable)?.keys.judge(token)
            }
            verdict => verdict,
        };
        match verdict {
            Verdict::Signed => Ok(()),
            Verdict::Refused(error) => Err(error),
            // The token may have been made with a key that we couldn't hear of.
            Verdict::UnknownKey if self.attempts().failed => Err(VerifyError::KeysUnavailable),
            Verdict::UnknownKey => Err(VerifyError::Invalid("unknown key")),
        }
    }

    /// Takes a set that was pushed.
    pub(crate) fn set(&self, keys: KeySet) {
        let mut attempts = self.attempts();
        attempts.pushes += 1;
        attempts.failed = false;
        self.hold(keys);
    }

    async fn current(self: &Arc<Self>) -> Result<Arc<KeySet>, VerifyError> {
        let age = self.held().map(|held| held.since.elapsed());
        match age {
            Some(age) if age <= self.max_age => {}
            Some(age) if age <= self.max_age * VERY_OLD => drop(self.start()),
            _ => self.renew().await,
        }
        self.held().map(|held| held.keys).ok_or(VerifyError::KeysUnavailable)
    }

    /// Waits for an attempt to get the keys, unless the last one was too short ago.
    async fn renew(self: &Arc<Self>) {
        if let Some(mut running) = self.start() {
            while running.changed().await.is_ok() {}
        }
    }

    /// The attempt to wait for: the running one, or one that is started now. It goes on by itself
    /// if nobody waits any more.
    fn start(self: &Arc<Self>) -> Option<watch::Receiver<()>> {
        let mut attempts = self.attempts();
        if let Some(running) = attempts.running.as_ref().filter(|running| running.has_changed().is_ok()) {
            return Some(running.clone());
        }
        if attempts.latest.is_some_and(|latest| latest.elapsed() < self.min_interval) {
            return None;
        }
        let (done, running) = watch::channel(());
        attempts.latest = Some(Instant::now());
        attempts.running = Some(running.clone());
        let (ring, pushes) = (Arc::clone(self), attempts.pushes);
        tokio::spawn(async move {
            ring.attempt(pushes).await;
            drop(done);
        });
        Some(running)
    }

    async fn attempt(&self, pushes: u64) {
        let fetched = timeout(self.timeout, self.source.fetch()).await.unwrap_or(Err(FetchError::TimedOut));
        let keys = fetched.and_then(|json| KeySet::parse(&json).map_err(FetchError::Malformed));
        let mut attempts = self.attempts();
        if attempts.pushes != pushes {
            return;
        }
        attempts.failed = keys.is_err();
        match keys {
            Ok(keys) => {
                tracing::debug!(issuer = self.issuer, keys = keys.len(), "keys fetched");
                self.hold(keys);
            }
            Err(error) => tracing::warn!(issuer = self.issuer, %error, "cannot fetch keys"),
        }
    }

    fn hold(&self, keys: KeySet) {
        let held = Held { keys: Arc::new(keys), since: Instant::now() };
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(held);
    }

    fn held(&self) -> Option<Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn attempts(&self) -> std::sync::MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
