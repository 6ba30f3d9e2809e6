//! The migrations of every service.

use carillon_contract::ServiceName;
use carillon_store::Migration;

/// The steps from an empty database to what this version of the service expects.
pub(crate) fn migrations(service: ServiceName) -> &'static [Migration] {
    match service {
        ServiceName::Auth => carillon_auth::MIGRATIONS,
        ServiceName::Notification => &carillon_notification::MIGRATIONS,
        ServiceName::Chat => &carillon_chat::MIGRATIONS,
        ServiceName::TicketPresence => &carillon_ticket_presence::MIGRATIONS,
        ServiceName::Metrics => &carillon_metrics::MIGRATIONS,
    }
}

/// The service of this name.
///
/// # Errors
/// A name that no service has, with those that there are.
pub(crate) fn service_named(name: &str) -> Result<ServiceName, String> {
    let names = ServiceName::ALL.map(ServiceName::as_str).join(", ");
    let found = ServiceName::ALL.into_iter().find(|service| service.as_str() == name);
    found.ok_or(format!("one of {names}"))
}
