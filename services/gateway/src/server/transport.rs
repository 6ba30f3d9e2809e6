//! What HTTP is spoken over: TCP, or TLS over it.

use actix_codec::{AsyncRead, AsyncWrite};
use actix_rt::net::TcpStream;
use bytes::BytesMut;

use crate::{
    socket::Socket,
    tls::{Session, Stream},
};

/// A connection on which a handshake can be answered.
pub(super) trait Transport: AsyncRead + AsyncWrite + Unpin + 'static {
    /// Lets a session have it, and adds to what the client has said already whatever else was read.
    fn into_socket(self, early: &mut BytesMut) -> Socket;
}

impl Transport for TcpStream {
    fn into_socket(self, _: &mut BytesMut) -> Socket {
        Socket::plain(self)
    }
}

impl Transport for Stream {
    fn into_socket(self, early: &mut BytesMut) -> Socket {
        let (tcp, connection) = self.into_inner();
        Socket::over_tls(tcp, Session::new(connection, |bytes| early.extend_from_slice(bytes)))
    }
}
