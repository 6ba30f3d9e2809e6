//! A back end that sends notifications to everyone over HTTP.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// One connection that is kept open.
#[derive(Debug)]
pub(super) struct Poster {
    host: SocketAddr,
    stream: BufReader<TcpStream>,
}

impl Poster {
    pub(super) fn connect(host: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(host).context("cannot connect a back end")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { host, stream: BufReader::new(stream) })
    }

    /// Sends a notification with this text, and does not wait for the answer.
    pub(super) fn send(&mut self, message: &str) -> Result<()> {
        let body = format!("{{\"title\":\"bench\",\"message\":\"{message}\"}}");
        let request = format!(
            "POST /api/notifications/send/ HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).context("cannot send a notification")
    }

    /// Waits for the answer to the notification that was sent last.
    ///
    /// # Errors
    /// Any other than success.
    pub(super) fn answered(&mut self) -> Result<()> {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let start = head.len();
            let read = self.stream.read_line(&mut head).context("a notification is not answered")?;
            ensure!(read > 0, "the gateway ended the connection: {head}");
            let line = head[start..].trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        let is_good = head.starts_with("HTTP/1.1 200 ") || head.starts_with("HTTP/1.1 201 ");
        ensure!(is_good, "a notification was refused: {head}{}", String::from_utf8_lossy(&body));
        Ok(())
    }
}
