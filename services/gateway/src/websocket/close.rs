//! Why a connection is closed: the code and reason that the client is told.

use std::borrow::Cow;

/// The longest reason that fits into a close frame (RFC 6455, section 5.5).
const MAX_REASON: usize = 123;

/// What kind of reason it is: of texts there is no end, and metrics need one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The client closes.
    Client,
    /// It breaks the protocol, or sends what is too large.
    Protocol,
    /// It has no token that is valid.
    Token,
    /// Its token has expired.
    Expired,
    /// Its token was revoked.
    Revoked,
    /// It may not be here, or no longer.
    Access,
    /// It has too much of something.
    Limit,
    /// Its user or its address is blocked.
    Blocked,
    /// It doesn't keep up.
    Slow,
    /// The endpoint's owner closes.
    Owner,
    /// The gateway goes, or has everyone checked anew.
    Restart,
    /// Something that is needed is away.
    Unavailable,
    /// A fault of ours.
    Internal,
    /// An admin wants it closed.
    Admin,
}

impl Cause {
    /// The label in metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Protocol => "protocol",
            Self::Token => "token",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Access => "access",
            Self::Limit => "limit",
            Self::Blocked => "blocked",
            Self::Slow => "slow",
            Self::Owner => "owner",
            Self::Restart => "restart",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
            Self::Admin => "admin",
        }
    }
}

/// A close code with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CloseReason {
    pub(crate) code: u16,
    pub(crate) reason: Cow<'static, str>,
    pub(crate) cause: Cause,
}

impl CloseReason {
    pub(crate) const NORMAL: Self = Self::fixed(Cause::Client, 1000, "");
    pub(crate) const PROTOCOL_ERROR: Self = Self::fixed(Cause::Protocol, 1002, "protocol error");
    pub(crate) const BINARY_ONLY: Self = Self::fixed(Cause::Protocol, 1003, "binary frames only");
    pub(crate) const INVALID_UTF8: Self = Self::fixed(Cause::Protocol, 1007, "text is not UTF-8");
    pub(crate) const INVALID_COMPRESSION: Self =
        Self::fixed(Cause::Protocol, 1007, "what is compressed can't be read");
    pub(crate) const TOO_BIG: Self = Self::fixed(Cause::Protocol, 1009, "frame too large");
    pub(crate) const RESTART: Self = Self::fixed(Cause::Restart, 1012, "service restart");
    pub(crate) const FEWER_ROLES: Self =
        Self::fixed(Cause::Access, 1012, "the token has fewer roles: reconnect");
    pub(crate) const UNAVAILABLE: Self = Self::fixed(Cause::Unavailable, 1013, "try again later");
    pub(crate) const OUT_OF_STEP: Self =
        Self::fixed(Cause::Slow, 1013, "something was missed: synchronize again");

    pub(crate) const DISCONNECTED: Self = Self::fixed(Cause::Admin, 4102, "disconnected by an administrator");

    pub(crate) const fn fixed(cause: Cause, code: u16, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason), cause }
    }

    /// The client has too much of something.
    pub(crate) const fn over_limit(reason: &'static str) -> Self {
        Self::fixed(Cause::Limit, 4429, reason)
    }

    /// Whether the server ends the connection for reasons of its own (drain, restart, overload): the client
    /// is expected back.
    pub(crate) fn is_no_fault_of_the_client(&self) -> bool {
        matches!(self.code, 1011..=1013)
    }

    /// A code and reason as an owner names them.
    pub(crate) fn of_owner(code: u32, reason: impl Into<Cow<'static, str>>) -> Self {
        let code = u16::try_from(code).ok().filter(|code| can_be_sent(*code));
        Self::new(Cause::Owner, code.unwrap_or(1011), reason)
    }

    /// A reason of any text, cut at a character's end to what a close frame can hold.
    pub(crate) fn new(cause: Cause, code: u16, reason: impl Into<Cow<'static, str>>) -> Self {
        let mut reason = reason.into();
        if reason.len() > MAX_REASON {
            let end = (0..=MAX_REASON).rev().find(|end| reason.is_char_boundary(*end)).unwrap_or(0);
            reason = Cow::Owned(reason[..end].to_owned());
        }
        Self { code, reason, cause }
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
