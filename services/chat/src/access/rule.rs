//! One rule: who may enter what begins with a prefix.

use std::{collections::BTreeSet, fmt, str::FromStr};

use carillon_contract::{Channel, Id, Resource, ResourceKind};

use crate::visitor::MAX_NAME;

/// The most users of one rule.
const MAX_USERS: usize = 1_000;

/// What rules are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Area {
    /// Chat rooms, and their history.
    Room,
    /// Collaboration rooms.
    Collaboration,
    /// Documents.
    Document,
}

/// Who may enter. Admins may, whatever it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Allow {
    /// Anonymous clients too, where the gateway lets them in.
    Everyone,
    /// Every user.
    SignedIn,
    /// The members of an organisation or a project.
    Members(Resource),
    /// These users.
    Users(BTreeSet<String>),
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) area: Area,
    pub(super) prefix: String,
    pub(super) allow: Allow,
}

/// Why a text is no rule: the field that is wrong, and what it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {expected}")]
pub(crate) struct RuleError {
    pub(super) field: &'static str,
    pub(super) expected: &'static str,
}

impl Area {
    const ALL: [Self; 3] = [Self::Room, Self::Collaboration, Self::Document];

    /// As rules name it: the name of its endpoint.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Room => "chat",
            Self::Collaboration => "collaboration",
            Self::Document => "document",
        }
    }

    /// The first word of its channels.
    const fn kind(self) -> &'static str {
        match self {
            Self::Room => "room",
            Self::Collaboration => "collaboration",
            Self::Document => "document",
        }
    }

    /// Who may enter what no rule is about.
    pub(super) const fn default_allow(self) -> Allow {
        match self {
            Self::Room | Self::Document => Allow::Everyone,
            Self::Collaboration => Allow::SignedIn,
        }
    }

    /// How the channels of what begins with a prefix begin.
    pub(super) fn topics(self, prefix: &str) -> String {
        // Names are escaped byte by byte, so that a name's beginning is that of its channel.
        let channel = Channel::new(self.kind(), &[prefix]);
        channel.map_or_else(|_| format!("{}.", self.kind()), |channel| channel.to_string())
    }
}

impl Rule {
    /// A rule from its parts.
    pub(super) fn new(area: &str, prefix: &str, allow: &str) -> Result<Self, RuleError> {
        let rule = Self { area: area.parse()?, prefix: prefix.to_owned(), allow: allow.parse()? };
        if prefix.chars().count() > MAX_NAME || prefix.contains('\0') {
            return Err(RuleError { field: "prefix", expected: "must have at most 100 characters" });
        }
        Ok(rule)
    }

    /// Whether it is about what has this name.
    pub(super) fn covers(&self, area: Area, name: &str) -> bool {
        self.area == area && name.starts_with(&self.prefix)
    }
}

impl FromStr for Area {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let expected = "must be chat, collaboration or document";
        let area = Self::ALL.into_iter().find(|area| area.as_str() == text);
        area.ok_or(RuleError { field: "area", expected })
    }
}

impl FromStr for Allow {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        const EXPECTED: &str = "must be everyone, signed-in, org:<id>, project:<id> or users:<id>,<id>";
        let error = RuleError { field: "allow", expected: EXPECTED };
        let resource = |kind, id: &str| {
            let id = Id::new(id).map_err(|_| error.clone())?;
            Resource::new(kind, id.into_string()).map(Self::Members).map_err(|_| error.clone())
        };
        match text.split_once(':') {
            None if text == "everyone" => Ok(Self::Everyone),
            None if text == "signed-in" => Ok(Self::SignedIn),
            Some(("org", id)) => resource(ResourceKind::Organisation, id),
            Some(("project", id)) => resource(ResourceKind::Project, id),
            Some(("users", ids)) => users(ids).ok_or(error),
            _ => Err(error),
        }
    }
}

fn users(ids: &str) -> Option<Allow> {
    let ids = ids.split(',').map(|id| Id::new(id.trim()).ok().map(Id::into_string));
    let users: BTreeSet<String> = ids.collect::<Option<_>>()?;
    (users.len() <= MAX_USERS).then_some(Allow::Users(users))
}

impl fmt::Display for Allow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => formatter.write_str("everyone"),
            Self::SignedIn => formatter.write_str("signed-in"),
            Self::Members(resource) => write!(formatter, "{}:{}", resource.kind().as_str(), resource.id()),
            Self::Users(users) => {
                let users: Vec<_> = users.iter().map(String::as_str).collect();
                write!(formatter, "users:{}", users.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_written_as_they_are_read() {
        for text in ["everyone", "signed-in", "org:acme", "org:a:b=c d", "project:7", "users:1", "users:1,a"]
        {
            assert_eq!(text.parse::<Allow>().expect(text).to_string(), text);
        }
        assert_eq!("users:2, 1,2".parse::<Allow>().expect("a rule").to_string(), "users:1,2");
        for text in ["", "Everyone", "nobody", "org", "org:", "users:", "users:1,,2", "team:1", "org:\n"] {
            assert_eq!(text.parse::<Allow>().expect_err(text).field, "allow");
        }
        let many: Vec<_> = (0..=MAX_USERS).map(|user| user.to_string()).collect();
        assert!(format!("users:{}", many.join(",")).parse::<Allow>().is_err());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let field = |area: &str, prefix: &str, allow: &str| {
            Rule::new(area, prefix, allow).map_err(|error| error.field)
        };
        assert_eq!(field("room", "", "everyone"), Err("area"));
        assert_eq!(field("chat", &"x".repeat(101), "everyone"), Err("prefix"));
        assert_eq!(field("chat", "", "x"), Err("allow"));
        assert!(field("chat", &"é".repeat(100), "everyone").is_ok());
    }

    #[test]
    fn channels_begin_as_their_names_do() {
        let topic = |name| Channel::new("room", &[name]).expect("a channel").to_string();
        for (prefix, name) in [("", "x"), ("eng-", "eng-1"), ("日", "日本"), ("a.", "a.b"), ("é", "é")] {
            assert!(topic(name).starts_with(&Area::Room.topics(prefix)), "{prefix}");
        }
        assert!(!topic("en").starts_with(&Area::Room.topics("eng")));
    }
}
