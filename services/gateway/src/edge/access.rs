//! Who may use a route.

use actix_http::RequestHead;
use actix_web::http::header;
use carillon_contract::{Access, Route, messages::Identity};
use carillon_service::http::Problem;

use crate::{authenticator::Denied, gateway::Gateway, handshake::bearer};

/// The caller, if they may use this route.
///
/// # Errors
/// 401 without a valid token where one is needed, 403 for someone who may not, 503 while tokens
/// can't be verified.
pub(super) async fn caller(
    gateway: &Gateway,
    route: &Route,
    head: &RequestHead,
) -> Result<Option<Identity>, Problem> {
    if route.access == Access::Public {
        return Ok(None);
    }
    let Some(token) = bearer(head) else {
        let open = route.access == Access::Anonymous && gateway.allows_anonymous(route.name);
        return match open {
            // A browser lets any page send; without a token, where it comes from is all there is to go by.
            true if is_foreign(gateway, head) => Err(Problem::forbidden("origin not allowed")),
            true => Ok(None),
            false => Err(Problem::unauthorized("a token is needed")),
        };
    };
    let identity = gateway.authenticator.identify(&token).await.map_err(problem)?;
    let allowed = match route.access {
        Access::Public | Access::Anonymous => true,
        Access::User => !identity.service,
        Access::Admin => identity.is_admin(),
        Access::Scope(scope) => identity.is_admin() || identity.has_scope(scope),
    };
    if allowed { Ok(Some(identity)) } else { Err(Problem::forbidden(needed(route.access))) }
}

fn is_foreign(gateway: &Gateway, head: &RequestHead) -> bool {
    let origin = head.headers().get(header::ORIGIN);
    origin.is_some_and(|origin| !gateway.allows_page(origin.to_str().unwrap_or_default()))
}

fn needed(access: Access) -> &'static str {
    match access {
        Access::Admin => "this needs an admin",
        Access::Scope(_) => "this needs an admin, or a service token with the scope for it",
        Access::Public | Access::Anonymous | Access::User => "this needs a user's token",
    }
}

fn problem(denied: Denied) -> Problem {
    match denied {
        Denied::Unavailable => Problem::unavailable(&denied.to_string()),
        Denied::Blocked => Problem::forbidden(&denied.to_string()),
        _ => Problem::unauthorized(&denied.to_string()),
    }
}
