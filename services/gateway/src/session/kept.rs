//! What a connection keeps for as long as it lives, packed: as owners are told it, it would take a kilobyte.

use carillon_contract::{Parameters, messages::Identity};
use prost::Message as _;

/// The parameters of a path: as a map even one takes half a kilobyte.
#[derive(Debug, Clone)]
pub(crate) struct KeptParameters(Box<[(Box<str>, Box<str>)]>);

impl From<&Parameters> for KeptParameters {
    fn from(parameters: &Parameters) -> Self {
        Self(parameters.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into())).collect())
    }
}

impl KeptParameters {
    pub(crate) fn unpack(&self) -> Parameters {
        self.0.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }
}

/// Who a connection's client is, as it travels on the bus.
#[derive(Debug, Clone)]
pub(crate) struct KeptIdentity {
    packed: Box<[u8]>,
    user: Box<str>,
    issued_at: i64,
    expires_at: i64,
}

impl From<Identity> for KeptIdentity {
    fn from(identity: Identity) -> Self {
        let packed = identity.encode_to_vec().into();
        let Identity { user, issued_at, expires_at, .. } = identity;
        Self { packed, user: user.into(), issued_at, expires_at }
    }
}

impl KeptIdentity {
    pub(crate) fn unpack(&self) -> Identity {
        // These bytes were an identity.
        Identity::decode(&*self.packed).unwrap_or_default()
    }

    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// In microseconds since 1970.
    pub(crate) fn issued_at(&self) -> i64 {
        self.issued_at
    }

    /// In microseconds since 1970.
    pub(crate) fn expires_at(&self) -> i64 {
        self.expires_at
    }

    /// Whether its token has this id, or is of this login.
    pub(crate) fn is_of(&self, token: &str) -> bool {
        // Hardly anyone is meant, and those who aren't need not be unpacked.
        let may_be =
            !token.is_empty() && self.packed.windows(token.len()).any(|bytes| bytes == token.as_bytes());
        may_be && {
            let identity = self.unpack();
            identity.token == token || identity.session == token
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_unpacked_as_it_was() {
        let identity = Identity {
            user: "42".to_owned(),
            username: "login-1".to_owned(),
            roles: vec!["admin".to_owned()],
            token: "token-1".to_owned(),
            session: "login-2".to_owned(),
            issued_at: 1,
            expires_at: 2,
            ..Identity::default()
        };
        let kept = KeptIdentity::from(identity.clone());
        assert_eq!((kept.user(), kept.issued_at(), kept.expires_at()), ("42", 1, 2));
        assert!(kept.is_of("token-1") && kept.is_of("login-2"));
        assert!(!kept.is_of("login-1") && !kept.is_of("token") && !kept.is_of(""));
        assert_eq!(kept.unpack(), identity);
    }
}
