//! Members of organisations and projects, asked of auth.

use carillon_bus::Bus;
use carillon_contract::{Resource, ResourceKind, ServiceName, messages::MembershipRequest};
use carillon_service::Failure;

use super::Admission;

/// Admits members, for as long as they are members. While auth is away it is not known who is one.
pub(super) async fn check(bus: &Bus, user: &str, resource: &Resource) -> Result<Admission, Failure> {
    let request = MembershipRequest { user: user.to_owned(), resource: resource.to_string() };
    let reply = bus.call(ServiceName::Auth, &request).await?;
    Ok(match (reply.member, resource.kind()) {
        (true, _) => Admission::Granted { requires: request.resource },
        (false, ResourceKind::Organisation) => Admission::Denied("not a member of the organisation"),
        (false, ResourceKind::Project) => Admission::Denied("not a member of the project"),
    })
}
