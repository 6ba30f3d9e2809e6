//! Channel names: canonical text that is safe inside a subject whatever the client chose.

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

use crate::ServiceName;

/// The first word of a channel's name, and who owns such channels.
pub(crate) const KINDS: [(&str, ServiceName); 12] = [
    ("access", ServiceName::Auth),
    ("user", ServiceName::Notification),
    ("everyone", ServiceName::Notification),
    ("org", ServiceName::Notification),
    ("room", ServiceName::Chat),
    ("conversation", ServiceName::Chat),
    ("collaboration", ServiceName::Chat),
    ("document", ServiceName::Chat),
    ("counter", ServiceName::Chat),
    ("group", ServiceName::Chat),
    ("project", ServiceName::TicketPresence),
    ("system", ServiceName::Metrics),
];

/// The longest name in bytes: a name of 100 characters of any script fits, escaped.
pub(crate) const MAX_LENGTH: usize = 1_500;

/// A named log of events: `user.42`, `org.acme`.
///
/// The text is canonical: words separated by dots, each of ASCII letters, digits, `_` and `-`,
/// with every other byte escaped as `=XX`. So no part can hold a separator, a wildcard or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Channel(Arc<str>);

/// Why a text is no channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// A part is the empty text.
    #[error("a part of a channel name is empty")]
    Empty,
    /// Longer than any name may be.
    #[error("a channel name is longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// The first word is none that a service owns.
    #[error("no service owns such a channel")]
    UnknownKind,
    /// Not in canonical form.
    #[error("not a canonical channel name")]
    NotCanonical,
    /// A template names a parameter that is not there.
    #[error("a parameter is missing")]
    MissingParameter,
}

impl Channel {
    /// The channel of `kind` whose remaining words are `parts`, which can hold any text.
    ///
    /// # Errors
    /// An unknown kind, an empty part, or a name that would be too long.
    pub fn new(kind: &str, parts: &[&str]) -> Result<Self, ChannelError> {
        owner_of(kind).ok_or(ChannelError::UnknownKind)?;
        let mut text = String::from(kind);
        for part in parts {
            if part.is_empty() {
                return Err(ChannelError::Empty);
            }
            text.push('.');
            escape(part, &mut text);
        }
        if text.len() > MAX_LENGTH {
            return Err(ChannelError::TooLong);
        }
        Ok(Self(text.into()))
    }

    /// The notifications of one user.
    ///
    /// # Errors
    /// An empty or too long user id.
    pub fn user(user: &str) -> Result<Self, ChannelError> {
        Self::new("user", &[user])
    }

    /// The events of one organisation.
    ///
    /// # Errors
    /// An empty or too long organisation id.
    pub fn org(org: &str) -> Result<Self, ChannelError> {
        Self::new("org", &[org])
    }

    /// Notifications to everyone.
    pub fn everyone() -> Self {
        Self("everyone".into())
    }

    /// The health of the whole system.
    pub fn system_health() -> Self {
        Self("system.health".into())
    }

    /// Revocations and ended memberships, which every gateway follows.
    pub fn access() -> Self {
        Self("access".into())
    }

    /// The first words of the channels that a service owns.
    pub fn kinds_of(service: ServiceName) -> impl Iterator<Item = &'static str> {
        KINDS.into_iter().filter(move |(_, owner)| *owner == service).map(|(kind, _)| kind)
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The service that owns this channel.
    pub fn owner(&self) -> ServiceName {
        owner_of(self.kind()).unwrap_or(ServiceName::Auth)
    }

    /// Whether a back end may listen to it: to all that clients may, and to what back ends tell each other. What
    /// gateways are told is theirs alone.
    pub fn is_told_to_back_ends(&self) -> bool {
        self.kind() == "group" && self.parts().len() == 1 || crate::endpoint_of(self).is_some()
    }

    /// The first word.
    pub fn kind(&self) -> &str {
        self.0.split('.').next().unwrap_or_default()
    }

    /// The words after the first, as they were before they were escaped.
    pub fn parts(&self) -> Vec<String> {
        self.0.split('.').skip(1).map(|word| unescape(word).unwrap_or_default()).collect()
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Channel {
    type Err = ChannelError;

    fn from_str(text: &str) -> Result<Self, ChannelError> {
        if text.len() > MAX_LENGTH {
            return Err(ChannelError::TooLong);
        }
        let mut words = text.split('.');
        let kind = words.next().unwrap_or_default();
        owner_of(kind).ok_or(ChannelError::UnknownKind)?;
        if words.all(is_canonical_word) { Ok(Self(text.into())) } else { Err(ChannelError::NotCanonical) }
    }
}

/// The channels of an endpoint, before its parameters are known: a kind, and words that are
/// either literal (`tickets`) or a parameter (`{org_id}`; `{user}` is the identity's).
#[derive(Debug, Clone, Copy)]
pub struct ChannelTemplate(pub &'static [&'static str]);

impl ChannelTemplate {
    /// The channel for these parameters and this user. `None` if it is a user's channel and
    /// there is no user.
    ///
    /// # Errors
    /// A parameter that is missing, empty or too long.
    pub fn resolve(
        &self,
        parameters: &BTreeMap<String, String>,
        user: Option<&str>,
    ) -> Result<Option<Channel>, ChannelError> {
        let [kind, words @ ..] = self.0 else { return Err(ChannelError::Empty) };
        let mut parts = Vec::with_capacity(words.len());
        for word in words {
            match word.strip_prefix('{').and_then(|word| word.strip_suffix('}')) {
                None => parts.push(*word),
                Some("user") => match user {
                    None => return Ok(None),
                    Some(user) => parts.push(user),
                },
                Some(name) => {
                    parts.push(parameters.get(name).ok_or(ChannelError::MissingParameter)?);
                }
            }
        }
        Channel::new(kind, &parts).map(Some)
    }

    /// The parameters for which this is the template of that channel, but for the user's.
    pub(crate) fn parameters_of(&self, channel: &Channel) -> Option<BTreeMap<String, String>> {
        let words: Vec<&str> = channel.as_str().split('.').collect();
        if words.len() != self.0.len() {
            return None;
        }
        let mut parameters = BTreeMap::new();
        for (word, template) in words.into_iter().zip(self.0) {
            match template.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                None if word != *template => return None,
                None | Some("user") => {}
                Some(name) => drop(parameters.insert(name.to_owned(), unescape(word)?)),
            }
        }
        Some(parameters)
    }
}

fn owner_of(kind: &str) -> Option<ServiceName> {
    KINDS.iter().find(|(name, _)| *name == kind).map(|(_, owner)| *owner)
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

pub(crate) fn escape(part: &str, text: &mut String) {
    for byte in part.bytes() {
        if is_plain(byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("={byte:02X}"));
        }
    }
}

pub(crate) fn is_canonical_word(word: &str) -> bool {
    let Some(part) = unescape(word) else { return false };
    let mut again = String::with_capacity(word.len());
    escape(&part, &mut again);
    !part.is_empty() && again == word
}

pub(crate) fn unescape(word: &str) -> Option<String> {
    let mut bytes = word.bytes();
    let mut part = Vec::with_capacity(word.len());
    while let Some(byte) = bytes.next() {
        if byte == b'=' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            part.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            part.push(byte);
        }
    }
    String::from_utf8(part).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_are_escaped() {
        let channel = Channel::user("a.b *>é").expect("a channel");
        assert_eq!(channel.as_str(), "user.a=2Eb=20=2A=3E=C3=A9");
        assert_eq!(channel.owner(), ServiceName::Notification);
    }

    #[test]
    fn an_anonymous_client_has_no_user_channel() {
        let template = ChannelTemplate(&["user", "{user}"]);
        assert_eq!(template.resolve(&BTreeMap::new(), None), Ok(None));
    }

    #[test]
    fn what_is_not_canonical_is_refused() {
        for text in ["", "user.", "user..x", "user.*", "nobody.x", "user.=41", "user.=4", "user.=e9"] {
            assert!(text.parse::<Channel>().is_err(), "{text}");
        }
    }

    proptest! {
        /// Whatever a client chooses becomes subject tokens without separators, wildcards or
        /// empty ones, and two different names never meet.
        #[test]
        fn any_text_is_a_safe_word(one in "\\PC{1,100}", other in "\\PC{1,100}") {
            let first = Channel::user(&one).expect("a channel");
            let words: Vec<_> = first.as_str().split('.').collect();
            prop_assert_eq!(words.len(), 2);
            prop_assert!(words[1].bytes().all(|byte| is_plain(byte) || byte == b'='));
            prop_assert_eq!(first.as_str().parse::<Channel>(), Ok(first.clone()));
            let second = Channel::user(&other).expect("a channel");
            prop_assert_eq!(one == other, first == second);
        }

        /// Arbitrary text never panics, and what parses is canonical.
        #[test]
        fn parsing_holds_against_anything(text in any::<String>()) {
            if let Ok(channel) = text.parse::<Channel>() {
                prop_assert_eq!(channel.as_str(), text.as_str());
            }
        }
    }
}
