//! The handshake of TLS: bounded in time and in number, counted, and a few at a time, for it is work.

use std::{io, time::Duration};

use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{LazyConfigAcceptor, rustls::server::Acceptor};

use super::{Server, Stream, plain_http};
use crate::shard::Shard;

/// What became of a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Completed,
    /// The client speaks HTTP without TLS.
    PlainHttp,
    /// It is no TLS, or none that the gateway understands; or the client doesn't like the certificate.
    Failed,
    /// The client has gone.
    Closed,
    /// It took too long.
    Timeout,
    /// Too many others were under way.
    Overloaded,
}

impl Outcome {
    pub(super) const ALL: [Self; 6] =
        [Self::Completed, Self::PlainHttp, Self::Failed, Self::Closed, Self::Timeout, Self::Overloaded];

    /// As metrics call it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::PlainHttp => "plain_http",
            Self::Failed => "failed",
            Self::Closed => "closed",
            Self::Timeout => "timeout",
            Self::Overloaded => "overloaded",
        }
    }
}

impl Server {
    /// Shakes hands, in so much time at most.
    ///
    /// # Errors
    /// What kept it from that.
    pub(crate) async fn accept(
        &self,
        stream: TcpStream,
        shard: &Shard,
        patience: Duration,
    ) -> io::Result<Stream> {
        let Ok(_place) = self.unfinished.try_acquire() else {
            self.metrics.shaken(Outcome::Overloaded);
            return Err(io::ErrorKind::ConnectionRefused.into());
        };
        self.metrics.open.inc();
        // Apart, because nobody needs it for long.
        let shaken = timeout(patience, Box::pin(self.shake_hands(stream, shard))).await;
        self.metrics.open.dec();
        let shaken = shaken.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        self.metrics.shaken(shaken.as_ref().map_or_else(of_error, |_| Outcome::Completed));
        shaken.inspect_err(|error| tracing::debug!(%error, "a TLS handshake has failed"))
    }

    async fn shake_hands(&self, mut stream: TcpStream, shard: &Shard) -> io::Result<Stream> {
        if plain_http::is_spoken(&stream).await? {
            plain_http::refuse(&mut stream).await?;
            return Err(io::ErrorKind::Unsupported.into());
        }
        let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        // The work is in its first step: an agreement on keys, and a signature.
        shard.in_turn(async { hello.into_stream(self.config()).await }).await
    }
}

fn of_error(error: &io::Error) -> Outcome {
    match error.kind() {
        io::ErrorKind::TimedOut => Outcome::Timeout,
        io::ErrorKind::Unsupported => Outcome::PlainHttp,
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => Outcome::Closed,
        _ => Outcome::Failed,
    }
}
