//! Clients that speak HTTP where TLS is spoken: they are told, in their own words.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// What they are told.
const ANSWER: &str = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\
                      content-length: 63\r\n\r\n\
                      TLS is spoken here: the address begins with https:// or wss://\n";

/// Bytes of a request that are read off before the socket is closed, so that the answer isn't lost.
const REQUEST: u64 = 64 * 1024;

/// For how long.
const FAREWELL: Duration = Duration::from_secs(1);

/// Whether a client's first byte is that of an HTTP request: that of a TLS handshake is no letter.
///
/// # Errors
/// A client that has gone.
pub(super) async fn is_spoken(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    match stream.peek(&mut first).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(first[0].is_ascii_uppercase()),
    }
}

/// Says that TLS is spoken here.
///
/// # Errors
/// A client that has gone.
pub(super) async fn refuse(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(ANSWER.as_bytes()).await?;
    stream.shutdown().await?;
    let mut request = stream.take(REQUEST);
    // Whether it goes on after that is all the same.
    let _ = timeout(FAREWELL, tokio::io::copy(&mut request, &mut tokio::io::sink())).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_as_long_as_it_says() {
        let (head, body) = ANSWER.split_once("\r\n\r\n").expect("a head");
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{}", body.len());
    }
}
