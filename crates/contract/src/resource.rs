//! What users can be members of, as auth and those who ask it name it.

use std::{fmt, str::FromStr};

use crate::{
    ChannelError,
    channel::{MAX_LENGTH, escape, is_canonical_word, unescape},
};

/// The kinds of groups that users are members of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResourceKind {
    /// An organisation: `org.<id>`.
    Organisation,
    /// A project: `project.<id>`.
    Project,
}

impl ResourceKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Organisation, Self::Project];

    /// The first word of a resource's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Organisation => "org",
            Self::Project => "project",
        }
    }
}

/// One group that users are members of. Its text is that of the channel of the same name:
/// `org.acme`, with the id escaped as in [`crate::Channel`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Resource {
    kind: ResourceKind,
    id: String,
}

impl Resource {
    /// The group of this kind with this id, which can be any text but the empty one.
    ///
    /// # Errors
    /// An empty or too long id.
    pub fn new(kind: ResourceKind, id: impl Into<String>) -> Result<Self, ChannelError> {
        let resource = Self { kind, id: id.into() };
        if resource.id.is_empty() {
            return Err(ChannelError::Empty);
        }
        if resource.to_string().len() > MAX_LENGTH { Err(ChannelError::TooLong) } else { Ok(resource) }
    }

    /// What it is.
    pub fn kind(&self) -> ResourceKind {
        self.kind
    }

    /// Its id, unescaped.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut word = String::with_capacity(self.id.len());
        escape(&self.id, &mut word);
        write!(formatter, "{}.{word}", self.kind.as_str())
    }
}

impl FromStr for Resource {
    type Err = ChannelError;

    fn from_str(text: &str) -> Result<Self, ChannelError> {
        if text.len() > MAX_LENGTH {
            return Err(ChannelError::TooLong);
        }
        let (kind, word) = text.split_once('.').ok_or(ChannelError::NotCanonical)?;
        let kind = ResourceKind::ALL.into_iter().find(|known| known.as_str() == kind);
        let kind = kind.ok_or(ChannelError::UnknownKind)?;
        if !is_canonical_word(word) {
            return Err(ChannelError::NotCanonical);
        }
        let id = unescape(word).ok_or(ChannelError::NotCanonical)?;
        Ok(Self { kind, id })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Channel;

    #[test]
    fn an_organisation_is_named_as_its_channel_is() {
        let resource = Resource::new(ResourceKind::Organisation, "a.b").expect("a resource");
        assert_eq!(resource.to_string(), Channel::org("a.b").expect("a channel").as_str());
    }

    #[test]
    fn what_is_no_resource_is_refused() {
        for text in ["", "org", "org.", "user.1", "org.a.b", "org.=41", "org.é"] {
            assert!(text.parse::<Resource>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_id_survives(id in "\\PC{1,40}") {
            let resource = Resource::new(ResourceKind::Project, id).expect("a resource");
            prop_assert_eq!(resource.to_string().parse::<Resource>(), Ok(resource));
        }
    }
}
