//! `?since=`: where a client that reconnects left off.

use std::{fmt, str::FromStr};

/// More channels than any endpoint has.
const MAX_CHANNELS: usize = 16;

/// `<epoch>.<offset>[.<offset>…]`: the greeting's epoch, and the last offset that the client has seen
/// of each channel, in the greeting's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Since {
    /// The epoch of the log that the offsets belong to.
    pub epoch: String,
    /// One for each channel of the greeting.
    pub offsets: Vec<u64>,
}

/// Not of the form `<epoch>.<offset>[.<offset>…]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`since` has the form <epoch>.<offset>[.<offset>…]")]
pub struct SinceError;

impl Since {
    /// A place in no log: nothing can be recovered from it.
    pub fn nowhere() -> Self {
        Self { epoch: String::new(), offsets: Vec::new() }
    }
}

impl FromStr for Since {
    type Err = SinceError;

    fn from_str(text: &str) -> Result<Self, SinceError> {
        let mut words = text.split('.');
        let epoch = words.next().filter(|epoch| is_epoch(epoch)).ok_or(SinceError)?;
        let offsets: Vec<u64> = words.take(MAX_CHANNELS + 1).map(offset).collect::<Result<_, _>>()?;
        if offsets.is_empty() || offsets.len() > MAX_CHANNELS {
            return Err(SinceError);
        }
        Ok(Self { epoch: epoch.to_owned(), offsets })
    }
}

impl fmt::Display for Since {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.epoch)?;
        self.offsets.iter().try_for_each(|offset| write!(formatter, ".{offset}"))
    }
}

fn is_epoch(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Within what a database's BIGINT can hold.
fn offset(text: &str) -> Result<u64, SinceError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        return Err(SinceError);
    }
    text.parse::<i64>().ok().and_then(|offset| u64::try_from(offset).ok()).ok_or(SinceError)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_malformed_is_refused() {
        for text in
            ["", ".", "abc", "abc.", "abc.x", "abc.-1", "abc.+1", ".1", "a b.1", "a.9223372036854775808"]
        {
            assert_eq!(text.parse::<Since>(), Err(SinceError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn writing_and_reading_agree(
            epoch in "[a-z0-9]{1,32}",
            offsets in prop::collection::vec(0..i64::MAX as u64, 1..16),
        ) {
            let since = Since { epoch, offsets };
            prop_assert_eq!(since.to_string().parse::<Since>(), Ok(since));
        }

        #[test]
        fn reading_holds_against_anything(text in any::<String>()) {
            let _ = text.parse::<Since>();
        }
    }
}
