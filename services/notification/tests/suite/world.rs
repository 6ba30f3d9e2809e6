//! The service, running on a bus with a stand-in for auth.

use std::sync::Arc;

use carillon_bus::{Bus, RequestError, Server};
use carillon_contract::{
    Channel, Method, ServiceName,
    messages::{Event, FrameRequest, Identity, OpenReply, OpenRequest, Session, open_reply::Outcome},
};
use carillon_notification::{Args, RetentionArgs, run};
use carillon_service::{DatabaseArgs, Shell};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// One running replica.
use carillon_testkit::service::{Answer, Ask, Auth, Listener, Place, admin, history, session, until, user};

pub(crate) struct Replica {
    shell: Shell,
    running: JoinHandle<anyhow::Result<()>>,
}

pub(crate) struct World {
    pub(crate) bus: Bus,
    pub(crate) auth: Auth,
    pub(crate) place: Arc<Place>,
    replicas: Vec<Replica>,
    _auth: Server,
}

impl World {
    pub(crate) async fn start(place: Place) -> Self {
        Self::start_with(place, 1, RetentionArgs::default()).await
    }

    pub(crate) async fn start_with(place: Place, replicas: usize, retention: RetentionArgs) -> Self {
        let (bus, auth) = (Bus::in_process(), Auth::default());
        let server = auth.serve(&bus).await;
        let mut world = Self { bus, auth, place: Arc::new(place), replicas: Vec::new(), _auth: server };
        for _ in 0..replicas {
            world.add_replica(retention.clone()).await;
        }
        world
    }

    pub(crate) async fn add_replica(&mut self, retention: RetentionArgs) {
        let shell = Shell::new(self.bus.clone());
        // Not ready before the service has registered what it waits for.
        let starting = shell.readiness.register(ServiceName::Notification.as_str());
        let database = DatabaseArgs { database_url: self.place.url.clone() };
        let running = tokio::spawn(run(Args { database, retention }, shell.clone()));
        until("the service is ready", async || shell.readiness.failures().await.is_empty()).await;
        drop(starting);
        self.replicas.push(Replica { shell, running });
    }

    /// Stops every replica, and waits until each has finished.
    pub(crate) async fn stop(&mut self) {
        for replica in self.replicas.drain(..) {
            replica.shell.shutdown.cancel();
            replica.running.await.expect("no panic").expect("a clean end");
        }
    }

    pub(crate) fn metrics(&self) -> Vec<carillon_instruments::MetricFamily> {
        self.replicas[0].shell.metrics.gather()
    }

    pub(crate) async fn call<M: Method>(&self, request: &M) -> Result<M::Reply, RequestError> {
        self.bus.call(ServiceName::Notification, request).await
    }

    pub(crate) async fn ask(&self, ask: &Ask) -> Answer {
        Answer::of(self.call(&ask.0).await.expect("a reply"))
    }

    /// Sends as an admin, and returns the answer of the success.
    pub(crate) async fn send(&self, body: &Value) -> Value {
        self.ask(&Ask::new("notifications.send").by(admin()).body(body)).await.ok()
    }

    /// Sends a user so many notifications titled `1`, `2`, …
    pub(crate) async fn send_many(&self, user: &str, count: usize) {
        for number in 1..=count {
            let title = number.to_string();
            self.send(&json!({"title": title, "message": "m", "user_id": user})).await;
        }
    }

    /// The first page of a user's inbox.
    pub(crate) async fn inbox(&self, id: &str) -> Value {
        self.ask(&Ask::new("notifications.list").by(user(id)).query("limit", 100)).await.ok()
    }

    pub(crate) async fn unread(&self, id: &str) -> i64 {
        self.inbox(id).await["counts"]["unread"].as_i64().expect("a count")
    }

    pub(crate) async fn open(
        &self,
        endpoint: &str,
        dialect: &str,
        identity: Option<Identity>,
        parameters: &[(&str, &str)],
    ) -> Outcome {
        let request = OpenRequest {
            session: Some(session(endpoint, dialect, identity, parameters)),
            ..Default::default()
        };
        let OpenReply { outcome } = self.call(&request).await.expect("a reply");
        outcome.expect("an outcome")
    }

    /// Sends a frame over a connection, and returns the frames of the reply.
    pub(crate) async fn frame(&self, session: &Session, number: u64, payload: &str) -> Vec<Value> {
        let request = FrameRequest {
            session: Some(session.clone()),
            number,
            payload: payload.as_bytes().to_vec().into(),
            ..FrameRequest::default()
        };
        let reply = self.call(&request).await.expect("a reply");
        assert_eq!(reply.close, None);
        reply.frames.iter().map(|frame| serde_json::from_slice(frame).expect("JSON")).collect()
    }

    pub(crate) async fn listen(&self, channel: Channel) -> Listener {
        Listener::new(&self.bus, &channel).await
    }

    /// Every event in the log of a channel.
    pub(crate) async fn history(&self, channel: &Channel) -> Vec<Event> {
        history(&self.bus, channel).await
    }
}
