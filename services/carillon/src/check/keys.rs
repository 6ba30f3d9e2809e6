//! What tokens are verified with.

use std::time::Duration;

use carillon_bus::Bus;
use carillon_contract::{ServiceName, messages::JwksRequest};
use carillon_token::{PublishedKeys, VerifyError, published_keys};

use super::{Args, report::Row};
use crate::client::Api;

const GROUP: &str = "keys";

/// As many bytes as HS256 has: less is easier to find than the signature.
const RECOMMENDED: usize = 32;

pub(super) async fn rows(args: &Args, bus: Option<&Bus>) -> Vec<Row> {
    vec![secret(args), provider(args).await, own(args, bus).await, token(args, bus).await]
}

fn secret(args: &Args) -> Row {
    let check = "shared secret";
    match args.gateway.issuers.hmac_secret() {
        Ok(None) => Row::skipped(GROUP, check, "there is none (CARILLON_JWT_SECRET)"),
        Ok(Some(secret)) if secret.len() < RECOMMENDED => Row::warning(
            GROUP,
            check,
            format!("{} bytes, of HS256 at least {RECOMMENDED} are recommended", secret.len()),
            "a longer CARILLON_JWT_SECRET, there and where tokens are made",
        ),
        Ok(Some(secret)) => Row::ok(GROUP, check, format!("{} bytes, HS256, HS384 and HS512", secret.len())),
        Err(error) => Row::failed(
            GROUP,
            check,
            format!("{error:#}"),
            "CARILLON_JWT_SECRET_FILE with a file of 16 bytes or more",
        ),
    }
}

async fn provider(args: &Args) -> Row {
    let check = "OpenID provider";
    let Some(url) = &args.gateway.issuers.jwks_url else {
        return Row::skipped(GROUP, check, "there is none (KEYCLOAK_JWKS_URL)");
    };
    let mend = "KEYCLOAK_JWKS_URL with the provider's jwks_uri, reachable from every gateway";
    match published_keys(url, args.timeout).await {
        Err(error) => Row::failed(GROUP, check, error, mend),
        Ok(keys) if keys.usable == 0 => Row::failed(GROUP, check, "no key of its set can be used", mend),
        Ok(keys) if url.scheme() == "http" && !super::is_loopback(url.host_str().unwrap_or_default()) => {
            let detail = format!("{}, over http: whoever is in between can replace them", shown(&keys));
            Row::warning(GROUP, check, detail, "an https address")
        }
        Ok(keys) => Row::ok(GROUP, check, shown(&keys)),
    }
}

/// Auth's, over the bus as gateways get them, or else from a gateway.
async fn own(args: &Args, bus: Option<&Bus>) -> Row {
    let check = "auth's own";
    let jwks = match (bus, args.url.first()) {
        (Some(bus), _) => match bus.call(ServiceName::Auth, &JwksRequest {}).await {
            Ok(reply) => Ok(reply.jwks),
            Err(error) => Err(error.to_string()),
        },
        (None, Some(address)) => match Api::new(address, None) {
            Ok(api) => api
                .get("/.well-known/jwks.json")
                .await
                .map(|jwks| jwks.to_string())
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        },
        (None, None) => {
            return Row::skipped(GROUP, check, "neither NATS nor a gateway is named (--nats-url, --url)");
        }
    };
    let keys = jwks.and_then(|jwks| PublishedKeys::parse(&jwks).map_err(str::to_owned));
    match keys {
        Ok(keys) if keys.usable > 0 => Row::ok(GROUP, check, shown(&keys)),
        Ok(_) => Row::failed(GROUP, check, "auth has none", "auth's log says why"),
        Err(error) => Row::failed(GROUP, check, error, "auth has to run for anyone to come in"),
    }
}

/// As a gateway with these options would judge it, but for revocations.
async fn token(args: &Args, bus: Option<&Bus>) -> Row {
    let check = "token";
    let Some(token) = &args.token else { return Row::skipped(GROUP, check, "none is given (--token)") };
    let nobody = Bus::in_process();
    let verifier = match args.gateway.issuers.verifier(bus.unwrap_or(&nobody)) {
        Ok(verifier) => verifier,
        Err(error) => return Row::skipped(GROUP, check, format!("it can't be judged: {error:#}")),
    };
    match verifier.verify_any(token.as_str()).await {
        Ok((identity, kind)) => {
            let left = left(identity.expires_at);
            let detail =
                format!("{kind:?} token of {}, by {}, valid for {left}", identity.user, identity.issuer);
            Row::ok(GROUP, check, detail)
        }
        Err(VerifyError::KeysUnavailable) => Row::skipped(GROUP, check, "its issuer's keys can't be had"),
        Err(error @ VerifyError::Expired) => Row::failed(GROUP, check, error.to_string(), "a new one"),
        Err(error) => Row::failed(
            GROUP,
            check,
            error.to_string(),
            "the issuer's secret, `iss`, `aud` and claims are those of --jwt-… and --jwks-…",
        ),
    }
}

/// How long it is until then (microseconds since 1970), in whole seconds.
fn left(expires_at: i64) -> String {
    let left = expires_at.saturating_sub(carillon_store::now());
    format!("{:?}", Duration::from_secs(u64::try_from(left).unwrap_or(0) / 1_000_000))
}

fn shown(keys: &PublishedKeys) -> String {
    format!("usable keys: {} ({})", keys.usable, keys.algorithms.join(", "))
}
