//! A connection's socket, from the end of its handshake on: TCP, or TLS over it.

use std::{
    io::{self, IoSlice, Read, Write},
    net::Shutdown,
};

use socket2::SockRef;
use tokio::net::TcpStream;

use crate::tls::Session;

/// Bytes read at a time.
const READ: usize = 8 * 1024;

/// What a read has brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Brought {
    /// So many bytes of what the client says; 0 if they were TLS's own, or part of what can't be read yet.
    Bytes(usize),
    /// The client says no more.
    End,
}

/// A socket whose owner is a session.
pub(crate) struct Socket {
    tcp: TcpStream,
    /// Apart, because most have none where a balancer speaks TLS, and it is large.
    tls: Option<Box<Session>>,
}

impl Socket {
    pub(crate) fn plain(tcp: TcpStream) -> Self {
        Self { tcp, tls: None }
    }

    pub(crate) fn over_tls(tcp: TcpStream, session: Session) -> Self {
        Self { tcp, tls: Some(Box::new(session)) }
    }

    /// What lies below: to be waited for, and to be read off where nobody cares what it says.
    pub(crate) fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    /// Writes what it can of these bytes, and says how many of them have left. Where it has to be tried again, it has
    /// to be with the same bytes, and more behind them at most.
    ///
    /// # Errors
    /// `WouldBlock` if the socket takes no more for now, or that it is broken.
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        match &self.tls {
            None => send(&self.tcp, bytes),
            Some(session) => session.send(&mut Raw(&self.tcp), bytes),
        }
    }

    /// How many bytes of what was last to be sent can't be taken back, though none of them counts as sent.
    pub(crate) fn begun(&self) -> usize {
        self.tls.as_ref().map_or(0, |session| session.begun())
    }

    /// Reads once, and hands on what that has brought.
    ///
    /// # Errors
    /// `WouldBlock` if there is nothing for now, or that it is broken.
    pub(crate) fn read(&self, mut take: impl FnMut(&[u8])) -> io::Result<Brought> {
        if let Some(session) = &self.tls {
            return session.read(&mut Raw(&self.tcp), &mut take);
        }
        let mut buffer = [0; READ];
        let count = self.tcp.try_read(&mut buffer)?;
        take(&buffer[..count]);
        Ok(if count == 0 { Brought::End } else { Brought::Bytes(count) })
    }

    /// Says that nothing more comes.
    pub(crate) fn shut_down(&self) {
        if let Some(session) = &self.tls {
            session.say_goodbye(&mut Raw(&self.tcp));
        }
        // Fails only if the client is gone already.
        let _ = SockRef::from(&self.tcp).shutdown(Shutdown::Write);
    }
}

/// Writes past the runtime, whose own notes of each socket are in yet another place of memory. Where the socket is
/// full, the runtime has to note that, or it would not wait.
fn send(tcp: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    match SockRef::from(tcp).send(bytes) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => tcp.try_write(bytes),
        outcome => outcome,
    }
}

/// The socket as TLS writes to it and reads from it.
struct Raw<'a>(&'a TcpStream);

impl Read for Raw<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl Write for Raw<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        send(self.0, bytes)
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        match SockRef::from(self.0).send_vectored(pieces) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.0.try_write_vectored(pieces),
            outcome => outcome,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
