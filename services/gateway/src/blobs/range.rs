//! Which part of a file a client wants (RFC 9110, section 14).

use std::ops::Range;

use actix_web::http::header::{HeaderMap, IF_RANGE, RANGE};
use carillon_blob::Grant;

/// The part lies outside of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outside;

/// The part that a request asks for, `None` for the whole. Several parts at once, or what can't be read, is
/// the whole: every client must be prepared for that.
pub(super) fn wanted(headers: &HeaderMap, grant: &Grant) -> Result<Option<Range<u64>>, Outside> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let same = text(IF_RANGE).is_none_or(|tag| tag == format!("\"{}\"", grant.key));
    let part = text(RANGE).filter(|_| same).and_then(|range| range.trim().strip_prefix("bytes="));
    match part.and_then(|part| part.split_once('-')) {
        Some((first, last)) => within(first.trim(), last.trim(), grant.size),
        None => Ok(None),
    }
}

fn within(first: &str, last: &str, size: u64) -> Result<Option<Range<u64>>, Outside> {
    let Ok([first, last]) = number(first).and_then(|first| Ok([first, number(last)?])) else {
        return Ok(None);
    };
    match (first, last) {
        (None, None) => Ok(None),
        (None, Some(0)) => Err(Outside),
        (None, Some(_)) if size == 0 => Err(Outside),
        (None, Some(suffix)) => Ok(Some(size.saturating_sub(suffix)..size)),
        (Some(first), Some(last)) if last < first => Ok(None),
        (Some(first), _) if first >= size => Err(Outside),
        (Some(first), last) => Ok(Some(first..last.map_or(size, |last| last.saturating_add(1).min(size)))),
    }
}

/// Digits, or nothing at all.
fn number(text: &str) -> Result<Option<u64>, ()> {
    match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true if text.is_empty() => Ok(None),
        true => text.parse().map(Some).map_err(drop),
        false => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_within_the_file_or_there_is_none() {
        let wanted = |text: &str, size| text.split_once('-').map(|(first, last)| within(first, last, size));
        for (text, expected) in [
            ("0-", Ok(Some(0..10))),
            ("0-0", Ok(Some(0..1))),
            ("3-5", Ok(Some(3..6))),
            ("9-99", Ok(Some(9..10))),
            ("9-18446744073709551615", Ok(Some(9..10))),
            ("-3", Ok(Some(7..10))),
            ("-30", Ok(Some(0..10))),
            ("10-", Err(Outside)),
            ("10-12", Err(Outside)),
            ("-0", Err(Outside)),
            ("-", Ok(None)),
            ("5-3", Ok(None)),
            ("a-3", Ok(None)),
            ("0-1,3-4", Ok(None)),
            ("0-18446744073709551616", Ok(None)),
            ("--3", Ok(None)),
        ] {
            assert_eq!(wanted(text, 10), Some(expected), "{text}");
        }
        assert_eq!(wanted("-1", 0), Some(Err(Outside)));
        assert_eq!(wanted("0-", 0), Some(Err(Outside)));
    }
}
