//! Deployments that are configured otherwise than the ordinary ones.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use anyhow::Context;
use carillon_testkit::{Authority, Deployment, Form, Gateway, IdentityProvider, Key, Options, Processes};
use libtest_mimic::{Failed, Trial};
use tokio::sync::OnceCell;

use super::{Running, Shared, Suite, judge};

/// How a shared deployment is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variant {
    /// As `carillon up` is on a laptop; auth's users have the bare ids.
    Ordinary,
    /// The OpenID provider's users have the bare ids; any host and origin may connect; everything is logged. No test
    /// sends to everyone here, so that what is in an inbox can be counted.
    Keycloak,
    /// As in production, see [`STRICT`]; other machines can reach it.
    Strict,
    /// As the ordinary ones, but that gateways speak TLS.
    Secure,
}

/// Options of a gateway in production: nobody is anonymous, refusals are plain HTTP.
const STRICT: [&str; 9] = [
    "--refuse-with-http",
    "--default-dialect",
    "ticketing",
    "--cors-origins",
    "https://app.example.com",
    "--token-leeway-seconds",
    "0",
    "--expiry-warning-seconds",
    "2",
];

/// Its environment. The tests themselves reach it by its address.
const STRICT_HOSTS: (&str, &str) = ("ALLOWED_HOSTS", "exact.test, .example.com, 127.0.0.1");

/// The strict gateway of each form: one more in the ordinary cluster, and a process of its own.
pub(super) struct Strict {
    process: Arc<Shared>,
    cluster: Arc<Shared>,
    gateway: Arc<OnceCell<Result<Gateway, String>>>,
}

/// Registers functions under their own names, for deployments whose bare ids are Keycloak's.
macro_rules! keycloak {
    ($suite:expr, $($test:ident),+ $(,)?) => {
        $($suite.keycloak(stringify!($test), $test);)+
    };
}
pub(crate) use keycloak;

/// Registers functions under their own names, for strict gateways.
macro_rules! strict {
    ($suite:expr, $($test:ident),+ $(,)?) => {
        $($suite.strict(stringify!($test), $test);)+
    };
}
pub(crate) use strict;

impl Variant {
    pub(super) async fn options(self) -> anyhow::Result<Options> {
        let identity_provider = Some(IdentityProvider::start(Key::rsa("first")?).await?);
        let environment = match self {
            Self::Ordinary | Self::Secure => vec![],
            Self::Keycloak => {
                vec![("CARILLON_BARE_IDS", "keycloak"), ("ALLOWED_HOSTS", "*"), ("CARILLON_LOG", "trace")]
            }
            Self::Strict => vec![STRICT_HOSTS],
        };
        let is_strict = self == Self::Strict;
        let arguments = if is_strict { STRICT.as_slice() } else { &[] };
        let is_secure = self == Self::Secure;
        let processes = Processes { replicas: if is_secure { 1 } else { 2 }, ..Processes::default() };
        Ok(Options {
            identity_provider,
            public: is_strict,
            tls: is_secure.then(trusted).transpose()?,
            processes,
            gateway_arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            environment: environment.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
            ..Options::default()
        })
    }
}

/// The authority of all that speak TLS.
static AUTHORITY: OnceLock<Arc<Authority>> = OnceLock::new();

/// The file of its certificate, for clients of other make.
static AUTHORITY_FILE: OnceLock<PathBuf> = OnceLock::new();

fn trusted() -> anyhow::Result<Arc<Authority>> {
    if let Some(authority) = AUTHORITY.get() {
        return Ok(Arc::clone(authority));
    }
    let authority = Arc::new(Authority::new()?);
    Ok(Arc::clone(AUTHORITY.get_or_init(|| authority)))
}

/// Whom clients of other make are to trust, once there is a deployment that speaks TLS.
pub(crate) fn authority() -> Option<&'static PathBuf> {
    AUTHORITY_FILE.get()
}

/// Registers functions under their own names, behind `s4_09_over_tls_`, for gateways that speak TLS:
/// `secure!(suite, protocol::a_close_is_answered_with_its_code, …)`.
macro_rules! secure {
    ($suite:expr, $($($module:ident)::+),+ $(,)?) => {
        $($suite.secure(stringify!($($module)::+), $($module)::+);)+
    };
}
pub(crate) use secure;

impl Strict {
    pub(super) fn new(cluster: &Arc<Shared>) -> Self {
        Self {
            process: Shared::new(Form::OneProcess, Variant::Strict),
            cluster: Arc::clone(cluster),
            gateway: Arc::default(),
        }
    }
}

impl Suite {
    /// Adds a test of deployments whose bare ids are Keycloak's.
    pub(crate) fn keycloak<F>(&mut self, name: &str, test: F)
    where
        F: AsyncFn(&Deployment) -> anyhow::Result<()> + Copy + Send + 'static,
    {
        for (form, shared) in &self.keycloak {
            let (runtime, shared) = (Arc::clone(&self.runtime), Arc::clone(shared));
            self.trials.push(Trial::test(format!("{form}/{name}"), move || {
                let deployment = runtime.block_on(shared.deployment())?;
                judge(deployment, || runtime.block_on(test(deployment)))
            }));
        }
    }

    /// Adds a test of deployments whose gateways speak TLS.
    pub(crate) fn secure<F>(&mut self, name: &str, test: F)
    where
        F: AsyncFn(&Deployment) -> anyhow::Result<()> + Copy + Send + 'static,
    {
        let name = name.rsplit("::").next().unwrap_or_default().trim_start();
        for (form, shared) in &self.secure {
            let (runtime, shared) = (Arc::clone(&self.runtime), Arc::clone(shared));
            self.trials.push(Trial::test(format!("{form}/s4_09_over_tls_{name}"), move || {
                let deployment = runtime.block_on(shared.deployment())?;
                let file = deployment.gateways()[0].authority().context("it speaks no TLS")?;
                AUTHORITY_FILE.get_or_init(|| file.to_owned());
                judge(deployment, || runtime.block_on(test(deployment)))
            }));
        }
    }

    /// Adds a test of a strict gateway. In the cluster the others are ordinary.
    pub(crate) fn strict<F>(&mut self, name: &str, test: F)
    where
        F: AsyncFn(&Deployment, &Gateway) -> anyhow::Result<()> + Copy + Send + 'static,
    {
        let (runtime, process) = (Arc::clone(&self.runtime), Arc::clone(&self.strict.process));
        self.trials.push(Trial::test(format!("one-process/{name}"), move || {
            let deployment = runtime.block_on(process.deployment())?;
            judge(deployment, || runtime.block_on(test(deployment, &deployment.gateways()[0])))
        }));
        let (runtime, cluster) = (Arc::clone(&self.runtime), Arc::clone(&self.strict.cluster));
        let gateway = Arc::clone(&self.strict.gateway);
        self.trials.push(Trial::test(format!("cluster/{name}"), move || {
            let deployment = runtime.block_on(cluster.deployment())?;
            let gateway = runtime.block_on(in_cluster(&cluster, &gateway))?;
            judge(deployment, || runtime.block_on(test(deployment, gateway)))
        }));
    }
}

async fn in_cluster<'a>(
    cluster: &Shared,
    gateway: &'a OnceCell<Result<Gateway, String>>,
) -> Result<&'a Gateway, Failed> {
    let Running::Cluster(cluster) = cluster.running().await? else { return Err("not a cluster".into()) };
    let added = gateway.get_or_init(|| async {
        let added = cluster.add_gateway_with("strict", &STRICT, &[STRICT_HOSTS]).await;
        added.map_err(|error| format!("the gateway did not start: {error:?}"))
    });
    added.await.as_ref().map_err(Failed::from)
}
