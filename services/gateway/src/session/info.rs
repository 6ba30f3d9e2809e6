//! What is fixed about a connection, but for a refreshed token.

use std::collections::BTreeMap;

use carillon_contract::{
    Channel, Dialect, Endpoint,
    messages::{Identity, Session},
};

/// A connection as its owner and the fan-out see it.
#[derive(Debug, Clone)]
pub(crate) struct SessionInfo {
    /// Unique for ever.
    pub(crate) connection: Box<str>,
    pub(crate) endpoint: &'static Endpoint,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) dialect: Option<Dialect>,
    pub(crate) identity: Option<Identity>,
    /// The channels that it listens to, in the endpoint's order.
    pub(crate) channels: Box<[Channel]>,
    /// The membership that it needs.
    pub(crate) requires: Option<Channel>,
}

impl SessionInfo {
    /// As the owner is told.
    pub(crate) fn session(&self) -> Session {
        Session {
            connection: self.connection.to_string(),
            endpoint: self.endpoint.name.to_owned(),
            parameters: self.parameters.clone(),
            identity: self.identity.clone(),
            dialect: self.dialect.map_or("", Dialect::as_str).to_owned(),
        }
    }

    pub(crate) fn user(&self) -> Option<&str> {
        self.identity.as_ref().map(|identity| identity.user.as_str())
    }
}
