//! Whether the process can do its work: what `/readyz` says.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

/// A check that takes longer has failed.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

type Check = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// The parts of a process, each starting, ready as long as its check passes, or stopping.
#[derive(Clone, Default)]
pub struct Readiness {
    parts: Arc<Mutex<BTreeMap<String, Option<Check>>>>,
    changed: Arc<watch::Sender<()>>,
}

/// One part's place in a [`Readiness`]: starting until [`Registration::ready`].
pub struct Registration {
    readiness: Readiness,
    name: String,
}

impl Readiness {
    /// Adds a part, or takes over the one of that name. Until it says so, it is not ready.
    pub fn register(&self, name: &str) -> Registration {
        self.set(name, None);
        Registration { readiness: self.clone(), name: name.to_owned() }
    }

    /// What keeps the process from being ready, by part; nothing if it is.
    pub async fn failures(&self) -> BTreeMap<String, String> {
        let parts = self.lock().clone();
        failures(parts).await
    }

    /// The same for one program of several in the process: what has its name, or begins with it.
    pub(crate) async fn failures_of(&self, program: &str) -> BTreeMap<String, String> {
        let mut parts = self.lock().clone();
        parts.retain(|name, _| {
            name.strip_prefix(program).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        });
        failures(parts).await
    }

    /// Learns whenever a part says that it is ready, or no longer.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    fn set(&self, name: &str, check: Option<Check>) {
        self.lock().insert(name.to_owned(), check);
        self.changed.send_replace(());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Option<Check>>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn failures(parts: BTreeMap<String, Option<Check>>) -> BTreeMap<String, String> {
    let mut failures = BTreeMap::new();
    for (name, check) in parts {
        let outcome = match check {
            None => Err("not ready".to_owned()),
            Some(check) => tokio::time::timeout(CHECK_TIMEOUT, check())
                .await
                .unwrap_or_else(|_| Err("the check timed out".to_owned())),
        };
        if let Err(reason) = outcome {
            failures.insert(name, reason);
        }
    }
    failures
}

impl Registration {
    /// From now on the part is ready whenever `check` passes.
    pub fn ready<F, Fut>(&self, check: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.readiness.set(&self.name, Some(Arc::new(move || Box::pin(check()))));
    }

    /// From now on the part is not ready, for instance because it drains.
    pub fn unready(&self) {
        self.readiness.set(&self.name, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_process_is_ready_when_each_part_is() {
        let readiness = Readiness::default();
        let one = readiness.register("one");
        let other = readiness.register("other");
        assert_eq!(readiness.failures().await.len(), 2);
        one.ready(|| async { Ok(()) });
        other.ready(|| async { Err("gone".to_owned()) });
        assert_eq!(readiness.failures().await["other"], "gone");
        other.ready(|| async { Ok(()) });
        assert!(readiness.failures().await.is_empty());
        one.unready();
        assert_eq!(readiness.failures().await["one"], "not ready");
    }

    #[tokio::test]
    async fn a_program_of_several_is_ready_by_its_own_parts() {
        let readiness = Readiness::default();
        for name in ["chat", "chat replicas", "chatter", "auth"] {
            drop(readiness.register(name));
        }
        assert!(readiness.failures_of("chat").await.keys().eq(["chat", "chat replicas"]));
    }
}
