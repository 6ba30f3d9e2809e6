//! What a process runs: a gateway, or a service.

use std::fmt;

use crate::ServiceName;

/// A gateway or a service, by the name that operators know it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Program {
    /// A gateway: it owns sockets, and no domain.
    Gateway,
    /// A service that owns a domain.
    Service(ServiceName),
}

impl Program {
    /// Everything that a deployment runs.
    pub const ALL: [Self; 6] = [
        Self::Gateway,
        Self::Service(ServiceName::Auth),
        Self::Service(ServiceName::Notification),
        Self::Service(ServiceName::Chat),
        Self::Service(ServiceName::TicketPresence),
        Self::Service(ServiceName::Metrics),
    ];

    /// The program of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|program| program.as_str() == name)
    }

    /// Its name, as it stands in subjects and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Service(service) => service.as_str(),
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_is_a_program_and_has_its_name() {
        for service in ServiceName::ALL {
            assert_eq!(Program::named(service.as_str()), Some(Program::Service(service)));
        }
        assert_eq!(Program::named("gateway"), Some(Program::Gateway));
        assert_eq!(Program::named("gateways"), None);
    }
}
