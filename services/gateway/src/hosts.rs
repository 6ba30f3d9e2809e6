//! Which hosts and origins may connect: the semantics of Django's `ALLOWED_HOSTS` (S0-11).

use std::str::FromStr;

use url::Url;

/// Patterns of host names: exact, `.example.com` for a domain and all below it, or `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AllowedHosts(Vec<String>);

impl FromStr for AllowedHosts {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let patterns = text.split(',').map(|pattern| pattern.trim().to_ascii_lowercase());
        Ok(Self(patterns.filter(|pattern| !pattern.is_empty()).collect()))
    }
}

impl AllowedHosts {
    /// Whether a `Host` header's value (a name or address, perhaps with a port) is allowed.
    pub(crate) fn allows_host(&self, host: &str) -> bool {
        // A URL's parser knows what a host is: brackets, ports, case, punycode.
        Url::parse(&format!("http://{host}/"))
            .is_ok_and(|url| url.path() == "/" && url.username().is_empty() && self.allows(&url))
    }

    /// Whether an `Origin` header's value is allowed. `null` is so only where everything is.
    pub(crate) fn allows_origin(&self, origin: &str) -> bool {
        match Url::parse(origin) {
            Ok(url) => self.allows(&url),
            Err(_) => self.0.iter().any(|pattern| pattern == "*"),
        }
    }

    fn allows(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let host = host.strip_suffix('.').unwrap_or(host);
        self.0.iter().any(|pattern| matches(pattern, host))
    }
}

fn matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('.') {
        _ if pattern == "*" => true,
        Some(domain) => host == domain || host.ends_with(pattern),
        None => host == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_match_as_in_django() {
        let hosts: AllowedHosts = "localhost, .Example.com,[::1]".parse().expect("patterns");
        for host in [
            "localhost",
            "LOCALHOST:8000",
            "example.com",
            "a.b.example.com:443",
            "[::1]:8000",
            "example.com.",
        ] {
            assert!(hosts.allows_host(host), "{host}");
        }
        for host in ["", "example.org", "badexample.com", "localhost@evil.com", "localhost/x", "127.0.0.1"] {
            assert!(!hosts.allows_host(host), "{host}");
        }
        assert!(hosts.allows_origin("https://app.example.com"));
        for origin in ["null", "https://example.com.evil.org", "file://", ""] {
            assert!(!hosts.allows_origin(origin), "{origin}");
        }
        let any: AllowedHosts = "*".parse().expect("patterns");
        assert!(any.allows_host("anything") && any.allows_origin("null"));
    }
}
