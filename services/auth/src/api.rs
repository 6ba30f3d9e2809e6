//! HTTP, as far as auth answers it: from a route to its handler.

mod blocks;
mod groups;
mod key_rotation;
mod login;
mod logout;
mod me;
mod memberships;
mod page;
mod people;
mod service_tokens;
mod tokens;
mod users;

use carillon_contract::{
    Access, ROUTES, ResourceKind, ServiceName,
    messages::{HttpReply, HttpRequest},
};
use carillon_service::http::{self, Problem};

use crate::auth::Auth;

/// A new change; a handler of a repeated request returns the first answer here.
macro_rules! begin {
    ($auth:expr, $request:expr) => {
        match $crate::answers::begin($auth, $request).await? {
            $crate::answers::Begun::Change(change) => change,
            $crate::answers::Begun::Answered(answer) => return Ok(answer),
        }
    };
}
use begin;

/// Answers a request by its route.
pub(crate) async fn answer(auth: &Auth, request: &HttpRequest) -> Result<HttpReply, Problem> {
    use ResourceKind::{Organisation, Project};
    authorise(request)?;
    match request.route.as_str() {
        "auth.token" => login::log_in(auth, request).await,
        "auth.token.refresh" => tokens::refresh(auth, request).await,
        "auth.token.verify" => tokens::verify(auth, request).await,
        "auth.logout" => logout::log_out(auth, request).await,
        "auth.me" => me::me(auth, request).await,
        "auth.jwks" => key_rotation::jwks(auth).await,
        "auth.users.list" => users::list(auth, request).await,
        "auth.users.create" => users::create(auth, request).await,
        "auth.users.delete" => users::delete(auth, request).await,
        "auth.users.revoke" => users::revoke(auth, request).await,
        "auth.tokens.revoke" => tokens::revoke(auth, request).await,
        "auth.service-tokens.list" => service_tokens::list(auth, request).await,
        "auth.service-tokens.create" => service_tokens::create(auth, request).await,
        "auth.service-tokens.revoke" => service_tokens::revoke(auth, request).await,
        "auth.blocks.list" => blocks::list(auth, request).await,
        "auth.blocks.create" => blocks::create(auth, request).await,
        "auth.blocks.delete" => blocks::delete(auth, request).await,
        "auth.keys.rotate" => key_rotation::rotate(auth, request).await,
        "auth.orgs.list" => groups::list(auth, request, Organisation).await,
        "auth.orgs.create" => groups::create(auth, request, Organisation).await,
        "auth.orgs.delete" => groups::delete(auth, request, Organisation).await,
        "auth.orgs.members.list" => memberships::list(auth, request, Organisation).await,
        "auth.orgs.members.replace" => memberships::replace(auth, request, Organisation).await,
        "auth.orgs.members.add" => memberships::add(auth, request, Organisation).await,
        "auth.orgs.members.remove" => memberships::remove(auth, request, Organisation).await,
        "auth.projects.list" => groups::list(auth, request, Project).await,
        "auth.projects.create" => groups::create(auth, request, Project).await,
        "auth.projects.delete" => groups::delete(auth, request, Project).await,
        "auth.projects.people" => people::list(auth, request).await,
        "auth.projects.members.list" => memberships::list(auth, request, Project).await,
        "auth.projects.members.replace" => memberships::replace(auth, request, Project).await,
        "auth.projects.members.add" => memberships::add(auth, request, Project).await,
        "auth.projects.members.remove" => memberships::remove(auth, request, Project).await,
        _ => Err(Problem::not_found("no such route")),
    }
}

/// The gateway has seen to this already. It costs nothing to see to it again where the damage would be done.
fn authorise(request: &HttpRequest) -> Result<(), Problem> {
    let route = ROUTES.iter().find(|route| route.owner == ServiceName::Auth && route.name == request.route);
    let route = route.ok_or_else(|| Problem::not_found("no such route"))?;
    let allowed = match route.access {
        Access::Public | Access::Anonymous => true,
        Access::User => !http::user(request)?.service,
        Access::Admin => http::user(request)?.is_admin(),
        Access::Scope(scope) => {
            let caller = http::user(request)?;
            caller.is_admin() || caller.has_scope(scope)
        }
    };
    if allowed { Ok(()) } else { Err(Problem::forbidden("not for this token")) }
}

#[cfg(test)]
mod tests {
    use carillon_contract::messages::Identity;

    use super::*;

    fn status(route: &str, identity: Option<Identity>) -> u16 {
        let request = HttpRequest { route: route.to_owned(), identity, ..HttpRequest::default() };
        authorise(&request).map_or_else(|problem| problem.status(), |()| 200)
    }

    #[test]
    fn every_route_refuses_those_whom_it_is_not_for() {
        let user = Identity { user: "1".to_owned(), ..Identity::default() };
        let admin = Identity { roles: vec!["admin".to_owned()], ..user.clone() };
        let back_end =
            |scope: &str| Identity { service: true, scopes: vec![scope.to_owned()], ..Identity::default() };
        for route in ROUTES.iter().filter(|route| route.owner == ServiceName::Auth) {
            let open = route.access == Access::Public;
            let anyone = if open { 200 } else { 401 };
            assert_eq!(status(route.name, None), anyone, "{}", route.name);
            let people = if open || route.access == Access::User { 200 } else { 403 };
            assert_eq!(status(route.name, Some(user.clone())), people, "{}", route.name);
            assert_eq!(status(route.name, Some(admin.clone())), 200, "{}", route.name);
            let other = if open { 200 } else { 403 };
            assert_eq!(status(route.name, Some(back_end("events:publish"))), other, "{}", route.name);
            if let Access::Scope(scope) = route.access {
                assert_eq!(status(route.name, Some(back_end(scope))), 200, "{}", route.name);
            }
        }
        assert_eq!(status("notifications.list", Some(admin.clone())), 404);
        assert_eq!(status("auth.nothing", Some(admin)), 404);
    }
}
