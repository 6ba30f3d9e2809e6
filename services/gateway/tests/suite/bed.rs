//! A gateway on a free port, with stand-ins behind it.

use std::net::{SocketAddr, TcpListener};

use carillon_bus::Server;
use carillon_contract::ServiceName;
use carillon_gateway::Args;
use carillon_service::Shell;
use carillon_token::{Secret, mint_hs256};
use clap::Parser;
use serde_json::{Value, json};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    client::{Client, within},
    stand_in::StandIn,
    tls,
};

const SECRET: &str = "a secret that is long enough for a test";

/// Questions that the stand-ins answer at a time.
const CONCURRENCY: usize = 64;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    gateway: Args,
}

/// A running gateway.
pub(crate) struct Bed {
    pub(crate) services: StandIn,
    pub(crate) address: SocketAddr,
    pub(crate) shell: Shell,
    pub(crate) running: JoinHandle<anyhow::Result<()>>,
    _servers: Vec<Server>,
    _files: Option<tls::Files>,
}

/// Runs a test with a gateway that has these options besides its usual ones.
pub(crate) fn with_gateway(options: &[&str], test: impl AsyncFnOnce(&Bed)) {
    let system = actix_rt::System::with_tokio_rt(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
    });
    system.block_on(async {
        let bed = Bed::start(options).await;
        test(&bed).await;
        bed.shell.shutdown.cancel();
    });
}

impl Bed {
    async fn start(options: &[&str]) -> Self {
        let services = StandIn::new();
        let mut servers = Vec::new();
        for service in ServiceName::ALL {
            let server = services.bus.serve(service, CONCURRENCY, services.clone()).await;
            servers.push(server.expect("a server"));
        }
        Self::start_behind(services, servers, options).await
    }

    async fn start_behind(services: StandIn, servers: Vec<Server>, options: &[&str]) -> Self {
        let workers = if options.contains(&"--workers") { &[][..] } else { &["--workers", "1"] };
        let usual = ["gateway", "--jwt-secret", SECRET, "--drain-seconds", "0"];
        let usual = usual.into_iter().chain(["--allow-anonymous", "all", "--token-leeway-seconds", "0"]);
        let mode = if options.contains(&"--mode") { &[][..] } else { &["--mode", "development"] };
        let usual = usual.chain(workers.iter().copied()).chain(mode.iter().copied());
        let files = tls::files();
        let encrypted = files.iter().flat_map(|files| files.options());
        let arguments = usual.chain(options.iter().copied()).chain(encrypted);
        let CommandLine { gateway } = CommandLine::parse_from(arguments);
        let shell = Shell::new(services.bus.clone());
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a socket");
        let (ready, is_ready) = oneshot::channel();
        let ready = |address| ready.send(address).expect("a test that waits");
        let running = actix_rt::spawn(carillon_gateway::run_on(listener, gateway, shell.clone(), ready));
        let mut address = within(is_ready).await.expect("a gateway");
        if let Some(files) = &files {
            address = tls::tunnel(files, address).await;
        }
        Self { services, address, shell, running, _servers: servers, _files: files }
    }

    /// One more gateway on the same bus.
    pub(crate) async fn another(&self, options: &[&str]) -> Self {
        Self::start_behind(self.services.clone(), Vec::new(), options).await
    }

    /// An anonymous listener, greeted.
    pub(crate) async fn listener(&self) -> Client {
        self.greeted("/ws/notifications/").await
    }

    /// A listener, greeted.
    pub(crate) async fn greeted(&self, path: &str) -> Client {
        let mut client = self.connect(path).await;
        assert_eq!(client.json().await["type"], "greeting");
        client
    }

    pub(crate) async fn connect(&self, path: &str) -> Client {
        Client::connect(self.address, path).await
    }

    /// The value of a counter or gauge, summed over its labels that contain this text.
    pub(crate) fn metric(&self, name: &str, label: &str) -> f64 {
        let families = self.shell.metrics.gather();
        let family = families.iter().filter(|family| family.name() == name);
        let metrics = family.flat_map(|family| family.get_metric());
        let named = metrics
            .filter(|metric| label.is_empty() || metric.get_label().iter().any(|pair| pair.value() == label));
        named.map(|metric| metric.get_counter().get_value() + metric.get_gauge().get_value()).sum()
    }
}

/// A token of this user that expires in so many seconds.
pub(crate) fn token(user: &str, seconds: i64) -> String {
    token_with(user, seconds, &[])
}

/// The same with roles, as far as the gateway maps them.
pub(crate) fn token_with(user: &str, seconds: i64, roles: &[&str]) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time");
    let now = i64::try_from(now.as_secs()).expect("a time");
    let claims: Value = json!({
        "user_id": user, "token_type": "access", "iat": now - 1, "exp": now + seconds, "jti": format!("of-{user}"),
        "roles": roles,
    });
    mint_hs256(&Secret::new(SECRET).expect("a secret"), &claims).expect("a token")
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let mut look = tokio::time::interval(std::time::Duration::from_millis(5));
    let waited = async {
        while !holds() {
            look.tick().await;
        }
    };
    assert!(tokio::time::timeout(crate::client::PATIENCE, waited).await.is_ok(), "{what}");
}
