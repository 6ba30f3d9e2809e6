//! The service, running on a bus with a stand-in for auth.

use std::{
    ops::{Deref, DerefMut},
    path::Path,
    sync::Arc,
};

use carillon_blob::{BlobArgs, BlobSecret, Blobs};
use carillon_bus::{Bus, Server};
use carillon_chat::{Args, SettingsArgs, run};
use carillon_contract::{
    ServiceName,
    messages::{Accept, Identity, open_reply::Outcome},
};
use carillon_service::DatabaseArgs;
use carillon_testkit::service::{Auth, Place, Replicas, user};
use tempfile::TempDir;

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

/// Replicas, and what they work with.
pub(crate) struct World {
    replicas: Replicas,
    pub(crate) auth: Auth,
    pub(crate) place: Arc<Place>,
    pub(crate) files: Files,
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
            replicas: Replicas::new(bus, ServiceName::Chat),
            auth,
            place: Arc::new(place),
            files: Files::default(),
            _auth: server,
        };
        for _ in 0..replicas {
            world.add_replica(settings.clone()).await;
        }
        world
    }

    pub(crate) async fn add_replica(&mut self, settings: SettingsArgs) {
        let database = DatabaseArgs { database_url: self.place.url.clone() };
        let args = Args { database, blobs: self.files.args.clone(), settings };
        self.replicas.add(|shell| run(args, shell)).await;
    }
}

impl Deref for World {
    type Target = Replicas;

    fn deref(&self) -> &Replicas {
        &self.replicas
    }
}

impl DerefMut for World {
    fn deref_mut(&mut self) -> &mut Replicas {
        &mut self.replicas
    }
}
