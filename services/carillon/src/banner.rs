//! What `carillon up` prints once clients are let in: where it is, and lines to paste.

use std::{net::SocketAddr, path::PathBuf};

/// What there is to tell.
pub(crate) struct Banner {
    pub(crate) data: PathBuf,
    pub(crate) demo: bool,
    pub(crate) anonymous: bool,
    /// The address is one of TLS.
    pub(crate) tls: bool,
}

/// Prints it to standard output.
pub(crate) fn print(banner: &Banner, address: SocketAddr) {
    let (http, websocket) = if banner.tls { ("https", "wss") } else { ("http", "ws") };
    println!("listening on {http}://{address}   (data in {}; Ctrl-C stops)", banner.data.display());
    if banner.demo {
        println!(
            "\n\
             users (password: carillon)   1 alice, 2 bob, 3 carol, 4 admin (who is an admin)\n\
             members                      alice and bob are in organisation acme and in project 1 (PROJ)\n\
             \n\
             Receive, as alice:\n  \
             TOKEN=$(curl -s {http}://{address}/api/auth/token/ -H 'content-type: application/json' \
             -d '{{\"username\":\"alice\",\"password\":\"carillon\"}}' | sed 's/.*\"access\":\"\\([^\"]*\\)\".*/\\1/')\n  \
             npx -y wscat -c \"{websocket}://{address}/ws/notifications/?token=$TOKEN\""
        );
    }
    if banner.anonymous {
        println!(
            "\n\
             Send, to everyone:\n  \
             curl {http}://{address}/api/notifications/send/ -H 'content-type: application/json' \
             -d '{{\"title\":\"Hello\",\"message\":\"It works\",\"priority\":\"high\"}}'\n"
        );
    }
}
