//! The message that is measured: one JSON object that carries its number and when it was published.

use std::time::Instant;

use anyhow::{Result, ensure};

/// Number and time stand at fixed places, as digits in strings, so that no JSON needs parsing.
const PREFIX: &[u8] = b"{\"s\":\"";
const BETWEEN: &[u8] = b"\",\"t\":\"";
const NUMBER_DIGITS: usize = 10;
const TIME_DIGITS: usize = 15;
const NUMBER_AT: usize = PREFIX.len();
const TIME_AT: usize = NUMBER_AT + NUMBER_DIGITS + BETWEEN.len();
const END: usize = TIME_AT + TIME_DIGITS;

/// The time since this process began to measure, which every stamp is relative to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// In nanoseconds.
    pub(crate) fn now(self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// What a message says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// 1, 2, 3, … in its channel.
    pub(crate) sequence: u64,
    /// When it was published, in nanoseconds of the [`Clock`].
    pub(crate) sent: u64,
}

/// The message as a service renders it, `length` bytes of JSON (or as many as it takes at least).
pub(crate) fn json(stamp: Stamp, length: usize) -> Vec<u8> {
    let Stamp { sequence, sent } = stamp;
    let mut json = format!(
        "{{\"s\":\"{sequence:0NUMBER_DIGITS$}\",\"t\":\"{sent:0TIME_DIGITS$}\",\
         \"type\":\"notification\",\"text\":\""
    );
    let padding = length.saturating_sub(json.len() + 2);
    json.extend(std::iter::repeat_n('x', padding));
    json.push_str("\"}");
    json.into_bytes()
}

/// The same bytes as a client gets them from a gateway: with its place in this channel spliced in.
pub(crate) fn spliced(stamp: Stamp, length: usize, channel: &str) -> Vec<u8> {
    let mut json = json(stamp, length);
    json.pop();
    let place = format!(",\"channel\":\"{channel}\",\"offset\":{}}}", stamp.sequence);
    json.extend_from_slice(place.as_bytes());
    json
}

/// The stamp of a payload, or `None` if it is not a measured message.
///
/// # Errors
/// A payload that begins like one but carries no digits where they are due.
pub(crate) fn stamp(payload: &[u8]) -> Result<Option<Stamp>> {
    if payload.len() < END || !payload.starts_with(PREFIX) {
        return Ok(None);
    }
    let sequence = number(&payload[NUMBER_AT..NUMBER_AT + NUMBER_DIGITS])?;
    let sent = number(&payload[TIME_AT..END])?;
    Ok(Some(Stamp { sequence, sent }))
}

/// A number of digits alone.
///
/// # Errors
/// Anything else than a digit.
pub(crate) fn number(digits: &[u8]) -> Result<u64> {
    let mut number = 0;
    for digit in digits {
        ensure!(digit.is_ascii_digit(), "a message whose stamp is damaged");
        number = number * 10 + u64::from(digit - b'0');
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_survives_the_journey() {
        let sent = Stamp { sequence: 123, sent: 456_789_000 };
        for payload in [json(sent, 128), spliced(sent, 128, "org.bench"), json(sent, 0)] {
            assert_eq!(stamp(&payload).expect("a sound stamp"), Some(sent));
            serde_json::from_slice::<serde_json::Value>(&payload).expect("JSON");
        }
        assert_eq!(json(sent, 128).len(), 128);
        assert_eq!(stamp(b"{\"type\":\"hello\"}").expect("something else"), None);
        assert!(
            stamp(&spliced(sent, 128, "org.bench").to_ascii_uppercase().repeat(1))
                .expect("no stamp")
                .is_none()
        );
    }

    #[test]
    fn a_damaged_stamp_is_an_error() {
        let mut payload = json(Stamp { sequence: 1, sent: 1 }, 128);
        payload[NUMBER_AT] = b'x';
        assert!(stamp(&payload).is_err());
    }
}
