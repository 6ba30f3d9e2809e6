//! Where in a channel to begin.

use std::str::FromStr;

use carillon_contract::{Channel, Since};

/// `--since`: a place, and whose it is if that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Start {
    /// The channel, if it was named.
    pub(super) channel: Option<Channel>,
    /// The epoch and the offset; `None` is the beginning.
    pub(super) place: Option<(String, u64)>,
}

impl Start {
    /// Whether it is the beginning.
    pub(super) fn is_beginning(&self) -> bool {
        self.place.is_none()
    }
}

impl FromStr for Start {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The first `=` that is none of an escaped byte: a place has none at all.
        let (channel, place) = match text.rsplit_once('=') {
            Some((channel, place)) => {
                (Some(channel.parse().map_err(|error| format!("{channel}: {error}"))?), place)
            }
            None => (None, text),
        };
        if matches!(place, "0" | "beginning") {
            return Ok(Self { channel, place: None });
        }
        let since: Since = place.parse().map_err(|_| "`beginning`, 0, or EPOCH.OFFSET".to_owned())?;
        match since.offsets.as_slice() {
            [offset] => Ok(Self { channel, place: Some((since.epoch, *offset)) }),
            _ => Err("one channel has one offset: EPOCH.OFFSET".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_with_and_without_its_channel() {
        let place = |text: &str| {
            text.parse::<Start>().map(|start| (start.channel.map(|c| c.to_string()), start.place))
        };
        assert_eq!(place("0"), Ok((None, None)));
        assert_eq!(place("room.a=2Fb=beginning"), Ok((Some("room.a=2Fb".to_owned()), None)));
        assert_eq!(place("room.a=e1.7"), Ok((Some("room.a".to_owned()), Some(("e1".to_owned(), 7)))));
        assert_eq!(place("e1.7"), Ok((None, Some(("e1".to_owned(), 7)))));
        for wrong in ["e1", "e1.7.8", "nothing.a=e1.7", "", "e1.x"] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }
}
