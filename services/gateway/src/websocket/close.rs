//! Why a connection is closed: the code and reason that the client is told.

use std::borrow::Cow;

/// The longest reason that fits into a close frame (RFC 6455, section 5.5).
const MAX_REASON: usize = 123;

/// A close code with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CloseReason {
    pub(crate) code: u16,
    pub(crate) reason: Cow<'static, str>,
}

impl CloseReason {
    pub(crate) const NORMAL: Self = Self::fixed(1000, "");
    pub(crate) const PROTOCOL_ERROR: Self = Self::fixed(1002, "protocol error");
    pub(crate) const BINARY_ONLY: Self = Self::fixed(1003, "binary frames only");
    pub(crate) const INVALID_UTF8: Self = Self::fixed(1007, "text is not UTF-8");
    pub(crate) const TOO_BIG: Self = Self::fixed(1009, "frame too large");
    pub(crate) const RESTART: Self = Self::fixed(1012, "service restart");
    pub(crate) const UNAVAILABLE: Self = Self::fixed(1013, "try again later");
    pub(crate) const OUT_OF_STEP: Self = Self::fixed(1013, "something was missed: synchronize again");

    pub(crate) const fn fixed(code: u16, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason) }
    }

    /// The client has too much of something.
    pub(crate) const fn over_limit(reason: &'static str) -> Self {
        Self::fixed(4429, reason)
    }

    /// Whether the server ends the connection for reasons of its own (drain, restart, overload): the client
    /// is expected back.
    pub(crate) fn is_no_fault_of_the_client(&self) -> bool {
        matches!(self.code, 1011..=1013)
    }

    /// A code and reason as an owner names them.
    pub(crate) fn of_owner(code: u32, reason: impl Into<Cow<'static, str>>) -> Self {
        let code = u16::try_from(code).ok().filter(|code| can_be_sent(*code));
        Self::new(code.unwrap_or(1011), reason)
    }

    /// A reason of any text, cut at a character's end to what a close frame can hold.
    pub(crate) fn new(code: u16, reason: impl Into<Cow<'static, str>>) -> Self {
        let mut reason = reason.into();
        if reason.len() > MAX_REASON {
            let end = (0..=MAX_REASON).rev().find(|end| reason.is_char_boundary(*end)).unwrap_or(0);
            reason = Cow::Owned(reason[..end].to_owned());
        }
        Self { code, reason }
    }
}

/// Whether a close frame may carry a code (RFC 6455, section 7.4).
pub(super) fn can_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_can_not_make_a_frame_that_breaks_the_protocol() {
        let codes = [4004, 1000, 1005, 1006, 0, 5000, 65_536 + 1000];
        let sent = codes.map(|code| CloseReason::of_owner(code, "x").code);
        assert_eq!(sent, [4004, 1000, 1011, 1011, 1011, 1011, 1011]);
        let long = CloseReason::of_owner(4000, "é".repeat(100)).reason;
        assert_eq!(long, "é".repeat(MAX_REASON / 2));
    }
}
