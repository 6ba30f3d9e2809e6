//! What auth knows about organisations.

use carillon_bus::{Bus, RequestError};
use carillon_contract::{
    Resource, ResourceKind, ServiceName,
    messages::{MembersReply, MembersRequest, MembershipReply, MembershipRequest},
};

/// Members asked for at a time.
const PAGE: u32 = 500;

/// An organisation by its id, asked of auth.
#[derive(Debug, Clone)]
pub(crate) struct Organisation<'a> {
    bus: &'a Bus,
    resource: Resource,
}

impl<'a> Organisation<'a> {
    /// `None` if no organisation can have such an id.
    pub(crate) fn new(bus: &'a Bus, id: &str) -> Option<Self> {
        let resource = Resource::new(ResourceKind::Organisation, id).ok()?;
        Some(Self { bus, resource })
    }

    /// Whether it exists, and whether the user is a member.
    pub(crate) async fn membership(&self, user: &str) -> Result<MembershipReply, RequestError> {
        let request = MembershipRequest { user: user.to_owned(), resource: self.resource.to_string() };
        self.bus.call(ServiceName::Auth, &request).await
    }

    /// Some members after this one, in order.
    pub(crate) async fn members(&self, after: &str) -> Result<MembersReply, RequestError> {
        let request =
            MembersRequest { resource: self.resource.to_string(), after: after.to_owned(), limit: PAGE };
        self.bus.call(ServiceName::Auth, &request).await
    }
}
