//! What can be wrong with a token, and with the configuration. None of it repeats a token or a secret.

/// Why a token was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It was valid, but is no longer.
    #[error("the token has expired")]
    Expired,
    /// It is not a token that this deployment accepts, and never will be.
    #[error("the token is not valid: {0}")]
    Invalid(&'static str),
    /// The issuer's keys could not be had, so nothing can be said about the token. Worth trying again.
    #[error("the keys that verify the token are not available")]
    KeysUnavailable,
}

/// What is wrong with the configuration of issuers.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A secret that can be guessed.
    #[error("a secret must have at least {minimum} bytes; this one has {length}")]
    ShortSecret {
        /// The fewest bytes that are accepted.
        minimum: usize,
        /// How many there are.
        length: usize,
    },
    /// A PEM or JWK where a secret belongs: whoever knows the public key could forge tokens.
    #[error("this is a key, not a secret: a public key belongs into a JWKS")]
    SecretIsKey,
    /// A file that holds a secret could not be read.
    #[error("cannot read the secret from {path}")]
    SecretFile {
        /// Where it should be.
        path: String,
        /// Why it could not be read.
        #[source]
        source: std::io::Error,
    },
    /// Both `variable` and `variable_FILE` are set, or the value is not UTF-8.
    #[error("{0} must be set to text, and not together with {0}_FILE")]
    SecretVariable(String),
    /// An issuer's name becomes a prefix of user ids.
    #[error("the issuer name {0:?} must have 1 to 64 characters of a-z, 0-9, `-` and `_`")]
    IssuerName(String),
    /// Two issuers of one name.
    #[error("there are two issuers named {0:?}")]
    DuplicateIssuer(String),
    /// Two issuers own bare user ids.
    #[error("both {0:?} and {1:?} own bare user ids; only one issuer can")]
    BareIds(String, String),
    /// Two issuers would claim the same tokens.
    #[error("{0:?} and {1:?} would claim the same tokens: give each its own expected issuer (`iss`)")]
    Ambiguous(String, String),
    /// No claim is configured in which the user's id stands.
    #[error("the issuer {0:?} has no user claim")]
    NoUserClaim(String),
    /// A URL that is neither http nor https.
    #[error("the JWKS address of {0:?} must be an http or https URL")]
    Url(String),
    /// The HTTP client could not be made.
    #[error("cannot set up HTTP for the JWKS of {issuer:?}")]
    Client {
        /// Whose keys were to be fetched.
        issuer: String,
        /// Why it failed.
        #[source]
        source: reqwest::Error,
    },
    /// Keys for an issuer that is not configured, or whose keys are not pushed.
    #[error("no issuer {0:?} takes keys from the bus")]
    NotPushed(String),
    /// Not a JSON Web Key Set within the limits.
    #[error("not a JSON Web Key Set: {0}")]
    Jwks(&'static str),
    /// Not of the form `foreign=own,…`.
    #[error("roles are mapped as foreign-role=role, separated by commas; {0:?} is not")]
    RoleMapping(String),
}

/// What can go wrong when issuing tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// No key could be generated: the system's source of randomness failed.
    #[error("cannot generate a key")]
    Generate,
    /// Not an Ed25519 private key in PKCS#8 PEM.
    #[error("not an Ed25519 private key in PKCS#8 PEM")]
    Key,
    /// The claims could not be signed.
    #[error("cannot sign the claims")]
    Sign,
}
