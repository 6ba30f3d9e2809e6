//! Whose tokens are accepted: auth's own always, a shared secret's and an OpenID provider's if
//! configured.

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use carillon_bus::Bus;
use carillon_contract::{ServiceName, messages::JwksRequest};
use carillon_token::{CARILLON, ConfigError, Issuer, KeyHook, Options, RoleMapping, Secret, Url, Verifier};
use clap::Args;

/// Whose tokens are accepted, and what their claims are called.
#[derive(Debug, Clone, Args)]
pub struct IssuerArgs {
    /// Secret of HMAC tokens (HS256, HS384, HS512), such as Django's SECRET_KEY.
    #[arg(
        long,
        env = "CARILLON_JWT_SECRET",
        value_name = "SECRET",
        hide_env_values = true,
        value_parser = secret,
        conflicts_with = "jwt_secret_file"
    )]
    pub jwt_secret: Option<Secret>,

    /// A file that holds that secret.
    #[arg(long, env = "CARILLON_JWT_SECRET_FILE", value_name = "FILE")]
    pub jwt_secret_file: Option<PathBuf>,

    /// What the issuer of HMAC tokens is called here.
    #[arg(long, env = "CARILLON_JWT_NAME", value_name = "NAME", default_value = "django")]
    pub jwt_name: String,

    /// The claim of an HMAC token that holds the user's id. Without this, `user_id`, else `sub`.
    #[arg(long, env = "CARILLON_JWT_USER_CLAIM", value_name = "CLAIM")]
    pub jwt_user_claim: Option<String>,

    /// The `iss` that an HMAC token must have.
    #[arg(long, env = "CARILLON_JWT_ISSUER", value_name = "ISSUER")]
    pub jwt_issuer: Option<String>,

    /// The `aud` that an HMAC token must have.
    #[arg(long, env = "CARILLON_JWT_AUDIENCE", value_name = "AUDIENCE")]
    pub jwt_audience: Option<String>,

    /// Roles of HMAC tokens that count here, as `theirs=ours`, separated by commas: `staff=admin`.
    #[arg(long, env = "CARILLON_JWT_ROLES", value_name = "MAPPING", default_value = "")]
    pub jwt_roles: RoleMapping,

    /// Where an OpenID provider publishes its keys (JWKS).
    #[arg(long, env = "KEYCLOAK_JWKS_URL", value_name = "URL")]
    pub jwks_url: Option<Url>,

    /// What the OpenID provider is called here.
    #[arg(long, env = "CARILLON_JWKS_NAME", value_name = "NAME", default_value = "keycloak")]
    pub jwks_name: String,

    /// The claim of the provider's tokens that holds the user's id. Without this, `sub`.
    #[arg(long, env = "CARILLON_JWKS_USER_CLAIM", value_name = "CLAIM")]
    pub jwks_user_claim: Option<String>,

    /// The `iss` that the provider's tokens must have.
    #[arg(long, env = "CARILLON_JWKS_ISSUER", value_name = "ISSUER")]
    pub jwks_issuer: Option<String>,

    /// The `aud` that the provider's tokens must have.
    #[arg(long, env = "CARILLON_JWKS_AUDIENCE", value_name = "AUDIENCE")]
    pub jwks_audience: Option<String>,

    /// Realm roles of the provider's tokens that count here, as `theirs=ours`, separated by commas.
    #[arg(long, env = "CARILLON_JWKS_ROLES", value_name = "MAPPING", default_value = "")]
    pub jwks_roles: RoleMapping,

    /// The issuer whose user ids are taken as they are (`carillon`, or one of the names above);
    /// those of others become `name:id`. Without this: the OpenID provider if there is one, else
    /// the issuer of HMAC tokens if there is one, else `carillon`.
    #[arg(long, env = "CARILLON_BARE_IDS", value_name = "NAME")]
    pub bare_ids: Option<String>,

    /// Seconds by which clocks may differ when tokens are judged.
    #[arg(long, env = "CARILLON_TOKEN_LEEWAY_SECONDS", value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=300))]
    pub token_leeway_seconds: u32,
}

impl IssuerArgs {
    /// A verifier of all these issuers' tokens. Auth's keys come over the bus.
    ///
    /// # Errors
    /// Issuers that can't be told from each other, or a secret that can't be read.
    pub fn verifier(&self, bus: &Bus) -> anyhow::Result<Verifier> {
        let mut issuers = vec![carillon(bus.clone())];
        issuers.extend(self.hmac()?);
        issuers.extend(self.openid());
        let owner = self.bare_ids_owner();
        let owning = issuers.iter_mut().find(|issuer| issuer.name == owner);
        owning.with_context(|| format!("--bare-ids: there is no issuer {owner:?}"))?.bare_ids = true;
        let leeway = Duration::from_secs(self.token_leeway_seconds.into());
        Ok(Verifier::new(issuers, Options { leeway, ..Options::default() })?)
    }

    /// The issuer whose user ids are taken as they are.
    pub fn bare_ids_owner(&self) -> String {
        if let Some(owner) = &self.bare_ids {
            owner.clone()
        } else if self.jwks_url.is_some() {
            self.jwks_name.clone()
        } else if self.jwt_secret.is_some() || self.jwt_secret_file.is_some() {
            self.jwt_name.clone()
        } else {
            CARILLON.to_owned()
        }
    }

    /// The secret of HMAC tokens, if there is one.
    ///
    /// # Errors
    /// A file that can't be read, or holds none.
    pub fn hmac_secret(&self) -> anyhow::Result<Option<Secret>> {
        match (&self.jwt_secret, &self.jwt_secret_file) {
            (Some(secret), _) => Ok(Some(secret.clone())),
            (None, Some(file)) => Secret::from_file(file).context("--jwt-secret-file").map(Some),
            (None, None) => Ok(None),
        }
    }

    fn hmac(&self) -> anyhow::Result<Option<Issuer>> {
        let Some(secret) = self.hmac_secret()? else { return Ok(None) };
        let issuer = Issuer::secret(&self.jwt_name, secret).roles(self.jwt_roles.clone());
        Ok(Some(described(issuer, &self.jwt_user_claim, &self.jwt_issuer, &self.jwt_audience)))
    }

    fn openid(&self) -> Option<Issuer> {
        let url = self.jwks_url.clone()?;
        let issuer = Issuer::jwks(&self.jwks_name, url).roles(self.jwks_roles.clone());
        Some(described(issuer, &self.jwks_user_claim, &self.jwks_issuer, &self.jwks_audience))
    }
}

fn secret(text: &str) -> Result<Secret, ConfigError> {
    Secret::new(text)
}

fn carillon(bus: Bus) -> Issuer {
    Issuer::carillon(KeyHook::new(move || {
        let bus = bus.clone();
        async move { bus.call(ServiceName::Auth, &JwksRequest {}).await.map(|reply| reply.jwks) }
    }))
}

fn described(
    mut issuer: Issuer,
    user_claim: &Option<String>,
    expected: &Option<String>,
    audience: &Option<String>,
) -> Issuer {
    if let Some(claim) = user_claim {
        issuer = issuer.user_claim(claim);
    }
    if let Some(expected) = expected {
        issuer = issuer.expected_issuer(expected);
    }
    match audience {
        Some(audience) => issuer.audience(audience),
        None => issuer,
    }
}
