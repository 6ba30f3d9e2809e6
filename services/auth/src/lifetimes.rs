//! How long tokens last, in microseconds, and so how long what is said of them has to be remembered.

use carillon_service::time::microseconds;

use crate::args::TokenArgs;

/// Clocks of two replicas differ by less.
const SLACK: i64 = 60 * 1_000_000;

/// How long each kind of token lasts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetimes {
    pub(crate) access: i64,
    pub(crate) refresh: i64,
    foreign: i64,
}

impl Lifetimes {
    pub(crate) fn new(args: &TokenArgs) -> Self {
        Self {
            access: microseconds(args.access_token_lifetime),
            refresh: microseconds(args.refresh_token_lifetime),
            foreign: microseconds(args.foreign_token_lifetime),
        }
    }

    /// When gateways, which see access tokens only, may forget that a user's tokens issued before
    /// a time are void.
    pub(crate) fn user_forget_at(&self, before: i64) -> i64 {
        before.saturating_add(self.access.max(self.foreign)).saturating_add(SLACK)
    }

    /// The same for a login of ours that ends now.
    pub(crate) fn login_forget_at(&self, now: i64) -> i64 {
        now.saturating_add(self.access).saturating_add(SLACK)
    }

    /// When the last token has expired that was signed, or comes of a login made, before a time.
    pub(crate) fn kept_until(&self, before: i64) -> i64 {
        let ours = self.access.saturating_add(self.refresh);
        before.saturating_add(ours.max(self.foreign)).saturating_add(SLACK)
    }
}
