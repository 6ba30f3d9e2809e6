//! What other services call a user of auth.

use carillon_contract::Id;
use carillon_token::CARILLON;
use serde_json::{Value, json};

/// How the users of this database are told from those of other issuers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UserNames {
    bare: bool,
}

impl UserNames {
    /// `owner` is the issuer whose ids stand for themselves.
    pub(crate) fn new(owner: &str) -> Self {
        Self { bare: owner == CARILLON }
    }

    /// Whether they are told from another issuer's by a prefix.
    pub(crate) fn are_prefixed(self) -> bool {
        !self.bare
    }

    /// `1`, or `carillon:1` where another issuer has a user `1`.
    pub(crate) fn full(self, id: i64) -> String {
        if self.bare { id.to_string() } else { format!("{CARILLON}:{id}") }
    }

    /// The id behind such a name, which is written in one way only. `None` for anyone else's name.
    pub(crate) fn local(self, name: &str) -> Option<i64> {
        if self.bare {
            return local_id(name);
        }
        local_id(name.strip_prefix(CARILLON)?.strip_prefix(':')?)
    }
}

/// The id that a token of ours has in `sub`.
pub(crate) fn local_id(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().filter(|id| *id > 0 && id.to_string() == text)
}

/// A user's name as clients read ids: a number where it looks like one.
pub(crate) fn rendered(name: &str) -> Value {
    Id::new(name).map_or_else(|_| json!(name), |id| json!(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_in_one_way() {
        let bare = UserNames::new(CARILLON);
        let prefixed = UserNames::new("django");
        assert_eq!((bare.full(42).as_str(), prefixed.full(42).as_str()), ("42", "carillon:42"));
        assert_eq!((bare.local("42"), prefixed.local("carillon:42")), (Some(42), Some(42)));
        assert_eq!(prefixed.local("42"), None);
        for text in ["", "0", "-1", "042", "+42", "x", "9223372036854775808", "carillon:42"] {
            assert_eq!(bare.local(text), None, "{text}");
        }
    }
}
