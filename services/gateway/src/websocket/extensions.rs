//! Which extension a client and the gateway speak: of the client's offers (RFC 6455, section 9.1), the first
//! that is one of permessage-deflate and can be kept (RFC 7692, section 7.1).

/// What is agreed on in any case: no message is compressed with the help of those before it. So frames can be
/// shared, and nothing is kept for a connection between two messages.
const AGREED: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// How far back the gateway's compressed messages may refer: to so many bytes, as a power of two, of which the
/// library has 9 to 15.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window(u8);

impl Window {
    /// As far as the format allows: 32 KiB.
    pub(crate) const FULL: Self = Self(15);

    /// How many sizes there are.
    pub(super) const COUNT: usize = 7;

    fn of(bits: u8) -> Option<Self> {
        (9..=15).contains(&bits).then_some(Self(bits))
    }

    /// Its size as a power of two.
    pub(super) fn bits(self) -> u8 {
        self.0
    }

    /// Its place among all of them.
    pub(super) fn index(self) -> usize {
        usize::from(self.0 - 9)
    }

    /// What the handshake's response says of it.
    pub(crate) fn header(self) -> String {
        match self {
            Self::FULL => AGREED.to_owned(),
            Self(bits) => format!("{AGREED}; server_max_window_bits={bits}"),
        }
    }
}

/// A header that is not one of extensions. The handshake has to fail then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Sec-WebSocket-Extensions can't be read")]
pub(crate) struct Malformed;

/// The first offer that can be kept. `None`: there is none, and no extension is spoken. The header can be
/// there more than once, which is the same as once with all of it.
///
/// # Errors
/// A header that is not one of extensions.
pub(crate) fn negotiate<'a>(values: impl Iterator<Item = &'a [u8]>) -> Result<Option<Window>, Malformed> {
    let mut agreed = None;
    for value in values {
        for offer in offers(value)? {
            agreed = agreed.or_else(|| accepted(&offer));
        }
    }
    Ok(agreed)
}

/// An extension's name and its parameters.
struct Offer<'a> {
    name: &'a str,
    parameters: Vec<(&'a str, Option<String>)>,
}

/// What comes of an offer. One with a parameter that is unknown, is there twice, or has a value that it can't
/// have, is declined.
fn accepted(offer: &Offer<'_>) -> Option<Window> {
    if !offer.name.eq_ignore_ascii_case("permessage-deflate") {
        return None;
    }
    let mut window = Window::FULL;
    for (index, (name, value)) in offer.parameters.iter().enumerate() {
        let before = &offer.parameters[..index];
        if before.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
            return None;
        }
        match (name.to_ascii_lowercase().as_str(), value) {
            ("server_no_context_takeover" | "client_no_context_takeover", None) => {}
            // A hint about what the client is going to do, which takes nothing from us.
            ("client_max_window_bits", None) => {}
            ("client_max_window_bits", Some(value)) => drop(bits(value)?),
            ("server_max_window_bits", Some(value)) => window = Window::of(bits(value)?)?,
            _ => return None,
        }
    }
    Some(window)
}

/// 8 to 15, without zeros before it.
fn bits(value: &str) -> Option<u8> {
    let bits: u8 = value.parse().ok().filter(|bits| (8..=15).contains(bits))?;
    (value == bits.to_string()).then_some(bits)
}

fn offers(value: &[u8]) -> Result<Vec<Offer<'_>>, Malformed> {
    let mut text = Reader(value);
    let mut offers = Vec::new();
    loop {
        // A list may have empty elements (RFC 7230, section 7), but not nothing else.
        if !text.takes(b',') {
            if text.is_at_end() {
                return if offers.is_empty() { Err(Malformed) } else { Ok(offers) };
            }
            offers.push(offer(&mut text)?);
            if !text.is_at_end() && !text.takes(b',') {
                return Err(Malformed);
            }
        }
    }
}

fn offer<'a>(text: &mut Reader<'a>) -> Result<Offer<'a>, Malformed> {
    let mut offer = Offer { name: text.token()?, parameters: Vec::new() };
    while text.takes(b';') {
        let name = text.token()?;
        let value = if text.takes(b'=') { Some(text.value()?) } else { None };
        offer.parameters.push((name, value));
    }
    Ok(offer)
}

/// What is left of a header's value.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Takes this byte, and the spaces before it, if it comes next.
    fn takes(&mut self, byte: u8) -> bool {
        self.skip_spaces();
        let rest = self.0.strip_prefix(&[byte]);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn is_at_end(&mut self) -> bool {
        self.skip_spaces();
        self.0.is_empty()
    }

    fn skip_spaces(&mut self) {
        while let [b' ' | b'\t', rest @ ..] = self.0 {
            self.0 = rest;
        }
    }

    fn token(&mut self) -> Result<&'a str, Malformed> {
        self.skip_spaces();
        let length = self.0.iter().take_while(|byte| is_of_token(**byte)).count();
        let (token, rest) = self.0.split_at(length);
        self.0 = rest;
        std::str::from_utf8(token).ok().filter(|token| !token.is_empty()).ok_or(Malformed)
    }

    /// A token, or one in quotes, in which any character may have a backslash before it.
    fn value(&mut self) -> Result<String, Malformed> {
        if !self.takes(b'"') {
            return self.token().map(str::to_owned);
        }
        let mut value = String::new();
        loop {
            let (byte, rest) = match self.0 {
                [b'"', rest @ ..] => {
                    self.0 = rest;
                    return if value.is_empty() { Err(Malformed) } else { Ok(value) };
                }
                [b'\\', byte, rest @ ..] | [byte, rest @ ..] => (*byte, rest),
                [] => return Err(Malformed),
            };
            if !is_of_token(byte) {
                return Err(Malformed);
            }
            value.push(char::from(byte));
            self.0 = rest;
        }
    }
}

/// Whether a token may have this byte (RFC 7230, section 3.2.6).
fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn agreed(value: &str) -> Result<Option<Window>, Malformed> {
        negotiate([value.as_bytes()].into_iter())
    }

    #[test]
    fn offers_that_can_be_kept_are_accepted() {
        for (offer, window) in [
            ("permessage-deflate", Window::FULL),
            ("Permessage-Deflate;CLIENT_MAX_WINDOW_BITS", Window::FULL),
            ("permessage-deflate; client_max_window_bits=8; server_no_context_takeover", Window::FULL),
            ("permessage-deflate ; client_no_context_takeover ;\tclient_max_window_bits = 15", Window::FULL),
            ("permessage-deflate; server_max_window_bits=15", Window::FULL),
            ("permessage-deflate; server_max_window_bits=14", Window(14)),
            ("permessage-deflate; server_max_window_bits=9", Window(9)),
            ("permessage-deflate; server_max_window_bits=\"10\"", Window(10)),
            ("permessage-deflate; server_max_window_bits=\"\\1\\0\"", Window(10)),
            (", ,x-webkit-deflate-frame, ,permessage-deflate,", Window::FULL),
        ] {
            assert_eq!(agreed(offer), Ok(Some(window)), "{offer}");
        }
    }

    #[test]
    fn offers_that_can_not_be_kept_are_declined() {
        for offer in [
            "x-webkit-deflate-frame; no_context_takeover",
            "permessage-bzip2",
            "permessage-deflate; unknown",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; server_max_window_bits=10; Server_Max_Window_Bits=10",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; client_no_context_takeover=true",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=8",
            "permessage-deflate; server_max_window_bits=7",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=010",
            "permessage-deflate; server_max_window_bits=+9",
            "permessage-deflate; client_max_window_bits=16",
            "permessage-deflate; client_max_window_bits=x",
        ] {
            assert_eq!(agreed(offer), Ok(None), "{offer}");
        }
    }

    #[test]
    fn the_first_offer_that_can_be_kept_counts() {
        let several = "permessage-deflate; server_max_window_bits=8, permessage-deflate; server_max_window_bits=12, permessage-deflate";
        assert_eq!(agreed(several), Ok(Some(Window(12))));
        let lines: [&[u8]; 2] = [b"permessage-deflate; unknown", b"permessage-deflate"];
        assert_eq!(negotiate(lines.into_iter()), Ok(Some(Window::FULL)));
        assert_eq!(negotiate([].into_iter()), Ok(None));
    }

    #[test]
    fn what_is_no_list_of_extensions_is_refused() {
        for value in [
            "",
            " ",
            ",",
            ";",
            "permessage-deflate;",
            "permessage-deflate;;",
            "a b",
            "a; b c",
            "a=b",
            "a; b=",
            "a; =b",
            "a; b=\"",
            "a; b=\"\"",
            "a; b=\"c d\"",
            "a; b=\"c",
            "a; b=\"c\\",
            "a; b=\"c\"d",
            "é",
            "a, b/c",
            "permessage-deflate; server_max_window_bits=99;;",
        ] {
            assert_eq!(agreed(value), Err(Malformed), "{value}");
        }
        // Also behind one that could be kept.
        assert_eq!(agreed("permessage-deflate, @"), Err(Malformed));
    }

    proptest! {
        #[test]
        fn any_header_comes_to_something(value in "[\\x00-\\xFFa-e;,=\"\\\\ ]{0,60}") {
            let _ = agreed(&value);
        }

        /// However it is written, an offer means the same.
        #[test]
        fn an_offer_means_the_same_however_it_is_written(
            bits in 8_u8..=15,
            is_quoted in any::<bool>(),
            space in "[ \t]{0,3}",
            before in prop::sample::select(vec!["", ",", "x-other; a=b; c,", "permessage-deflate; unknown, "]),
        ) {
            let value = if is_quoted { format!("\"{bits}\"") } else { bits.to_string() };
            let offer = format!("{before}{space}permessage-deflate{space};{space}server_max_window_bits{space}={space}{value}{space}");
            let expected = (bits > 8).then_some(Window(bits));
            prop_assert_eq!(agreed(&offer), Ok(expected));
        }
    }
}
