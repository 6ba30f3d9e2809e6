//! Clients that come back with `since`: each has to get exactly what it missed, in order, once.

use anyhow::{Result, bail, ensure};

use crate::client::{Ears, stamp};

/// What a gateway says before it repeats what was missed.
const RECOVERY: &[u8] = b"\"type\":\"recovery\"";
const RECOVERED: &[u8] = b"\"recovered\":true";

/// Everybody who comes back.
#[derive(Debug)]
pub(super) struct Returning {
    /// The offset of the last event that each has seen, and of the last that there is.
    after: u64,
    head: u64,
    each: Vec<Client>,
    recovered: usize,
}

#[derive(Debug, Clone, Copy)]
struct Client {
    /// It was told that it will get everything.
    is_promised: bool,
    last: u64,
}

impl Returning {
    /// So many clients that lack the events above `after` up to `head`.
    pub(super) fn new(clients: usize, after: u64, head: u64) -> Self {
        let client = Client { is_promised: false, last: after };
        Self { after, head, each: vec![client; clients], recovered: 0 }
    }

    /// How many events were recovered, by all of them.
    pub(super) fn events(&self) -> u64 {
        self.each.iter().map(|client| client.last - self.after).sum()
    }
}

impl Ears for Returning {
    fn read(&mut self) {}

    fn text(&mut self, index: usize, text: &[u8], _length: usize) -> Result<()> {
        let client = &mut self.each[index];
        let has = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
        let Some(stamp) = stamp(text)? else {
            ensure!(client.last == self.after, "after an event came: {}", String::from_utf8_lossy(text));
            if has(RECOVERY) {
                ensure!(has(RECOVERED), "nothing is recovered: {}", String::from_utf8_lossy(text));
                client.is_promised = true;
            }
            return Ok(());
        };
        ensure!(client.is_promised, "event {} came before the promise of recovery", stamp.sequence);
        if stamp.sequence != client.last + 1 || stamp.sequence > self.head {
            bail!("event {} came after {}: lost, repeated or out of order", stamp.sequence, client.last);
        }
        client.last = stamp.sequence;
        self.recovered += usize::from(client.last == self.head);
        Ok(())
    }

    /// Who has recovered everything is through.
    fn greeted(&self) -> usize {
        self.recovered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Stamp, json};

    fn hear(texts: &[Vec<u8>]) -> Result<usize> {
        let mut returning = Returning::new(1, 10, 12);
        for text in texts {
            returning.text(0, text, text.len())?;
        }
        Ok(returning.greeted())
    }

    fn event(sequence: u64) -> Vec<u8> {
        json(Stamp { sequence, sent: 1 }, 128)
    }

    #[test]
    fn who_has_everything_once_in_order_is_through() {
        let promise = br#"{"type":"recovery","recovered":true,"missed":2}"#.to_vec();
        let greeting = br#"{"type":"connection_status"}"#.to_vec();
        let begin = |rest: &[u64]| {
            let texts = [greeting.clone(), promise.clone()].into_iter().chain(rest.iter().map(|n| event(*n)));
            hear(&texts.collect::<Vec<_>>())
        };
        assert_eq!(begin(&[11]).expect("in order"), 0);
        assert_eq!(begin(&[11, 12]).expect("in order"), 1);
        for wrong in [&[12][..], &[11, 11], &[11, 12, 12], &[11, 12, 13], &[10]] {
            assert!(begin(wrong).is_err(), "{wrong:?}");
        }
        assert!(hear(&[event(11)]).is_err(), "without a promise");
        let refusal = br#"{"type":"recovery","recovered":false}"#.to_vec();
        assert!(hear(&[refusal]).is_err());
    }
}
