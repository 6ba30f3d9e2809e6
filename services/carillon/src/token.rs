//! `carillon token`: mints a token.

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use carillon_auth::Mint;
use carillon_service::time::{duration, timestamp};
use carillon_token::{CARILLON, CarillonClaims, Kind, Secret, SigningKey, mint_hs256};
use clap::ArgGroup;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    hmac_secret::HmacSecretArgs,
    output::{self, OutputArgs, Usage, Verdict},
};

/// Microseconds of a second.
const SECOND: i64 = 1_000_000;

/// Options of `carillon token`.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "token-command")]
#[command(group = ArgGroup::new("holder").args(["user", "service"]).required(true))]
pub(crate) struct Args {
    /// Whose token: a user's id. With auth's database, the name of one of its users will do.
    #[arg(long, value_name = "ID")]
    user: Option<String>,

    /// A token for a back end of this name, which has scopes. It takes auth's key.
    #[arg(long, value_name = "NAME", requires = "scopes")]
    service: Option<String>,

    /// What the back end may do, separated by commas: notifications:send, events:publish, memberships:write,
    /// chat:send, counter:update, groups:send, channels:listen.
    #[arg(long, value_name = "SCOPES", value_delimiter = ',', conflicts_with = "user")]
    scopes: Vec<String>,

    /// Roles of the user, separated by commas, such as `admin`. Of a shared secret's tokens those count that
    /// gateways map (CARILLON_JWT_ROLES). With auth's database the user's own are taken.
    #[arg(long, value_name = "ROLES", value_delimiter = ',')]
    roles: Vec<String>,

    /// The name that others see.
    #[arg(long, value_name = "NAME")]
    username: Option<String>,

    /// How long it is valid: 30s, 15m, 1h, 7d.
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    lifetime: Duration,

    /// One more claim, as NAME=VALUE; the value is JSON, or else a text. Of a shared secret's tokens only.
    #[arg(long = "claim", value_name = "CLAIM", value_parser = claim)]
    claims: Vec<(String, Value)>,

    #[command(flatten, next_help_heading = "What signs it (the first of these that is there)")]
    signer: SignerArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// What signs: the names are those of gateways and auth.
#[derive(Debug, Clone, clap::Args)]
struct SignerArgs {
    /// A file with an Ed25519 private key (PKCS#8 PEM), as auth keeps them.
    #[arg(long, env = "CARILLON_SIGNING_KEY_FILE", value_name = "FILE")]
    signing_key_file: Option<PathBuf>,

    /// Auth's own key, in its database: `postgres://user:password@host/name`, or `sqlite:data/auth.db`
    /// of `carillon up`. For users' tokens a secret goes before it.
    #[arg(long, env = "CARILLON_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,

    #[command(flatten)]
    hmac_secret: HmacSecretArgs,

    /// The claim of an HMAC token that holds the user's id.
    #[arg(long, env = "CARILLON_JWT_USER_CLAIM", value_name = "CLAIM", default_value = "user_id")]
    jwt_user_claim: String,

    /// The `iss` that an HMAC token must have.
    #[arg(long, env = "CARILLON_JWT_ISSUER", value_name = "ISSUER")]
    jwt_issuer: Option<String>,

    /// The `aud` that an HMAC token must have.
    #[arg(long, env = "CARILLON_JWT_AUDIENCE", value_name = "AUDIENCE")]
    jwt_audience: Option<String>,

    /// The issuer whose user ids are bare, as auth has it.
    #[arg(long, env = "CARILLON_BARE_IDS", value_name = "ISSUER", default_value = CARILLON)]
    bare_ids: String,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Minted<'a> {
    token: &'a str,
    kind: &'static str,
    signed_by: &'static str,
    holder: &'a str,
    expires_at: String,
    expires_in: u64,
}

/// Mints the token, and prints it.
///
/// # Errors
/// No key to sign with, or one that can't be used.
pub(crate) async fn run(args: Args) -> anyhow::Result<Verdict> {
    let (token, signed_by) = minted(&args).await?;
    if !args.output.json {
        output::line(&token)?;
        return Ok(Verdict::Good);
    }
    let lifetime = i64::try_from(args.lifetime.as_secs()).unwrap_or(i64::MAX / SECOND);
    output::object(&Minted {
        token: &token,
        kind: if args.service.is_some() { "service" } else { "access" },
        signed_by,
        holder: args.user.as_deref().or(args.service.as_deref()).unwrap_or_default(),
        expires_at: timestamp(now().saturating_add(lifetime).saturating_mul(SECOND)),
        expires_in: args.lifetime.as_secs(),
    })?;
    Ok(Verdict::Good)
}

async fn minted(args: &Args) -> anyhow::Result<(String, &'static str)> {
    let signer = &args.signer;
    if let Some(file) = &signer.signing_key_file {
        return Ok((with_key(args, file)?, "key"));
    }
    if let (Some(user), Some(secret)) = (&args.user, signer.hmac_secret.read()?) {
        return Ok((signer.hmac(&secret, user, args)?, "secret"));
    }
    let Some(url) = &signer.database_url else {
        let wanted =
            if args.user.is_some() { "--jwt-secret, --database-url or" } else { "--database-url or" };
        return Err(Usage(format!("there is nothing to sign with: say {wanted} --signing-key-file")).into());
    };
    let mint = Mint::open(url).await?;
    let token = match (&args.user, &args.service) {
        (Some(user), _) => mint.access(user, &signer.bare_ids, args.lifetime).await,
        (None, name) => mint.service(name.as_deref().unwrap_or_default(), &args.scopes, args.lifetime).await,
    };
    mint.close().await;
    Ok((token?, "database"))
}

/// A token of auth's, by a key that was taken out of its database.
fn with_key(args: &Args, file: &std::path::Path) -> anyhow::Result<String> {
    let shown = || format!("the signing key in {}", file.display());
    let pem = std::fs::read_to_string(file).with_context(shown)?;
    let key = SigningKey::from_pem(&pem).with_context(shown)?;
    let (kind, holder) = match (&args.user, &args.service) {
        (Some(user), _) => (Kind::Access, user.as_str()),
        (None, name) => (Kind::Service, name.as_deref().unwrap_or_default()),
    };
    let claims = CarillonClaims {
        preferred_username: args.username.clone().unwrap_or_default(),
        roles: args.roles.clone(),
        scope: args.scopes.join(" "),
        ..CarillonClaims::new(kind, holder, random_id(), now(), expiry(args.lifetime))
    };
    Ok(key.issue(&claims)?)
}

impl SignerArgs {
    /// As SimpleJWT makes them.
    fn hmac(&self, secret: &Secret, user: &str, args: &Args) -> anyhow::Result<String> {
        let mut claims = Map::new();
        claims.insert("token_type".to_owned(), json!("access"));
        claims.insert("jti".to_owned(), json!(random_id()));
        claims.insert("iat".to_owned(), json!(now()));
        claims.insert("exp".to_owned(), json!(expiry(args.lifetime)));
        claims.insert(self.jwt_user_claim.clone(), id(user));
        let texts = [("username", &args.username), ("iss", &self.jwt_issuer), ("aud", &self.jwt_audience)];
        for (name, text) in texts {
            if let Some(text) = text {
                claims.insert(name.to_owned(), json!(text));
            }
        }
        if !args.roles.is_empty() {
            claims.insert("roles".to_owned(), json!(args.roles));
        }
        claims.extend(args.claims.iter().cloned());
        Ok(mint_hs256(secret, &Value::Object(claims))?)
    }
}

/// An id as Django has it: a number where it looks like one.
fn id(text: &str) -> Value {
    carillon_contract::Id::new(text).map_or_else(|_| json!(text), |id| json!(id))
}

fn expiry(lifetime: Duration) -> i64 {
    now().saturating_add(i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX))
}

fn now() -> i64 {
    carillon_store::now() / SECOND
}

fn random_id() -> String {
    format!("{:032x}", rand::random::<u128>())
}

fn claim(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("a claim is said as NAME=VALUE")?;
    Ok((name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| json!(value))))
}
