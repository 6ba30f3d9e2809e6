//! What each program may do on the bus: what it needs, and nothing else. NATS accounts are made of it.

use crate::{
    CHANNELS, Channel, ENDPOINTS, Endpoint, Method, Pattern, Program, ROUTES, ServiceName, Subject,
    messages::{
        AccessRequest, ClosedNotice, ConnectionsRequest, DisconnectRequest, EnterRequest, FrameRequest,
        HeadsRequest, HistoryRequest, HttpRequest, JwksRequest, MembersRequest, MembershipRequest,
        NotifyRequest, OpenRequest, PresenceRequest, ProjectRequest, ProjectsRequest, PublishEventRequest,
        RenewRequest,
    },
};

/// What NATS has to allow a program, in NATS's words. Replies to requests that it was sent are not among it: NATS
/// allows those by themselves (`allow_responses`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// Patterns of subjects that it publishes to.
    pub publish: Vec<String>,
    /// Patterns that it subscribes to, each followed by a space and the queue group if it is only allowed in that.
    pub subscribe: Vec<String>,
}

impl Permissions {
    /// Everything that `program` needs.
    pub fn of(program: Program) -> Self {
        let inbox = format!("{}.>", inbox(program.as_str()));
        let (publish, subscribe) = match program {
            Program::Gateway => (published_by_gateways(), heard_by_gateways()),
            Program::Service(service) => (published_by(service), heard_by(service)),
        };
        let round_trips = [inbox.clone()];
        Self {
            publish: publish.into_iter().chain(round_trips).collect(),
            subscribe: subscribe.into_iter().chain([inbox]).collect(),
        }
    }
}

/// Below which subject the replies to a process of this name arrive.
pub fn inbox(name: &str) -> String {
    format!("_INBOX_{name}")
}

/// The requests that a program sends to services.
pub fn requests(program: Program) -> Vec<Subject> {
    use ServiceName::{Auth, Chat, Metrics, Notification, TicketPresence};
    match program {
        Program::Gateway => ServiceName::ALL.into_iter().flat_map(requests_of_gateways).collect(),
        Program::Service(Auth) => vec![Subject::rpc::<PublishEventRequest>(Notification)],
        Program::Service(Notification) => {
            vec![Subject::rpc::<MembershipRequest>(Auth), Subject::rpc::<MembersRequest>(Auth)]
        }
        Program::Service(Chat) => {
            vec![Subject::rpc::<MembershipRequest>(Auth), Subject::rpc::<NotifyRequest>(Notification)]
        }
        Program::Service(TicketPresence) => vec![
            Subject::rpc::<ProjectRequest>(Auth),
            Subject::rpc::<ProjectsRequest>(Auth),
            Subject::rpc::<NotifyRequest>(Notification),
        ],
        Program::Service(Metrics) => Vec::new(),
    }
}

/// What a gateway asks of a service follows from what that owns.
fn requests_of_gateways(service: ServiceName) -> Vec<Subject> {
    // Of `carillon.v1` the gateway makes subscriptions, each of which is a session at another endpoint's owner.
    let own = |endpoint: &&Endpoint| endpoint.owner == service && endpoint.name != CHANNELS;
    let endpoints: Vec<_> = ENDPOINTS.iter().filter(own).collect();
    let mut asked = vec![Subject::rpc::<HistoryRequest>(service), Subject::rpc::<HeadsRequest>(service)];
    if ROUTES.iter().any(|route| route.owner == service) {
        asked.push(Subject::rpc::<HttpRequest>(service));
    }
    if !endpoints.is_empty() {
        asked.push(Subject::rpc::<OpenRequest>(service));
        asked.push(Subject::rpc::<FrameRequest>(service));
        asked.push(Subject::rpc::<ClosedNotice>(service));
    }
    if endpoints.iter().any(|endpoint| endpoint.presence) {
        asked.push(Subject::rpc::<RenewRequest>(service));
        asked.push(Subject::rpc::<EnterRequest>(service));
        asked.push(Subject::rpc::<PresenceRequest>(service));
    }
    if service == ServiceName::Auth {
        asked.push(Subject::rpc::<AccessRequest>(service));
        asked.push(Subject::rpc::<JwksRequest>(service));
    }
    asked
}

fn published_by_gateways() -> Vec<String> {
    let asked = requests(Program::Gateway).into_iter().map(|subject| subject.to_string());
    let told = [Subject::gateways().to_string(), Pattern::telemetry().to_string()];
    asked.chain(told).chain([Subject::health(Program::Gateway).to_string()]).collect()
}

fn heard_by_gateways() -> Vec<String> {
    // Whoever is connected decides to which channels.
    vec!["live.>".to_owned(), Subject::gateways().to_string(), "gateway.*.*".to_owned()]
}

fn published_by(service: ServiceName) -> Vec<String> {
    let events =
        Channel::kinds_of(service).flat_map(|kind| [format!("live.{kind}"), format!("live.{kind}.>")]);
    let asked = requests(Program::Service(service)).into_iter().map(|subject| subject.to_string());
    let mut published: Vec<String> = events.chain(asked).collect();
    published.extend(replicas(service));
    if service == ServiceName::Metrics {
        published.push(format!("gateway.*.{}", ConnectionsRequest::NAME));
        published.push(format!("gateway.*.{}", DisconnectRequest::NAME));
    }
    published.push(Subject::health(Program::Service(service)).to_string());
    published
}

fn heard_by(service: ServiceName) -> Vec<String> {
    let mut heard = vec![format!("{} {service}", Pattern::rpc(service))];
    heard.extend(replicas(service));
    if service == ServiceName::Metrics {
        heard.extend([Pattern::telemetry().to_string(), Pattern::health().to_string()]);
    }
    heard
}

/// Replicas that know who is typing tell each other.
fn replicas(service: ServiceName) -> Option<String> {
    let counts = ENDPOINTS.iter().any(|endpoint| endpoint.owner == service && endpoint.presence);
    counts.then(|| Subject::replicas(service).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{channel::KINDS, method};

    #[test]
    fn every_method_is_asked_by_somebody() {
        let programs = Program::ALL.map(Permissions::of);
        let asked: Vec<&str> = programs
            .iter()
            .flat_map(|permissions| &permissions.publish)
            .filter_map(|subject| Subject::method(subject))
            .collect();
        for name in method::NAMES {
            assert!(asked.contains(name), "nobody may ask for {name}");
        }
        assert!(!asked.contains(&"something-else"));
    }

    #[test]
    fn nobody_may_speak_for_another() {
        for program in Program::ALL {
            let Permissions { publish, subscribe } = Permissions::of(program);
            let own = format!("_INBOX_{program}.>");
            let inboxes = publish.iter().chain(&subscribe).filter(|pattern| pattern.starts_with("_INBOX"));
            assert!(inboxes.clone().all(|pattern| *pattern == own), "{program}");
            assert_eq!(inboxes.count(), 2, "{program}");
            for (kind, owner) in KINDS {
                let may = publish.contains(&format!("live.{kind}"));
                assert_eq!(may, program == Program::Service(owner), "{program} and {kind}");
            }
            for service in ServiceName::ALL {
                let may = subscribe.contains(&format!("rpc.{service}.* {service}"));
                assert_eq!(may, program == Program::Service(service), "{program} and {service}");
            }
            let everything = |pattern: &String| pattern.as_str() == ">" || pattern.starts_with('*');
            assert!(!publish.iter().chain(&subscribe).any(everything), "{program}");
        }
    }
}
