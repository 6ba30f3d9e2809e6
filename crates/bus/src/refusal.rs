//! Answers that carry no result.

/// A service's answer to a request that it does not carry out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", kind.as_str())]
pub struct Refusal {
    /// What kind of refusal, for programs.
    pub kind: RefusalKind,
    /// One line for people.
    pub message: String,
}

/// The kinds of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// Something that the service needs is away; later the same request may succeed.
    Unavailable,
    /// The service has no such method.
    UnknownMethod,
    /// The request cannot be decoded, or makes no sense.
    Malformed,
    /// The service failed; its log says why.
    Internal,
}

impl Refusal {
    /// A refusal of this kind.
    pub fn new(kind: RefusalKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl RefusalKind {
    const ALL: [Self; 4] = [Self::Unavailable, Self::UnknownMethod, Self::Malformed, Self::Internal];

    /// The name that travels in headers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::UnknownMethod => "unknown-method",
            Self::Malformed => "malformed",
            Self::Internal => "internal",
        }
    }

    /// The kind of that name. A name that a newer service uses counts as internal.
    pub(crate) fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).unwrap_or(Self::Internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for kind in RefusalKind::ALL {
            assert_eq!(RefusalKind::from_name(kind.as_str()), kind);
        }
        assert_eq!(RefusalKind::from_name("of the future"), RefusalKind::Internal);
    }
}
