//! Whether a file is what it is said to be, by how it begins.

use infer::MatcherType;

/// How much of a file is looked at.
pub(super) const BEGINNING: u64 = 8 * 1024;

/// One thing by several names: of the first, content is recognised.
const SAME: [&[&str]; 5] = [
    &["audio/x-wav", "audio/wav", "audio/wave"],
    &["audio/x-flac", "audio/flac"],
    &["image/vnd.microsoft.icon", "image/x-icon"],
    &["video/webm", "audio/webm"],
    // Which of them it is shows only further in.
    &["video/mp4", "audio/mp4", "audio/m4a", "audio/x-m4a", "video/x-m4v"],
];

/// Whether a file of this type may begin like this.
pub(super) fn matches(content_type: &str, beginning: &[u8]) -> bool {
    let found = infer::get(beginning);
    if is_text(content_type) {
        return found.is_none_or(|found| found.matcher_type() == MatcherType::Text) && is_readable(beginning);
    }
    found.is_some_and(|found| canonical(found.mime_type()) == canonical(content_type))
}

/// A type in the form that it is compared in, without parameters such as a charset.
pub(super) fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Reads a type that an operator allows.
///
/// # Errors
/// One that no content could be told by.
pub(super) fn checkable(text: &str) -> Result<String, String> {
    let content_type = essence(text);
    if is_text(&content_type) || infer::is_mime_supported(canonical(&content_type)) {
        return Ok(content_type);
    }
    Err("content can't be checked to be of this type".to_owned())
}

fn is_text(content_type: &str) -> bool {
    content_type.starts_with("text/") || content_type == "application/json"
}

fn canonical(content_type: &str) -> &str {
    let same = SAME.iter().find(|names| names.contains(&content_type));
    same.and_then(|names| names.first()).copied().unwrap_or(content_type)
}

/// Text is UTF-8 without NUL. The last character may be cut off.
fn is_readable(beginning: &[u8]) -> bool {
    let is_utf8 = match std::str::from_utf8(beginning) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && beginning.len() as u64 == BEGINNING,
    };
    is_utf8 && !beginning.contains(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    const MP4: &[u8] = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41";
    const PDF: &[u8] = b"%PDF-1.7\n%abc";

    #[test]
    fn content_is_told_by_its_beginning() {
        for (content_type, content) in [
            ("image/png", PNG),
            ("video/mp4", MP4),
            ("audio/mp4", MP4),
            ("application/pdf", PDF),
            ("text/plain", "Grüße, 世界".as_bytes()),
            ("text/plain", b"<html>a page is text as well</html>"),
            ("text/csv", b"a,b\n1,2\n"),
            ("audio/wav", b"RIFF\x24\0\0\0WAVEfmt "),
            ("audio/mpeg", b"ID3\x04\0\0\0\0\0\0"),
            ("application/zip", b"PK\x03\x04\x14\0\0\0\0\0"),
            ("image/jpeg", b"\xff\xd8\xff\xe0\0\x10JFIF"),
            ("image/gif", b"GIF89a\x01\0\x01\0"),
        ] {
            assert!(matches(content_type, content), "{content_type}");
        }
        for (content_type, content) in [
            ("image/png", &b"\xff\xd8\xff\xe0\0\x10JFIF"[..]),
            ("image/png", b"<html><script>alert(1)</script></html>"),
            ("image/png", b""),
            ("text/plain", PNG),
            ("text/plain", PDF),
            ("text/plain", b"a\0b"),
            ("text/plain", b"cut off: \xc3"),
            ("text/plain", b"latin1: \xe9 "),
            ("application/zip", b"MZ\x90\0\x03"),
        ] {
            assert!(!matches(content_type, content), "{content_type}");
        }
    }

    #[test]
    fn a_character_that_is_cut_by_the_limit_is_none_of_the_file_s_faults() {
        let limit = usize::try_from(BEGINNING).expect("a size");
        let text = [vec![b'a'; limit - 1], "é".into()].concat();
        assert!(matches("text/plain", &text[..limit]));
    }

    #[test]
    fn only_types_that_can_be_told_are_allowed() {
        assert_eq!(checkable(" Image/PNG "), Ok("image/png".to_owned()));
        assert_eq!(checkable("audio/wav"), Ok("audio/wav".to_owned()));
        for wrong in ["image/svg+xml", "application/x-unheard-of", "nonsense", ""] {
            assert!(checkable(wrong).is_err(), "{wrong}");
        }
    }
}
