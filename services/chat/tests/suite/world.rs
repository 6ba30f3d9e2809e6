//! The service, running on a bus with a stand-in for auth.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use carillon_blob::{BlobArgs, BlobSecret, Blobs};
use carillon_bus::{Bus, RequestError, Server};
use carillon_chat::{Args, SettingsArgs, run};
use carillon_contract::{
    Channel, Method, ServiceName,
    messages::{
        Accept, ClosedNotice, Event, FrameReply, FrameRequest, Identity, OpenReply, OpenRequest, Session,
        open_reply::Outcome,
    },
};
use carillon_service::{DatabaseArgs, Shell};
use carillon_testkit::service::{Answer, Ask, Auth, Listener, Place, history, session, until, user};
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// Somebody with a token that tells a username.
pub(crate) fn person(id: &str, username: &str) -> Identity {
    Identity { username: username.to_owned(), ..user(id) }
}

/// What an accepted session is told.
pub(crate) fn accepted(outcome: Outcome) -> Accept {
    match outcome {
        Outcome::Accept(accept) => accept,
        Outcome::Reject(close) => panic!("refused: {close:?}"),
    }
}

/// Where the replicas keep files.
pub(crate) struct Files {
    pub(crate) args: BlobArgs,
    directory: TempDir,
}

impl Default for Files {
    fn default() -> Self {
        let directory = TempDir::new().expect("a directory");
        let args = BlobArgs {
            blob_store: Some(directory.path().display().to_string()),
            blob_secret: Some(BlobSecret::new("a secret of the tests, of 32 bytes and more")),
            blob_secret_file: None,
        };
        Self { args, directory }
    }
}

impl Files {
    /// The store, and who signs: what the gateway's door has.
    pub(crate) fn open(&self) -> Blobs {
        self.args.open().expect("a store").expect("blobs")
    }

    /// How many files there are.
    pub(crate) fn count(&self) -> usize {
        count(self.directory.path())
    }
}

fn count(directory: &Path) -> usize {
    let entries = std::fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry"));
    entries.map(|entry| if entry.path().is_dir() { count(&entry.path()) } else { 1 }).sum()
}

/// One running replica.
struct Replica {
    shell: Shell,
    running: JoinHandle<anyhow::Result<()>>,
}

pub(crate) struct World {
    pub(crate) bus: Bus,
    #[allow(dead_code)]
    pub(crate) auth: Auth,
    pub(crate) place: Arc<Place>,
    pub(crate) files: Files,
    replicas: Vec<Replica>,
    _auth: Server,
}

impl World {
    pub(crate) async fn start(place: Place) -> Self {
        Self::start_with(place, 1, SettingsArgs::default()).await
    }

    pub(crate) async fn start_with(place: Place, replicas: usize, settings: SettingsArgs) -> Self {
        let (bus, auth) = (Bus::in_process(), Auth::default());
        let server = auth.serve(&bus).await;
        let mut world = Self {
            bus,
            auth,
            place: Arc::new(place),
            files: Files::default(),
            replicas: Vec::new(),
            _auth: server,
        };
        for _ in 0..replicas {
            world.add_replica(settings.clone()).await;
        }
        world
    }

    pub(crate) async fn add_replica(&mut self, settings: SettingsArgs) {
        let shell = Shell::new(self.bus.clone());
        // Not ready before the service has registered what it waits for.
        let starting = shell.readiness.register(ServiceName::Chat.as_str());
        let database = DatabaseArgs { database_url: self.place.url.clone() };
        let running =
            tokio::spawn(run(Args { database, blobs: self.files.args.clone(), settings }, shell.clone()));
        until("the service is ready", async || shell.readiness.failures().await.is_empty()).await;
        drop(starting);
        self.replicas.push(Replica { shell, running });
    }

    /// Stops every replica, and waits until each has finished.
    #[allow(dead_code)]
    pub(crate) async fn stop(&mut self) {
        for replica in self.replicas.drain(..) {
            replica.shell.shutdown.cancel();
            replica.running.await.expect("no panic").expect("a clean end");
        }
    }

    /// Stops one replica, and waits until it has finished.
    pub(crate) async fn stop_replica(&mut self, index: usize) {
        let replica = self.replicas.remove(index);
        replica.shell.shutdown.cancel();
        replica.running.await.expect("no panic").expect("a clean end");
    }

    pub(crate) async fn call<M: Method>(&self, request: &M) -> Result<M::Reply, RequestError> {
        self.bus.call(ServiceName::Chat, request).await
    }

    pub(crate) async fn ask(&self, ask: &Ask) -> Answer {
        Answer::of(self.call(&ask.0).await.expect("a reply"))
    }

    /// Opens a session named after its user.
    pub(crate) async fn open(
        &self,
        endpoint: &str,
        identity: Option<Identity>,
        parameters: &[(&str, &str)],
    ) -> Outcome {
        self.open_session(&session(endpoint, "", identity, parameters), &[]).await
    }

    pub(crate) async fn open_session(&self, session: &Session, query: &[(&str, &str)]) -> Outcome {
        let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let request = OpenRequest { session: Some(session.clone()), query };
        let OpenReply { outcome } = self.call(&request).await.expect("a reply");
        outcome.expect("an outcome")
    }

    pub(crate) async fn close(&self, session: &Session, returning: bool) {
        let notice = ClosedNotice { session: Some(session.clone()), returning };
        self.call(&notice).await.expect("a reply");
    }

    /// Sends a frame over a connection, and returns the frames of the reply.
    pub(crate) async fn frame(&self, session: &Session, number: u64, payload: &Value) -> Vec<Value> {
        let reply = self.frame_bytes(session, number, payload.to_string().into_bytes()).await;
        assert_eq!(reply.close, None);
        reply.frames.iter().map(|frame| serde_json::from_slice(frame).expect("JSON")).collect()
    }

    pub(crate) async fn frame_bytes(&self, session: &Session, number: u64, payload: Vec<u8>) -> FrameReply {
        self.frame_after(session, number, payload, Bytes::new()).await
    }

    /// The next part of the answer to a frame.
    pub(crate) async fn frame_after(
        &self,
        session: &Session,
        number: u64,
        payload: Vec<u8>,
        after: Bytes,
    ) -> FrameReply {
        let (session, binary) = (Some(session.clone()), std::str::from_utf8(&payload).is_err());
        let request = FrameRequest { session, number, payload: payload.into(), binary, after };
        self.call(&request).await.expect("a reply")
    }

    pub(crate) async fn listen(&self, channel: &Channel) -> Listener {
        Listener::new(&self.bus, channel).await
    }

    /// Every event in the log of a channel.
    pub(crate) async fn history(&self, channel: &Channel) -> Vec<Event> {
        history(&self.bus, channel).await
    }
}
