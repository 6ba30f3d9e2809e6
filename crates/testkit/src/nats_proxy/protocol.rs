//! What a NATS server sends: lines, some of which a payload follows.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// A line with its payload, as it came.
pub(super) struct Frame {
    pub(super) bytes: Vec<u8>,
    /// Where it went to, if it is a message.
    pub(super) subject: Option<String>,
}

/// The next frame; `None` at the end.
pub(super) async fn read(server: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Frame>> {
    let mut bytes = Vec::new();
    if server.read_until(b'\n', &mut bytes).await? == 0 {
        return Ok(None);
    }
    let Some((subject, length)) = message(&bytes) else { return Ok(Some(Frame { bytes, subject: None })) };
    let start = bytes.len();
    bytes.resize(start + length + b"\r\n".len(), 0);
    server.read_exact(&mut bytes[start..]).await?;
    Ok(Some(Frame { bytes, subject: Some(subject) }))
}

/// Subject and length of the payload of `MSG <subject> … <bytes>` and `HMSG <subject> … <bytes>`.
fn message(line: &[u8]) -> Option<(String, usize)> {
    let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    let verb = words.next()?;
    if verb != "MSG" && verb != "HMSG" {
        return None;
    }
    Some((words.next()?.to_owned(), words.last()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_from_other_lines() {
        let subject = || "a.b".to_owned();
        assert_eq!(message(b"MSG a.b 1 11\r\n"), Some((subject(), 11)));
        assert_eq!(message(b"MSG a.b 1 _INBOX.x 5\r\n"), Some((subject(), 5)));
        assert_eq!(message(b"HMSG a.b 1 _INBOX.x 12 17\r\n"), Some((subject(), 17)));
        assert_eq!(message(b"INFO {\"max_payload\":8}\r\n"), None);
        assert_eq!(message(b"PING\r\n"), None);
    }
}
