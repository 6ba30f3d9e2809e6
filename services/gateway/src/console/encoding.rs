//! Which encoding of a file a browser gets.

use actix_web::http::header::{self, HeaderMap};

use super::file::File;

/// How a file's bytes are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
    Plain,
}

impl Encoding {
    /// The smallest that there is, and that is taken.
    pub(super) fn of(headers: &HeaderMap, file: &File) -> Self {
        if file.brotli.is_some() && takes(headers, "br") {
            Self::Brotli
        } else if file.gzip.is_some() && takes(headers, "gzip") {
            Self::Gzip
        } else {
            Self::Plain
        }
    }

    /// Its name in `Content-Encoding`.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Plain => None,
        }
    }

    /// What tells the tag of these bytes from the tags of the others.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => "-br",
            Self::Gzip => "-gz",
            Self::Plain => "",
        }
    }

    pub(super) fn bytes(self, file: &File) -> &'static [u8] {
        let encoded = match self {
            Self::Brotli => file.brotli,
            Self::Gzip => file.gzip,
            Self::Plain => None,
        };
        encoded.unwrap_or(file.plain)
    }
}

/// Whether `Accept-Encoding` lists it, other than with a weight of nothing.
fn takes(headers: &HeaderMap, name: &str) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|entry| {
        let (coding, weight) = entry.split_once(';').unwrap_or((entry, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        coding.trim().eq_ignore_ascii_case(name) && weight.parse() != Ok(0.0)
    })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const FILE: File = File {
        path: "/",
        content_type: "text/html",
        tag: "a",
        immutable: false,
        plain: b"plain",
        gzip: Some(b"gzip"),
        brotli: Some(b"brotli"),
    };

    #[test]
    fn the_smallest_that_is_taken_is_sent() {
        for (accepted, bytes) in [
            ("gzip, deflate, br", &b"brotli"[..]),
            ("gzip, deflate", b"gzip"),
            ("br;q=0, gzip;q=0.5", b"gzip"),
            ("BR", b"brotli"),
            ("identity", b"plain"),
            ("", b"plain"),
        ] {
            let request =
                TestRequest::default().insert_header((header::ACCEPT_ENCODING, accepted)).to_http_request();
            assert_eq!(Encoding::of(request.headers(), &FILE).bytes(&FILE), bytes, "{accepted}");
        }
        let bare = File { gzip: None, brotli: None, ..FILE };
        let request = TestRequest::default().insert_header((header::ACCEPT_ENCODING, "br")).to_http_request();
        assert_eq!(Encoding::of(request.headers(), &bare), Encoding::Plain);
    }
}
