//! Subjects on the bus, and the patterns that match them.

use std::fmt;

use crate::{Channel, GatewayId, Method, Program, ServiceName};

/// Where one message goes. Only this module makes them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subject(Box<str>);

impl Subject {
    /// `rpc.<service>.<method>`: a request to one replica of a service.
    pub fn rpc<M: Method>(service: ServiceName) -> Self {
        Self(format!("rpc.{service}.{}", M::NAME).into())
    }

    /// `live.<channel>`: an event to whoever listens.
    pub fn live(channel: &Channel) -> Self {
        Self(format!("live.{channel}").into())
    }

    /// `replicas.<service>`: what the replicas of a service tell each other.
    pub fn replicas(service: ServiceName) -> Self {
        Self(format!("replicas.{service}").into())
    }

    /// `gateway.all`: what gateways tell each other.
    pub fn gateways() -> Self {
        Self("gateway.all".into())
    }

    /// `gateway.<id>.<method>`: a request to one gateway.
    pub fn gateway<M: Method>(gateway: &GatewayId) -> Self {
        Self(format!("gateway.{gateway}.{}", M::NAME).into())
    }

    /// `telemetry.<gateway>`: what a gateway has counted.
    pub fn telemetry(gateway: &GatewayId) -> Self {
        Self(format!("telemetry.{gateway}").into())
    }

    /// `health.<service>`, or `health.gateway`: what each replica tells of itself.
    pub fn health(program: Program) -> Self {
        Self(format!("health.{program}").into())
    }

    /// `test.<word>`: where the bus's own contract suite talks.
    ///
    /// # Panics
    /// If `word` is not made of letters, digits, dots, `_` and `-`.
    pub fn test(word: &str) -> Self {
        assert!(word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)), "{word}");
        Self(format!("test.{word}").into())
    }

    /// The subject's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The channel of a `live.` subject's text.
    pub fn channel(text: &str) -> Option<Channel> {
        text.strip_prefix("live.")?.parse().ok()
    }

    /// The method of a request's subject: the last word of a `rpc.<service>.` or `gateway.<id>.` subject's text.
    pub fn method(text: &str) -> Option<&str> {
        Self::request(text).map(|(_, method)| method)
    }

    /// Who is asked, and for what, as a request's subject says: a service, or any of the gateways.
    pub fn request(text: &str) -> Option<(&str, &str)> {
        match text.strip_prefix("rpc.") {
            Some(addressed) => addressed.split_once('.'),
            None => Some(("gateway", text.strip_prefix("gateway.")?.split_once('.')?.1)),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What a subscription listens to: a subject, or a prefix followed by a wildcard.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern(Box<str>);

impl Pattern {
    /// Every method of a service: `rpc.<service>.*`.
    pub fn rpc(service: ServiceName) -> Self {
        Self(format!("rpc.{service}.*").into())
    }

    /// Every request to one gateway: `gateway.<id>.*`.
    pub fn gateway(gateway: &GatewayId) -> Self {
        Self(format!("gateway.{gateway}.*").into())
    }

    /// What every gateway has counted: `telemetry.*`.
    pub fn telemetry() -> Self {
        Self("telemetry.*".into())
    }

    /// What every replica of everything tells of itself: `health.*`.
    pub fn health() -> Self {
        Self("health.*".into())
    }

    /// Every subject below `test.<word>`, or with one more word if `one` is set.
    ///
    /// # Panics
    /// If `word` is not made of letters, digits, dots, `_` and `-`.
    pub fn test_below(word: &str, one: bool) -> Self {
        let wildcard = if one { '*' } else { '>' };
        Self(format!("{}.{wildcard}", Subject::test(word)).into())
    }

    /// The pattern's text, in NATS's syntax.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a subject's text matches, by NATS's rules: `*` is one word, a final `>` one or more.
    pub fn matches(&self, subject: &str) -> bool {
        let mut words = subject.split('.');
        for wanted in self.0.split('.') {
            match (wanted, words.next()) {
                (">", Some(_)) => return true,
                ("*", Some(_)) => {}
                (wanted, Some(word)) if wanted == word => {}
                _ => return false,
            }
        }
        words.next().is_none()
    }
}

impl From<Subject> for Pattern {
    fn from(subject: Subject) -> Self {
        Self(subject.0)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::DisconnectRequest;

    #[test]
    fn a_request_says_whom_it_asks_for_what() {
        assert_eq!(Subject::request("rpc.chat.open"), Some(("chat", "open")));
        assert_eq!(Subject::request(Subject::gateways().as_str()), None);
    }

    #[test]
    fn a_wildcard_matches_what_nats_would_match() {
        let one = Pattern::test_below("a", true);
        assert!(one.matches("test.a.b"));
        assert!(!one.matches("test.a"));
        assert!(!one.matches("test.a.b.c"));
        let many = Pattern::test_below("a", false);
        assert!(many.matches("test.a.b.c"));
        assert!(!many.matches("test.a"));
        assert!(Pattern::from(Subject::test("a")).matches("test.a"));
    }

    #[test]
    fn a_gateway_is_asked_alone_and_heard_with_the_others() {
        let one: GatewayId = "00000000000000aa".parse().expect("an id");
        let other: GatewayId = "00000000000000bb".parse().expect("an id");
        let asked = Subject::gateway::<DisconnectRequest>(&one);
        assert!(Pattern::gateway(&one).matches(asked.as_str()));
        assert!(!Pattern::gateway(&other).matches(asked.as_str()));
        assert!(!Pattern::gateway(&one).matches(Subject::gateways().as_str()));
        assert_eq!(Subject::method(asked.as_str()), Some("disconnect"));
        assert_eq!(Subject::method(Subject::gateways().as_str()), None);
        assert!(
            [&one, &other].iter().all(|id| Pattern::telemetry().matches(Subject::telemetry(id).as_str()))
        );
    }

    #[test]
    fn the_health_of_everything_is_heard() {
        let subjects = Program::ALL.map(Subject::health);
        assert!(subjects.iter().all(|subject| Pattern::health().matches(subject.as_str())));
    }
}
