//! What a token is for.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::VerifyError;

/// What a token is for: `token_type` of Carillon's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Stands for a user.
    Access,
    /// Can only be exchanged for another access token, by auth.
    Refresh,
    /// Stands for a back end, and can do what its scopes say.
    Service,
}

impl Kind {
    /// The kind of one of Carillon's own tokens, which always say it.
    pub(crate) fn of_own(claims: &Map<String, Value>) -> Result<Self, VerifyError> {
        match claims.get("token_type").and_then(Value::as_str) {
            Some("access") => Ok(Self::Access),
            Some("refresh") => Ok(Self::Refresh),
            Some("service") => Ok(Self::Service),
            _ => Err(VerifyError::Invalid("unknown token type")),
        }
    }

    /// The kind of another issuer's token: SimpleJWT says `token_type: access`, Keycloak `typ: Bearer`,
    /// many say nothing. Refresh, ID and logout tokens are signed with the same keys, but none of them
    /// lets anyone in.
    pub(crate) fn of_foreign(claims: &Map<String, Value>) -> Result<Self, VerifyError> {
        let said = [("token_type", &["access", "bearer", "sliding"][..]), ("typ", &["bearer", "jwt"][..])];
        for (claim, accepted) in said {
            match claims.get(claim) {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) if is_one_of(text, accepted) => {}
                Some(_) => return Err(VerifyError::Invalid("not an access token")),
            }
        }
        Ok(Self::Access)
    }
}

fn is_one_of(text: &str, accepted: &[&str]) -> bool {
    accepted.iter().any(|word| text.eq_ignore_ascii_case(word))
}
