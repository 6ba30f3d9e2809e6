//! Where a deployment is.

use std::{fmt, net::IpAddr, str::FromStr};

use url::Url;

/// The address of a gateway, or of what balances several: `http://127.0.0.1:8000`, `https://example.com/live`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// With http or https, and without a slash at its end.
    base: String,
    host: String,
    port: u16,
    secure: bool,
}

impl Address {
    /// The URL of an HTTP path.
    pub(crate) fn http(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The URL of a WebSocket path.
    pub(crate) fn socket(&self, path: &str) -> String {
        // http → ws, https → wss.
        format!("ws{}{path}", self.base.trim_start_matches("http"))
    }

    /// The host, without the brackets of an IPv6 address.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is reached with TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether it is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url: Url =
            text.parse().map_err(|error| format!("{error}; it is to look like http://127.0.0.1:8000"))?;
        let secure = match url.scheme() {
            "http" | "ws" => false,
            "https" | "wss" => true,
            scheme => return Err(format!("{scheme}: is none of http, https, ws and wss")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it has a login; a token is said by --token".to_owned());
        }
        let host = url.host_str().unwrap_or_default();
        let port = url.port().unwrap_or(if secure { 443 } else { 80 });
        let scheme = if secure { "https" } else { "http" };
        let shown = url.port().map_or_else(String::new, |port| format!(":{port}"));
        let base = format!("{scheme}://{host}{shown}{}", url.path().trim_end_matches('/'));
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { base, host, port, secure })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_any_of_four_schemes_is_both() {
        for (text, http, socket) in [
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000/x", "ws://127.0.0.1:8000/x"),
            ("wss://example.com/", "https://example.com/x", "wss://example.com/x"),
            ("https://[::1]:8443/live/", "https://[::1]:8443/live/x", "wss://[::1]:8443/live/x"),
        ] {
            let address: Address = text.parse().expect("an address");
            assert_eq!((address.http("/x"), address.socket("/x")), (http.to_owned(), socket.to_owned()));
        }
        for text in ["localhost:8000", "ftp://localhost", "http://user:password@localhost", "", "/path"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn this_machine_is_known() {
        for (text, loopback) in
            [("http://[::1]:1", true), ("ws://localhost", true), ("http://10.0.0.1", false)]
        {
            assert_eq!(text.parse::<Address>().expect("an address").is_loopback(), loopback, "{text}");
        }
    }
}
