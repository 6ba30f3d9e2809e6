//! A running auth, and those who talk to it.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use carillon_auth::{Args, Demo};
use carillon_bus::Bus;
use carillon_contract::{
    Channel, Method, Pattern, ServiceName, Subject,
    messages::{
        AccessChange, Event, HistoryRequest, HttpReply, HttpRequest, Identity, access_change::Change,
    },
};
use carillon_service::Shell;
use carillon_token::CARILLON;
use futures_util::StreamExt;
use prost::Message;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::database::Fresh;

/// Long enough for a machine that is busy with other tests.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// The password of the demo's users.
pub(crate) const PASSWORD: &str = "carillon";

pub(crate) struct World {
    pub(crate) bus: Bus,
    replicas: Vec<(Shell, JoinHandle<anyhow::Result<()>>)>,
    fresh: Fresh,
}

/// What auth answered.
pub(crate) struct Answer {
    pub(crate) status: u32,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) json: Value,
}

/// A request being made.
pub(crate) struct Asking<'a> {
    bus: &'a Bus,
    request: HttpRequest,
}

impl World {
    /// One replica, with the demo.
    pub(crate) async fn start(fresh: Fresh) -> Self {
        Self::start_with(fresh, |args| args.demo = Demo::Make).await
    }

    /// One replica, configured.
    pub(crate) async fn start_with(fresh: Fresh, configure: impl FnOnce(&mut Args)) -> Self {
        let mut world = Self::empty(fresh);
        world.launch(configure);
        world.ready().await;
        world
    }

    /// A bus and a database.
    pub(crate) fn empty(fresh: Fresh) -> Self {
        Self { bus: Bus::in_process(), replicas: Vec::new(), fresh }
    }

    /// Starts a replica, without waiting for it.
    pub(crate) fn launch(&mut self, configure: impl FnOnce(&mut Args)) {
        let bus = self.bus.clone();
        self.launch_on(bus, configure);
    }

    /// Starts a replica on another bus.
    pub(crate) fn launch_on(&mut self, bus: Bus, configure: impl FnOnce(&mut Args)) {
        let mut args = Args::from_environment(&self.fresh.url).expect("arguments");
        configure(&mut args);
        let shell = Shell::new(bus);
        // Not ready before it says so, as in a process of its own.
        drop(shell.readiness.register("auth"));
        self.replicas.push((shell.clone(), tokio::spawn(carillon_auth::run(args, shell))));
    }

    pub(crate) fn directory(&self) -> &std::path::Path {
        self.fresh.directory.path()
    }

    /// Waits until every replica is ready.
    pub(crate) async fn ready(&self) {
        for (shell, run) in &self.replicas {
            until("auth is ready", async || {
                assert!(!run.is_finished(), "auth ended");
                shell.readiness.failures().await.is_empty()
            })
            .await;
        }
    }

    /// Why the newest replica does not start.
    pub(crate) async fn refusal(&mut self) -> String {
        let (_, run) = self.replicas.pop().expect("a replica");
        let ended = tokio::time::timeout(DEADLINE, run).await.expect("in time").expect("auth doesn't panic");
        format!("{:#}", ended.expect_err("it doesn't start"))
    }

    /// What `/metrics` of the first replica says of a counter.
    pub(crate) fn counter(&self, name: &str, label: &str) -> f64 {
        let families = self.replicas[0].0.metrics.gather();
        let family = families.iter().find(|family| family.name() == name).expect("the metric");
        let metric = family.get_metric().iter().find(|metric| metric.get_label()[0].value() == label);
        metric.map_or(0.0, |metric| metric.get_counter().get_value())
    }

    /// Stops every replica, and waits for its end.
    pub(crate) async fn stop(&mut self) {
        for (shell, run) in self.replicas.drain(..) {
            shell.shutdown.cancel();
            run.await.expect("auth doesn't panic").expect("auth ends well");
        }
    }

    /// Stops every replica, and starts one on the same database.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.launch(|args| args.demo = Demo::Make);
        self.ready().await;
    }

    pub(crate) fn ask(&self, route: &str) -> Asking<'_> {
        ask_on(&self.bus, route)
    }

    pub(crate) fn admin(&self, route: &str) -> Asking<'_> {
        self.ask(route).identity(Identity { roles: vec!["admin".to_owned()], ..identity("4") })
    }

    /// The tokens of a new login.
    pub(crate) async fn log_in(&self, username: &str) -> (String, String) {
        let body = json!({"username": username, "password": PASSWORD});
        let tokens = self.ask("auth.token").body(&body).expect(200).await;
        (text(&tokens["access"]), text(&tokens["refresh"]))
    }

    pub(crate) async fn verify(&self, token: &str) -> u32 {
        self.ask("auth.token.verify").body(&json!({ "token": token })).send().await.status
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        self.ask("auth.token.refresh").body(&json!({ "refresh": token })).send().await
    }

    pub(crate) async fn call<M: Method>(&self, request: &M) -> M::Reply {
        self.bus.call(ServiceName::Auth, request).await.expect("a reply")
    }

    /// Every access change so far, oldest first.
    pub(crate) async fn changes(&self) -> Vec<Change> {
        let channel = Channel::access().to_string();
        let history = self.call(&HistoryRequest { channel, after: 0, limit: 1_000 }).await;
        history.events.iter().map(change).collect()
    }

    /// The access changes from now on.
    pub(crate) async fn listen(&self) -> Listener {
        let subject = Subject::live(&Channel::access());
        Listener(self.bus.subscribe(Pattern::from(subject)).await.expect("a subscription"))
    }
}

/// Hears access changes as they are published.
pub(crate) struct Listener(carillon_bus::Subscription);

impl Listener {
    pub(crate) async fn next(&mut self) -> Change {
        loop {
            let message =
                tokio::time::timeout(DEADLINE, self.0.next()).await.expect("in time").expect("a message");
            let event = Event::decode(message.payload).expect("an event");
            // A replica that starts announces heads.
            if !event.variants.is_empty() {
                return change(&event);
            }
        }
    }
}

pub(crate) fn ask_on<'a>(bus: &'a Bus, route: &str) -> Asking<'a> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let request = HttpRequest {
        request: format!("request-{}", NEXT.fetch_add(1, Ordering::Relaxed)),
        route: route.to_owned(),
        address: "192.0.2.1".to_owned(),
        ..HttpRequest::default()
    };
    Asking { bus, request }
}

impl Asking<'_> {
    pub(crate) fn number(mut self, number: &str) -> Self {
        number.clone_into(&mut self.request.request);
        self
    }

    pub(crate) fn idempotency_key(mut self, key: &str) -> Self {
        key.clone_into(&mut self.request.idempotency_key);
        self
    }

    pub(crate) fn identity(mut self, identity: Identity) -> Self {
        self.request.identity = Some(identity);
        self
    }

    pub(crate) fn address(mut self, address: &str) -> Self {
        address.clone_into(&mut self.request.address);
        self
    }

    pub(crate) fn parameter(mut self, name: &str, value: &str) -> Self {
        self.request.parameters.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.request.query.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn body(self, body: &Value) -> Self {
        self.raw_body(&body.to_string())
    }

    pub(crate) fn raw_body(mut self, body: &str) -> Self {
        self.request.body = body.to_owned().into();
        self
    }

    pub(crate) async fn send(self) -> Answer {
        let reply: HttpReply = self.bus.call(ServiceName::Auth, &self.request).await.expect("a reply");
        let json = if reply.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&reply.body).expect("JSON")
        };
        Answer { status: reply.status, headers: reply.headers, json }
    }

    /// The body of a reply with this status.
    pub(crate) async fn expect(self, status: u32) -> Value {
        let route = self.request.route.clone();
        let answer = self.send().await;
        assert_eq!(answer.status, status, "{route}: {}", answer.json);
        answer.json
    }

    /// That it is refused for this field.
    pub(crate) async fn expect_field(self, field: &str) {
        let problem = self.expect(422).await;
        assert_eq!(problem["field"], field, "{problem}");
    }
}

/// A user of auth's own.
pub(crate) fn identity(user: &str) -> Identity {
    Identity { user: user.to_owned(), issuer: CARILLON.to_owned(), ..Identity::default() }
}

/// A back end.
pub(crate) fn back_end(scope: &str) -> Identity {
    Identity { service: true, scopes: vec![scope.to_owned()], ..Identity::default() }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

fn change(event: &Event) -> Change {
    let [variant] = &event.variants[..] else { panic!("one variant") };
    AccessChange::decode(&*variant.json).expect("an access change").change.expect("a change")
}

/// Waits for a condition.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.unwrap_or_else(|_| panic!("waited too long until {what}"));
}
