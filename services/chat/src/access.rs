//! Who may enter which rooms and documents: rules by the beginning of a name.
//!
//! Rules come from the configuration ([`args`]) and over HTTP ([`routes`]). Those made over HTTP are
//! kept for a moment ([`cache`]), but nobody is admitted by rules that are no longer those of the
//! database: a change takes effect on every replica at once. It ends the sessions that it may be about
//! ([`clearing`]); whoever comes back is checked anew.

mod args;
mod cache;
mod change;
mod clearing;
mod membership;
mod routes;
mod rows;
mod rule;
mod rules;

use std::{collections::BTreeMap, sync::Arc};

use carillon_bus::Bus;
use carillon_contract::messages::{HttpReply, HttpRequest, Identity};
use carillon_service::{Failure, Publisher, http::Problem};
use carillon_store::{Database, Log, Snapshot, StoreError};
use tokio_util::sync::CancellationToken;

pub use args::{AccessArgs, RoomAccess};
use cache::Cache;
use clearing::Clearing;
use rule::Allow;
pub(crate) use rule::Area;
pub(crate) use rules::Rules;

/// Whether somebody may enter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Yes, for as long as this membership lasts (`org.acme`); empty: no matter which.
    Granted { requires: String },
    /// No, and why.
    Denied(&'static str),
}

/// The rules. Clones share them.
#[derive(Clone)]
pub(crate) struct Access {
    bus: Bus,
    database: Database,
    cache: Arc<Cache>,
    clearing: Arc<Clearing>,
}

impl Access {
    pub(crate) fn new(
        bus: Bus,
        database: Database,
        log: Log,
        publisher: Publisher,
        args: &AccessArgs,
    ) -> Self {
        let cache = Arc::new(Cache::new(database.clone(), &args.room_access));
        let clearing = Arc::new(Clearing::new(database.clone(), log, publisher, cache.clone()));
        Self { bus, database, cache, clearing }
    }

    /// The rules as they were a second ago or later.
    pub(crate) async fn rules(&self) -> Result<Arc<Rules>, StoreError> {
        self.cache.rules().await
    }

    /// The rules as they are, if those are others.
    pub(crate) async fn newer(&self, rules: &Rules) -> Result<Option<Arc<Rules>>, StoreError> {
        self.changed(&mut self.database.snapshot().await?, rules).await
    }

    /// The rules as a snapshot has them, if those are others.
    pub(crate) async fn changed(
        &self,
        snapshot: &mut Snapshot,
        rules: &Rules,
    ) -> Result<Option<Arc<Rules>>, StoreError> {
        match rows::version(snapshot).await? == rules.version {
            true => Ok(None),
            false => self.cache.load(snapshot).await.map(Some),
        }
    }

    /// Whether somebody (`None`: an anonymous client, whom the gateway has let in) may enter, by the rules
    /// as they are.
    pub(crate) async fn admit(
        &self,
        area: Area,
        name: &str,
        identity: Option<&Identity>,
    ) -> Result<Admission, Failure> {
        let rules = self.rules().await?;
        let rules = self.newer(&rules).await?.unwrap_or(rules);
        self.admit_by(&rules, area, name, identity).await
    }

    /// [`admit`](Self::admit) by certain rules.
    pub(crate) async fn admit_by(
        &self,
        rules: &Rules,
        area: Area,
        name: &str,
        identity: Option<&Identity>,
    ) -> Result<Admission, Failure> {
        let granted = Admission::Granted { requires: String::new() };
        if identity.is_some_and(Identity::is_admin) {
            return Ok(granted);
        }
        // A service token stands for no user.
        let user = identity.map(|identity| identity.user.as_str()).filter(|user| !user.is_empty());
        Ok(match (rules.allow(area, name), user) {
            (Allow::Everyone, _) | (Allow::SignedIn, Some(_)) => granted,
            (_, None) => Admission::Denied("only users with a token may enter"),
            (Allow::Users(users), Some(user)) if users.contains(user) => granted,
            (Allow::Users(_), _) => Admission::Denied("only certain users may enter"),
            (Allow::Members(resource), Some(user)) => membership::check(&self.bus, user, &resource).await?,
        })
    }

    /// Connections are counted in again: each topic with one of them. While they were not, nobody may have
    /// told them that the rules of their room have changed.
    pub(crate) async fn entered_again(&self, entered: &BTreeMap<String, String>) -> Result<(), StoreError> {
        self.clearing.clear_again(entered).await
    }

    pub(crate) async fn http(&self, request: &HttpRequest) -> Result<HttpReply, Problem> {
        match request.route.as_str() {
            "chat.access.list" => routes::list(self).await,
            "chat.access.set" => routes::set(self, request).await,
            "chat.access.delete" => routes::delete(self, request).await,
            _ => Err(Problem::not_found("no such route")),
        }
    }

    /// Clears rooms whose rules have changed, until shutdown. Each replica may run it.
    pub(crate) async fn run(&self, shutdown: CancellationToken) {
        self.clearing.run(shutdown).await;
    }
}
