//! What servers put around a message: nothing, or Socket.IO's protocol over Engine.IO's.

use anyhow::{Result, bail};

/// How the messages of a server are wrapped into text frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// One message in a frame.
    Plain,
    /// Socket.IO 5 over Engine.IO 4, in text frames.
    SocketIo,
}

/// What a client makes of a text frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Meaning<'a> {
    /// A greeting or a message.
    Text(&'a [u8]),
    /// The server waits for this.
    Answer(&'static [u8]),
}

/// Engine.IO's packets of which there is only one form.
const PING: &[u8] = b"2";
const PONG: &[u8] = b"3";
/// Socket.IO's packet that joins the default namespace.
const CONNECT: &[u8] = b"40";
/// An event of that namespace, up to its only argument: `bench.emit("m", …)`.
const EVENT: &[u8] = b"42[\"m\",";

impl Framing {
    /// # Errors
    /// A text that is not of this protocol.
    pub(crate) fn interpret(self, text: &[u8]) -> Result<Meaning<'_>> {
        if self == Self::Plain {
            return Ok(Meaning::Text(text));
        }
        Ok(match text {
            // The server has opened its side, and waits for the client to join.
            [b'0', ..] => Meaning::Answer(CONNECT),
            PING => Meaning::Answer(PONG),
            [b'4', b'0', ..] => Meaning::Text(text),
            _ => match text.strip_prefix(EVENT).and_then(|rest| rest.strip_suffix(b"]")) {
                Some(argument) => Meaning::Text(argument),
                None => bail!("not of Socket.IO: {}", String::from_utf8_lossy(text)),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_taken_out_of_its_packet() {
        let read = |text: &'static str| Framing::SocketIo.interpret(text.as_bytes());
        assert_eq!(read("0{\"sid\":\"a\"}").expect("open"), Meaning::Answer(b"40"));
        assert_eq!(read("40{\"sid\":\"b\"}").expect("joined"), Meaning::Text(b"40{\"sid\":\"b\"}"));
        assert_eq!(read("42[\"m\",{\"s\":\"1\"}]").expect("an event"), Meaning::Text(b"{\"s\":\"1\"}"));
        assert_eq!(read("2").expect("a ping"), Meaning::Answer(b"3"));
        assert!(read("41").is_err() && read("42[\"m\",{}").is_err() && read("").is_err());
    }

    #[test]
    fn what_is_plain_stays_as_it_is() {
        assert_eq!(Framing::Plain.interpret(b"2").expect("a text"), Meaning::Text(b"2"));
    }
}
