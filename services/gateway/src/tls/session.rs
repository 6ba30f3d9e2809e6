//! TLS between a session's frames and its socket.

use std::{
    cell::RefCell,
    io::{self, BufRead, Read, Write},
    mem,
};

use tokio_rustls::rustls::ServerConnection;

use crate::socket::Brought;

/// How much is encrypted at a time: one record. That much of a copy, and no more, waits for a socket that is full.
const RECORD: usize = 16 * 1024;

/// The state of TLS on one connection whose handshake is done.
pub(crate) struct Session(RefCell<State>);

struct State {
    connection: ServerConnection,
    /// How much of what is to be sent is encrypted, and has not left yet.
    begun: usize,
}

impl Session {
    /// Takes a connection over, with what its client has said already.
    pub(crate) fn new(mut connection: ServerConnection, mut take: impl FnMut(&[u8])) -> Self {
        // If it has ended, the next read will tell.
        let _ = heard(&mut connection, &mut take);
        Self(RefCell::new(State { connection, begun: 0 }))
    }

    /// As [`Socket::send`]: bytes count as sent once the socket has taken all of the record that they are in.
    ///
    /// [`Socket::send`]: crate::socket::Socket::send
    pub(crate) fn send(&self, socket: &mut impl Write, bytes: &[u8]) -> io::Result<usize> {
        let State { connection, begun } = &mut *self.0.borrow_mut();
        if *begun == 0 {
            let most = bytes.len().min(RECORD);
            *begun = connection.writer().write(&bytes[..most])?;
        }
        while connection.wants_write() {
            if connection.write_tls(socket)? == 0 {
                return Ok(0);
            }
        }
        Ok(mem::take(begun))
    }

    /// See [`Socket::begun`].
    ///
    /// [`Socket::begun`]: crate::socket::Socket::begun
    pub(crate) fn begun(&self) -> usize {
        self.0.borrow().begun
    }

    /// As [`Socket::read`]: whatever a read completes is handed on at once, so that nothing waits here.
    ///
    /// [`Socket::read`]: crate::socket::Socket::read
    pub(crate) fn read(
        &self,
        socket: &mut (impl Read + Write),
        take: &mut impl FnMut(&[u8]),
    ) -> io::Result<Brought> {
        let State { connection, .. } = &mut *self.0.borrow_mut();
        if connection.read_tls(socket)? == 0 {
            return Ok(Brought::End);
        }
        if let Err(error) = connection.process_new_packets() {
            // It is told why, if it still listens.
            let _ = connection.write_tls(socket);
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        heard(connection, take)
    }

    /// Says that nothing more comes, as far as the socket takes it.
    pub(crate) fn say_goodbye(&self, socket: &mut impl Write) {
        let State { connection, .. } = &mut *self.0.borrow_mut();
        connection.send_close_notify();
        while connection.wants_write() && connection.write_tls(socket).is_ok_and(|written| written > 0) {}
    }
}

/// Hands on what is decrypted.
fn heard(connection: &mut ServerConnection, take: &mut impl FnMut(&[u8])) -> io::Result<Brought> {
    let (mut reader, mut total) = (connection.reader(), 0);
    loop {
        match reader.fill_buf() {
            // It has said that nothing more comes.
            Ok([]) if total == 0 => return Ok(Brought::End),
            Ok([]) => return Ok(Brought::Bytes(total)),
            Ok(bytes) => {
                take(bytes);
                let count = bytes.len();
                total += count;
                reader.consume(count);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Brought::Bytes(total)),
            Err(error) => return Err(error),
        }
    }
}
