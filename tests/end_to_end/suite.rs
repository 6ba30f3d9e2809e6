//! Registers tests, runs them against deployments that they share, and shows the logs of those that fail.

mod variants;

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

use carillon_testkit::{Cluster, Deployment, Form, Marks, OneProcess, Options};
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::{runtime::Runtime, sync::OnceCell};
use variants::{Strict, Variant};
pub(crate) use variants::{authority, keycloak, secure, strict};

/// How many trials run at once: they mostly wait, but for deployments that share two cores with them.
const PARALLEL: usize = 4;

/// Every registered test, and what they run against.
pub(crate) struct Suite {
    runtime: Arc<Runtime>,
    one_process: Arc<Shared>,
    cluster: Arc<Shared>,
    keycloak: [(&'static str, Arc<Shared>); 2],
    strict: Strict,
    secure: [(&'static str, Arc<Shared>); 2],
    /// Held by the one test at a time that has a deployment of its own.
    turn: Arc<Mutex<()>>,
    trials: Vec<Trial>,
}

/// A deployment that is started by the first trial that needs it. If that fails, it fails for all of them.
struct Shared {
    form: Form,
    variant: Variant,
    started: OnceCell<Result<Running, String>>,
}

enum Running {
    OneProcess(Box<OneProcess>),
    Cluster(Box<Cluster>),
}

/// Registers functions under their own names: `both!(suite, s1_01_greeting, …)`.
macro_rules! both {
    ($suite:expr, $($test:ident),+ $(,)?) => {
        $($suite.both(stringify!($test), $test);)+
    };
}
pub(crate) use both;

impl Suite {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let cluster = Shared::new(Form::Cluster, Variant::Ordinary);
        Self {
            runtime: Arc::new(runtime.expect("a runtime")),
            one_process: Shared::new(Form::OneProcess, Variant::Ordinary),
            keycloak: [
                ("one-process", Shared::new(Form::OneProcess, Variant::Keycloak)),
                ("cluster", Shared::new(Form::Cluster, Variant::Keycloak)),
            ],
            strict: Strict::new(&cluster),
            secure: [
                ("one-process", Shared::new(Form::OneProcess, Variant::Secure)),
                ("cluster", Shared::new(Form::Cluster, Variant::Secure)),
            ],
            cluster,
            turn: Arc::default(),
            trials: Vec::new(),
        }
    }

    /// Adds a test of what both forms promise.
    pub(crate) fn both<F>(&mut self, name: &str, test: F)
    where
        F: AsyncFn(&Deployment) -> anyhow::Result<()> + Copy + Send + 'static,
    {
        for (form, shared) in [("one-process", &self.one_process), ("cluster", &self.cluster)] {
            let (runtime, shared) = (Arc::clone(&self.runtime), Arc::clone(shared));
            self.trials.push(Trial::test(format!("{form}/{name}"), move || {
                let deployment = runtime.block_on(shared.deployment())?;
                judge(deployment, || runtime.block_on(test(deployment)))
            }));
        }
    }

    /// Adds a test with a cluster of its own: because it kills some of it, or wants it configured otherwise.
    /// One test with a deployment of its own runs at a time.
    pub(crate) fn own_cluster<F>(&mut self, name: &str, options: fn() -> Options, test: F)
    where
        F: AsyncFn(&Cluster) -> anyhow::Result<()> + Send + 'static,
    {
        let (runtime, turn) = (Arc::clone(&self.runtime), Arc::clone(&self.turn));
        self.trials.push(Trial::test(format!("own-cluster/{name}"), move || {
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            let cluster = runtime.block_on(Cluster::start(options())).map_err(started)?;
            judge(cluster.deployment(), || runtime.block_on(test(&cluster)))
        }));
    }

    /// Adds a test with one process of its own.
    pub(crate) fn own_process<F>(&mut self, name: &str, options: fn() -> Options, test: F)
    where
        F: AsyncFn(&OneProcess) -> anyhow::Result<()> + Send + 'static,
    {
        let (runtime, turn) = (Arc::clone(&self.runtime), Arc::clone(&self.turn));
        self.trials.push(Trial::test(format!("own-process/{name}"), move || {
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            let process = runtime.block_on(OneProcess::start(options())).map_err(started)?;
            judge(process.deployment(), || runtime.block_on(test(&process)))
        }));
    }

    /// Adds a test that makes everything that it needs.
    pub(crate) fn alone<F>(&mut self, name: &str, test: F)
    where
        F: AsyncFn() -> anyhow::Result<()> + Send + 'static,
    {
        let (runtime, turn) = (Arc::clone(&self.runtime), Arc::clone(&self.turn));
        self.trials.push(Trial::test(name, move || {
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            runtime.block_on(test()).map_err(|error| format!("{error:?}").into())
        }));
    }

    /// Runs the trials that the arguments select, and stops the deployments.
    pub(crate) fn run(self, mut arguments: Arguments) -> ExitCode {
        arguments.test_threads.get_or_insert(PARALLEL);
        libtest_mimic::run(&arguments, self.trials).exit_code()
    }
}

impl Shared {
    fn new(form: Form, variant: Variant) -> Arc<Self> {
        Arc::new(Self { form, variant, started: OnceCell::new() })
    }

    async fn deployment(&self) -> Result<&Deployment, Failed> {
        Ok(match self.running().await? {
            Running::OneProcess(one) => one.deployment(),
            Running::Cluster(cluster) => cluster.deployment(),
        })
    }

    async fn running(&self) -> Result<&Running, Failed> {
        let started = self.started.get_or_init(|| async {
            Running::start(self.form, self.variant)
                .await
                .map_err(|error| format!("the deployment did not start: {error:?}"))
        });
        started.await.as_ref().map_err(Failed::from)
    }
}

impl Running {
    async fn start(form: Form, variant: Variant) -> anyhow::Result<Self> {
        let options = variant.options().await?;
        Ok(match form {
            Form::OneProcess => Self::OneProcess(Box::new(OneProcess::start(options).await?)),
            Form::Cluster => Self::Cluster(Box::new(Cluster::start(options).await?)),
        })
    }
}

/// What NATS says of what it doesn't allow.
const REFUSED: &str = "Permissions Violation";

/// Runs a test; if it fails, shows what the deployment logged meanwhile. In a cluster each program may use its own subjects
/// alone (`deploy/nats`): whatever a test does, none may want more.
fn judge(deployment: &Deployment, test: impl FnOnce() -> anyhow::Result<()>) -> Result<(), Failed> {
    let marks = deployment.marks();
    let why = match catch_unwind(AssertUnwindSafe(test)) {
        Ok(Ok(())) => match refused_on_the_bus(deployment, &marks) {
            None => return Ok(()),
            Some(line) => format!("NATS refused what a program needs: {line}"),
        },
        Ok(Err(error)) => format!("{error:?}"),
        Err(panic) => panic_message(panic.as_ref()).to_owned(),
    };
    Err(format!("{why}\n{}", deployment.tails(&marks)).into())
}

fn refused_on_the_bus(deployment: &Deployment, marks: &Marks) -> Option<String> {
    let supervisor = deployment.supervisor();
    marks.iter().find_map(|(process, mark)| {
        let said = supervisor.output_since(process, *mark).ok()?;
        said.lines().find(|line| line.contains(REFUSED)).map(|line| format!("{process}: {line}"))
    })
}

fn started(error: anyhow::Error) -> Failed {
    format!("the deployment did not start: {error:?}").into()
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked")
}
