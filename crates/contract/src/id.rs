//! Ids as clients write and read them: opaque text inside, numbers where they look like numbers.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The largest integer that every JSON reader keeps exact (RFC 8259, section 6).
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// The longest id, in bytes.
const MAX_LENGTH: usize = 255;

/// An opaque id: 1 to 255 bytes without control characters.
///
/// In JSON a canonical integer up to 2^53 − 1 is a number, anything else a string; both are read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(String);

/// The text is empty, too long, or holds a control character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id has 1 to {MAX_LENGTH} bytes and no control characters")]
pub struct InvalidId;

impl Id {
    /// An id from its text.
    ///
    /// # Errors
    /// See [`InvalidId`].
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidId> {
        let text = text.into();
        let fits = !text.is_empty() && text.len() <= MAX_LENGTH;
        if fits && !text.chars().any(char::is_control) { Ok(Self(text)) } else { Err(InvalidId) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, owned.
    pub fn into_string(self) -> String {
        self.0
    }

    /// The number that this id is rendered as, if it is one.
    fn as_number(&self) -> Option<u64> {
        let number = self.0.parse::<u64>().ok().filter(|number| *number <= MAX_SAFE_INTEGER)?;
        (number.to_string() == self.0).then_some(number)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<u64> for Id {
    fn from(number: u64) -> Self {
        Self(number.to_string())
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.as_number() {
            Some(number) => serializer.serialize_u64(number),
            None => serializer.serialize_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Id;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an id: a string or a whole number")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Id, E> {
                Ok(Id::from(number))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Id, E> {
                Ok(Id(number.to_string()))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Id, E> {
                Id::new(text).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_integers_are_numbers_and_the_rest_is_text() {
        for (text, json) in [
            ("42", "42"),
            ("0", "0"),
            ("9007199254740991", "9007199254740991"),
            ("9007199254740992", "\"9007199254740992\""),
            ("042", "\"042\""),
            ("+1", "\"+1\""),
            ("test-user-123", "\"test-user-123\""),
        ] {
            let id = Id::new(text).expect("an id");
            assert_eq!(serde_json::to_string(&id).expect("JSON"), json);
            assert_eq!(serde_json::from_str::<Id>(json).expect("an id"), id);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for json in ["\"\"", "\"a\\u0000b\"", "1.5", "true", "null", "[]"] {
            assert!(serde_json::from_str::<Id>(json).is_err(), "{json}");
        }
    }
}
