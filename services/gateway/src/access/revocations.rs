//! The revocations that are in force, until no token that they concern can be valid.

use std::collections::HashMap;

use carillon_contract::messages::{AccessReply, Identity, TokenRevoked, UserRevoked};

/// Revoked users and tokens. Bounded by what auth has revoked within a token's lifetime.
#[derive(Debug, Default)]
pub(super) struct Revocations {
    users: HashMap<String, UserRevoked>,
    tokens: HashMap<String, TokenRevoked>,
}

impl Revocations {
    pub(super) fn revoke_user(&mut self, revoked: UserRevoked) {
        let known = self.users.entry(revoked.user.clone()).or_default();
        if revoked.before > known.before {
            *known = revoked;
        }
    }

    pub(super) fn revoke_token(&mut self, revoked: TokenRevoked) {
        self.tokens.insert(revoked.token.clone(), revoked);
    }

    /// Takes in a page of what auth knows.
    pub(super) fn extend(&mut self, reply: AccessReply) {
        reply.users.into_iter().for_each(|revoked| self.revoke_user(revoked));
        reply.tokens.into_iter().for_each(|revoked| self.revoke_token(revoked));
    }

    /// Drops what can't concern a valid token any more. `now` in microseconds since 1970.
    pub(super) fn forget(&mut self, now: i64) {
        self.users.retain(|_, revoked| revoked.forget_at > now);
        self.tokens.retain(|_, revoked| revoked.forget_at > now);
    }

    /// Tokens of some issuers have no id, and so can't be revoked by it.
    fn is_void(&self, id: &str) -> bool {
        !id.is_empty() && self.tokens.contains_key(id)
    }

    pub(super) fn covers(&self, identity: &Identity) -> bool {
        let user = self.users.get(&identity.user);
        user.is_some_and(|revoked| identity.issued_at < revoked.before)
            || self.is_void(&identity.token)
            || self.is_void(&identity.session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revocation_covers_older_tokens_of_its_user_and_every_token_of_its_login() {
        let mut revocations = Revocations::default();
        revocations.revoke_user(UserRevoked { user: "1".into(), before: 10, forget_at: 100 });
        revocations.revoke_token(TokenRevoked { token: "login".into(), forget_at: 50 });
        revocations.revoke_token(TokenRevoked { token: String::new(), forget_at: 50 });
        let identity = |user: &str, issued_at, session: &str| Identity {
            user: user.into(),
            issued_at,
            session: session.into(),
            ..Identity::default()
        };
        assert!(revocations.covers(&identity("1", 9, "")));
        assert!(!revocations.covers(&identity("1", 10, "")));
        assert!(!revocations.covers(&identity("2", 9, "")));
        assert!(revocations.covers(&identity("2", 99, "login")));
        revocations.forget(60);
        assert!(!revocations.covers(&identity("2", 99, "login")));
        assert!(revocations.covers(&identity("1", 9, "")));
    }
}
