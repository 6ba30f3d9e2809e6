//! What a file is called where it is saved (RFC 6266).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What RFC 8187 has encoded: all but its `attr-char`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// The header's value for a file of this name, in whatever script. Nothing in a name ends the header, or
/// leaves the directory that the file is saved in.
pub(super) fn attachment(name: &str) -> String {
    let safe = |character: char| match character {
        '/' | '\\' => '_',
        character if character.is_control() => '_',
        character => character,
    };
    let name: String = name.chars().map(safe).collect();
    let plain = |character: char| match character {
        ' ' | '-' | '.' | '_' | '(' | ')' => character,
        character if character.is_ascii_alphanumeric() => character,
        _ => '_',
    };
    let fallback: String = name.chars().map(plain).collect();
    format!("attachment; filename=\"{fallback}\"; filename*=UTF-8''{}", utf8_percent_encode(&name, ENCODED))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_of_any_script_is_kept() {
        assert_eq!(
            attachment("Übersicht (1).pdf"),
            "attachment; filename=\"_bersicht (1).pdf\"; filename*=UTF-8''%C3%9Cbersicht%20%281%29.pdf"
        );
        assert_eq!(
            attachment("a\"; x=\r\nSet-Cookie: b/../c"),
            "attachment; filename=\"a__ x___Set-Cookie_ b_.._c\"; \
             filename*=UTF-8''a%22%3B%20x%3D__Set-Cookie%3A%20b_.._c"
        );
    }

    proptest! {
        #[test]
        fn no_name_leaves_the_header(name in any::<String>()) {
            let value = attachment(&name);
            prop_assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            prop_assert_eq!(value.matches('"').count(), 2);
            prop_assert_eq!(value.matches(';').count(), 2);
        }
    }
}
