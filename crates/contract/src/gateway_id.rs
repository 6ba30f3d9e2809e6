//! Gateways by name: each life of each has its own.

use std::{fmt, str::FromStr};

/// The longest id, in bytes.
const MAX_LENGTH: usize = 32;

/// One life of one gateway, as in `Session.gateway`; the ids of its connections begin with it. It is one word
/// of a subject: 1 to 32 lower-case letters and digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GatewayId(Box<str>);

/// The text is no gateway's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a gateway's id has 1 to {MAX_LENGTH} lower-case letters and digits")]
pub struct InvalidGatewayId;

impl GatewayId {
    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The gateway that a connection belongs to, and the connection's number there, by its id (`<gateway>-<number>`).
    pub fn of_connection(connection: &str) -> Option<(Self, u64)> {
        let (gateway, number) = connection.rsplit_once('-')?;
        let parsed: u64 = number.parse().ok()?;
        (parsed.to_string() == number).then_some(())?;
        Some((gateway.parse().ok()?, parsed))
    }
}

impl From<u64> for GatewayId {
    /// The id of a gateway that has chosen this number for its life.
    fn from(number: u64) -> Self {
        Self(format!("{number:016x}").into())
    }
}

impl FromStr for GatewayId {
    type Err = InvalidGatewayId;

    fn from_str(text: &str) -> Result<Self, InvalidGatewayId> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let fits = (1..=MAX_LENGTH).contains(&text.len()) && text.bytes().all(is_plain);
        if fits { Ok(Self(text.into())) } else { Err(InvalidGatewayId) }
    }
}

impl fmt::Display for GatewayId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_could_be_more_than_one_word_of_a_subject_is_an_id() {
        for text in ["", "a.b", "*", ">", "a b", "A", "a-b", "é", &"a".repeat(33)] {
            assert!(text.parse::<GatewayId>().is_err(), "{text}");
        }
        assert_eq!("00c3f1".parse::<GatewayId>().expect("an id").as_str(), "00c3f1");
        let chosen = GatewayId::from(u64::MAX);
        assert_eq!(chosen.as_str().parse::<GatewayId>(), Ok(chosen.clone()));
    }

    #[test]
    fn a_connection_names_its_gateway() {
        let (gateway, number) = GatewayId::of_connection("00c3f1-17").expect("a connection");
        assert_eq!((gateway.as_str(), number), ("00c3f1", 17));
        for text in ["", "00c3f1", "-1", "00c3f1-", "00c3f1-x", "00c3f1-01", "00c3f1-+1", "a.b-1", "a--1"] {
            assert!(GatewayId::of_connection(text).is_none(), "{text}");
        }
    }
}
