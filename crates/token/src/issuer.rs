//! Whose tokens are accepted, and how they are read.

use std::fmt;

use reqwest::Url;

use crate::{Claims, KeyHook, RoleMapping, Secret};

/// The name of Carillon's own issuer, and the `iss` of its tokens.
pub const CARILLON: &str = "carillon";

/// An issuer of tokens. Start from [`Issuer::secret`], [`Issuer::jwks`] or [`Issuer::carillon`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Issuer {
    /// Its name in this deployment: the prefix of its users' ids, and a label in logs.
    pub name: String,
    /// What verifies its signatures.
    pub keys: Keys,
    /// Where it says who the user is.
    pub claims: Claims,
    /// Its `iss`. Tokens with it belong to this issuer alone, and it accepts no others.
    pub expected_issuer: Option<String>,
    /// What `aud` must contain.
    pub audience: Option<String>,
    /// Whether its users' ids stand for themselves, without its name before them.
    pub bare_ids: bool,
    /// What its roles mean here. Carillon's own mean what they are.
    pub roles: RoleMapping,
    /// Carillon's own: its roles count as they are, and it alone issues service and refresh tokens.
    pub(crate) own: bool,
}

/// What verifies an issuer's signatures.
#[derive(Clone)]
pub enum Keys {
    /// A secret shared with it: HS256, HS384, HS512.
    Secret(Secret),
    /// Public keys that [`Verifier::set_keys`](crate::Verifier::set_keys) is given; the hook is asked
    /// when there are none, when they are old, and when a token names an unknown one.
    Pushed(KeyHook),
    /// Public keys at an address.
    Url(Url),
}

impl Issuer {
    /// An issuer with which a secret is shared, such as a Django project with SimpleJWT.
    pub fn secret(name: impl Into<String>, secret: Secret) -> Self {
        Self::new(name.into(), Keys::Secret(secret), Claims::simple_jwt())
    }

    /// An OpenID provider, such as Keycloak, that publishes its keys at an http or https address.
    pub fn jwks(name: impl Into<String>, url: Url) -> Self {
        Self::new(name.into(), Keys::Url(url), Claims::openid())
    }

    /// Carillon's own: auth. The hook asks it for its public keys.
    pub fn carillon(hook: KeyHook) -> Self {
        let issuer = Self::new(CARILLON.to_owned(), Keys::Pushed(hook), Claims::carillon());
        Self { own: true, ..issuer.expected_issuer(CARILLON) }
    }

    fn new(name: String, keys: Keys, claims: Claims) -> Self {
        let roles = RoleMapping::default();
        Self { name, keys, claims, expected_issuer: None, audience: None, bare_ids: false, roles, own: false }
    }

    /// Sets the `iss` of its tokens.
    #[must_use]
    pub fn expected_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.expected_issuer = Some(issuer.into());
        self
    }

    /// Sets what `aud` must contain.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Sets where it says who the user is.
    #[must_use]
    pub fn claims(mut self, claims: Claims) -> Self {
        self.claims = claims;
        self
    }

    /// Sets the claim that holds the user's id.
    #[must_use]
    pub fn user_claim(mut self, name: impl Into<String>) -> Self {
        self.claims.user = vec![name.into()];
        self
    }

    /// Sets what its roles mean here.
    #[must_use]
    pub fn roles(mut self, roles: RoleMapping) -> Self {
        self.roles = roles;
        self
    }

    /// Lets its users' ids stand for themselves. Only one issuer can.
    #[must_use]
    pub fn bare_ids(mut self) -> Self {
        self.bare_ids = true;
        self
    }
}

impl fmt::Debug for Keys {
    /// An address is shown by its host only: it may hold a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(_) => formatter.write_str("Secret(…)"),
            Self::Pushed(_) => formatter.write_str("Pushed"),
            Self::Url(url) => write!(formatter, "Url({})", url.host_str().unwrap_or_default()),
        }
    }
}
