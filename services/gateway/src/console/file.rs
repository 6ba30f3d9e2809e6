//! A file of the console, as it was embedded.

use actix_web::http::header::{self, HeaderMap};

/// A file, with what it is when it is compressed.
#[derive(Debug)]
pub(super) struct File {
    /// Where it is served.
    pub(super) path: &'static str,
    pub(super) content_type: &'static str,
    /// Tells its content from any other.
    pub(super) tag: &'static str,
    /// Its name changes with its content.
    pub(super) immutable: bool,
    pub(super) plain: &'static [u8],
    pub(super) gzip: Option<&'static [u8]>,
    pub(super) brotli: Option<&'static [u8]>,
}

/// Whether `If-None-Match` names this tag. A proxy that compresses makes tags weak; they compare all the same.
pub(super) fn is_named(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH).filter_map(|list| list.to_str().ok());
    let mut named = lists.flat_map(|list| list.split(',')).map(str::trim);
    named.any(|named| named == "*" || named.strip_prefix("W/").unwrap_or(named) == tag)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_tag_is_found_in_a_list() {
        for (list, known) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ] {
            let request =
                TestRequest::default().insert_header((header::IF_NONE_MATCH, list)).to_http_request();
            assert_eq!(is_named(request.headers(), "\"a\""), known, "{list}");
        }
    }
}
