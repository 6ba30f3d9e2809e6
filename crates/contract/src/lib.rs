//! What travels between Carillon's services, and where: messages, subjects, channels, ids,
//! the endpoint table and the route table.
//!
//! Nothing here does I/O. No subject is formatted anywhere else, and a gateway that knows this
//! crate knows everything that it may know about the services behind it.

mod channel;
mod dialect;
mod endpoint;
mod gateway_id;
mod id;
mod method;
mod path;
mod permission;
mod person;
mod program;
mod resource;
mod route;
mod service_name;
mod since;
mod subject;

pub use channel::{Channel, ChannelError, ChannelTemplate};
pub use dialect::Dialect;
pub use endpoint::{
    BACK_END, CHANNELS, CloseCodes, ENDPOINTS, Endpoint, Payload, SlowConsumer, endpoint, endpoint_at,
    endpoint_of,
};
pub use gateway_id::{GatewayId, InvalidGatewayId};
pub use id::{Id, InvalidId};
pub use method::Method;
pub use path::{Located, Parameters};
pub use permission::{Permissions, inbox, requests};
pub use person::Person;
pub use program::Program;
pub use resource::{Resource, ResourceKind};
pub use route::{Access, HttpMethod, ROUTES, Route, RouteMatch, route_at};
pub use service_name::ServiceName;
pub use since::{Since, SinceError};
pub use subject::{Pattern, Subject};

/// Messages generated from `proto/carillon/v1`.
pub mod messages {
    #![allow(missing_docs, clippy::all)]
    include!(concat!(env!("OUT_DIR"), "/carillon.v1.rs"));
}

/// The scope of service tokens whose holders may listen to channels (`carillon.v1`).
pub const LISTEN_SCOPE: &str = "channels:listen";

/// The role that may administer everything.
pub const ADMIN_ROLE: &str = "admin";

impl messages::Variant {
    /// The only variant of an event whose channel's subscribers all read the same JSON object.
    pub fn json(json: impl Into<bytes::Bytes>) -> Self {
        Self { json: json.into(), ..Self::default() }
    }

    /// The payload of a binary frame.
    pub fn binary(payload: impl Into<bytes::Bytes>) -> Self {
        Self { json: payload.into(), binary: true, ..Self::default() }
    }
}

impl messages::Identity {
    /// Whether this identity may administer the deployment.
    pub fn is_admin(&self) -> bool {
        self.roles.iter().any(|role| role == ADMIN_ROLE)
    }

    /// Whether this is a service token that was given `scope`.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.service && self.scopes.iter().any(|held| held == scope)
    }
}
