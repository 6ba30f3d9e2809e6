//! The route table: one row for each HTTP request that the gateway passes on to its owner.

use std::sync::LazyLock;

use matchit::Router;

use crate::{
    ServiceName,
    path::{self, Parameters},
};

/// An HTTP method and path, who answers it, and who may ask.
#[derive(Debug)]
pub struct Route {
    /// Its name in messages, metrics, logs and `--allow-anonymous`.
    pub name: &'static str,
    /// The request's method.
    pub method: HttpMethod,
    /// The pattern of its path; the trailing slash is optional.
    pub pattern: &'static str,
    /// The service that answers.
    pub owner: ServiceName,
    /// Who may ask, as far as the gateway can tell; the owner may ask for more.
    pub access: Access,
}

/// The methods that routes use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpMethod {
    /// Reads.
    Get,
    /// Creates or acts.
    Post,
    /// Replaces.
    Put,
    /// Changes in part.
    Patch,
    /// Removes.
    Delete,
}

impl HttpMethod {
    /// The method's name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone; a token is not even looked at.
    Public,
    /// Anyone with a token; and without one where the deployment lists the route (`--allow-anonymous`).
    Anonymous,
    /// A user, with a token.
    User,
    /// An admin.
    Admin,
    /// A service token with this scope, or an admin.
    Scope(&'static str),
}

/// What a method and path come to.
#[derive(Debug)]
pub enum RouteMatch {
    /// This route, with these parameters.
    Found(&'static Route, Parameters),
    /// The path has routes, but with these methods only.
    MethodNotAllowed(Vec<&'static str>),
    /// No such path.
    NotFound,
}

const fn row(
    name: &'static str,
    method: HttpMethod,
    pattern: &'static str,
    owner: ServiceName,
    access: Access,
) -> Route {
    Route { name, method, pattern, owner, access }
}

/// Every route.
pub static ROUTES: &[Route] = {
    use Access::{Admin, Anonymous, Public, Scope, User};
    use HttpMethod::{Delete, Get, Patch, Post, Put};
    use ServiceName::{Auth, Chat, Metrics, Notification, TicketPresence as Projects};
    &[
        // Logging in and out.
        row("auth.token", Post, "/api/auth/token/", Auth, Public),
        row("auth.token.refresh", Post, "/api/auth/token/refresh/", Auth, Public),
        row("auth.token.verify", Post, "/api/auth/token/verify/", Auth, Public),
        row("auth.logout", Post, "/api/auth/logout/", Auth, Public),
        row("auth.me", Get, "/api/auth/me/", Auth, User),
        row("auth.jwks", Get, "/.well-known/jwks.json", Auth, Public),
        // Users, their tokens, who is blocked, and keys.
        row("auth.users.list", Get, "/api/auth/users/", Auth, Admin),
        row("auth.users.create", Post, "/api/auth/users/", Auth, Admin),
        row("auth.users.delete", Delete, "/api/auth/users/{user_id}/", Auth, Admin),
        row("auth.users.revoke", Post, "/api/auth/users/{user_id}/revoke/", Auth, Admin),
        row("auth.tokens.revoke", Post, "/api/auth/tokens/{token_id}/revoke/", Auth, Admin),
        row("auth.service-tokens.list", Get, "/api/auth/service-tokens/", Auth, Admin),
        row("auth.service-tokens.create", Post, "/api/auth/service-tokens/", Auth, Admin),
        row("auth.service-tokens.revoke", Delete, "/api/auth/service-tokens/{token_id}/", Auth, Admin),
        row("auth.blocks.list", Get, "/api/auth/blocks/", Auth, Admin),
        row("auth.blocks.create", Post, "/api/auth/blocks/", Auth, Admin),
        row("auth.blocks.delete", Delete, "/api/auth/blocks/{block_id}/", Auth, Admin),
        row("auth.keys.rotate", Post, "/api/auth/keys/rotate/", Auth, Admin),
        // Organisations and projects. A back end keeps members in step with the bulk PUT.
        row("auth.orgs.list", Get, "/api/auth/orgs/", Auth, Admin),
        row("auth.orgs.create", Post, "/api/auth/orgs/", Auth, Scope("memberships:write")),
        row("auth.orgs.delete", Delete, "/api/auth/orgs/{org_id}/", Auth, Admin),
        row(
            "auth.orgs.members.list",
            Get,
            "/api/auth/orgs/{org_id}/members/",
            Auth,
            Scope("memberships:write"),
        ),
        row(
            "auth.orgs.members.replace",
            Put,
            "/api/auth/orgs/{org_id}/members/",
            Auth,
            Scope("memberships:write"),
        ),
        row(
            "auth.orgs.members.add",
            Put,
            "/api/auth/orgs/{org_id}/members/{user_id}/",
            Auth,
            Scope("memberships:write"),
        ),
        row(
            "auth.orgs.members.remove",
            Delete,
            "/api/auth/orgs/{org_id}/members/{user_id}/",
            Auth,
            Scope("memberships:write"),
        ),
        row("auth.projects.list", Get, "/api/auth/projects/", Auth, Admin),
        row("auth.projects.create", Post, "/api/auth/projects/", Auth, Scope("memberships:write")),
        row("auth.projects.delete", Delete, "/api/auth/projects/{project_id}/", Auth, Admin),
        row(
            "auth.projects.members.list",
            Get,
            "/api/auth/projects/{project_id}/members/",
            Auth,
            Scope("memberships:write"),
        ),
        row(
            "auth.projects.members.replace",
            Put,
            "/api/auth/projects/{project_id}/members/",
            Auth,
            Scope("memberships:write"),
        ),
        row(
            "auth.projects.members.add",
            Put,
            "/api/auth/projects/{project_id}/members/{user_id}/",
            Auth,
            Scope("memberships:write"),
        ),
        row(
            "auth.projects.members.remove",
            Delete,
            "/api/auth/projects/{project_id}/members/{user_id}/",
            Auth,
            Scope("memberships:write"),
        ),
        row("auth.projects.people", Get, "/api/projects/{project_id}/members/", Auth, User),
        // Notifications.
        row("notifications.list", Get, "/api/notifications/", Notification, User),
        row("notifications.send", Post, "/api/notifications/send/", Notification, Anonymous),
        row("notifications.read-all", Post, "/api/notifications/read-all/", Notification, User),
        row("notifications.read", Post, "/api/notifications/{notification_id}/read/", Notification, User),
        row("notifications.delete", Delete, "/api/notifications/{notification_id}/", Notification, User),
        // Organisation events.
        row("orgs.events.publish", Post, "/api/orgs/{org_id}/events/", Notification, Scope("events:publish")),
        // Chat rooms.
        row("chat.rooms.messages.list", Get, "/api/chat/rooms/{room_name}/messages/", Chat, Anonymous),
        row(
            "chat.rooms.messages.send",
            Post,
            "/api/chat/rooms/{room_name}/messages/",
            Chat,
            Scope("chat:send"),
        ),
        // Conversations: the caller's own, but for sending.
        row("chat.conversations.list", Get, "/api/chat/conversations/", Chat, User),
        row("chat.conversations.create", Post, "/api/chat/conversations/", Chat, User),
        row("chat.conversations.show", Get, "/api/chat/conversations/{conversation_id}/", Chat, User),
        row("chat.conversations.rename", Patch, "/api/chat/conversations/{conversation_id}/", Chat, User),
        row("chat.conversations.leave", Post, "/api/chat/conversations/{conversation_id}/leave/", Chat, User),
        row(
            "chat.conversations.participants.add",
            Put,
            "/api/chat/conversations/{conversation_id}/participants/{user_id}/",
            Chat,
            User,
        ),
        row(
            "chat.conversations.participants.remove",
            Delete,
            "/api/chat/conversations/{conversation_id}/participants/{user_id}/",
            Chat,
            User,
        ),
        row(
            "chat.conversations.messages.list",
            Get,
            "/api/chat/conversations/{conversation_id}/messages/",
            Chat,
            User,
        ),
        row(
            "chat.conversations.messages.send",
            Post,
            "/api/chat/conversations/{conversation_id}/messages/",
            Chat,
            Scope("chat:send"),
        ),
        row("chat.search", Get, "/api/chat/search/", Chat, User),
        // Attachments of messages in conversations.
        row("chat.attachments.create", Post, "/api/chat/attachments/", Chat, User),
        row("chat.attachments.show", Get, "/api/chat/attachments/{attachment_id}/", Chat, User),
        // Who may enter which rooms and documents.
        row("chat.access.list", Get, "/api/chat/access/", Chat, Admin),
        row("chat.access.set", Put, "/api/chat/access/", Chat, Admin),
        row("chat.access.delete", Delete, "/api/chat/access/{rule_id}/", Chat, Admin),
        // Counters.
        row("counter.show", Get, "/api/counter/{name}/", Chat, Anonymous),
        row("counter.update", Post, "/api/counter/{name}/", Chat, Scope("counter:update")),
        // What back ends tell each other.
        row("groups.events.publish", Post, "/api/groups/{group}/events/", Chat, Scope("groups:send")),
        // Projects: their members' tickets, comments and presence, and events of back ends.
        row("projects.list", Get, "/api/projects/", Projects, User),
        row("projects.show", Get, "/api/projects/{project_id}/", Projects, User),
        row("projects.tickets.list", Get, "/api/projects/{project_id}/tickets/", Projects, User),
        row("projects.tickets.create", Post, "/api/projects/{project_id}/tickets/", Projects, User),
        row("projects.tickets.show", Get, "/api/projects/{project_id}/tickets/{ticket_id}/", Projects, User),
        row(
            "projects.tickets.update",
            Patch,
            "/api/projects/{project_id}/tickets/{ticket_id}/",
            Projects,
            User,
        ),
        row(
            "projects.tickets.delete",
            Delete,
            "/api/projects/{project_id}/tickets/{ticket_id}/",
            Projects,
            User,
        ),
        row(
            "projects.tickets.activity",
            Get,
            "/api/projects/{project_id}/tickets/{ticket_id}/activity/",
            Projects,
            User,
        ),
        row(
            "projects.comments.list",
            Get,
            "/api/projects/{project_id}/tickets/{ticket_id}/comments/",
            Projects,
            User,
        ),
        row(
            "projects.comments.create",
            Post,
            "/api/projects/{project_id}/tickets/{ticket_id}/comments/",
            Projects,
            User,
        ),
        row(
            "projects.comments.update",
            Patch,
            "/api/projects/{project_id}/tickets/{ticket_id}/comments/{comment_id}/",
            Projects,
            User,
        ),
        row(
            "projects.comments.delete",
            Delete,
            "/api/projects/{project_id}/tickets/{ticket_id}/comments/{comment_id}/",
            Projects,
            User,
        ),
        row("projects.statuses.list", Get, "/api/projects/{project_id}/statuses/", Projects, User),
        row("projects.statuses.create", Post, "/api/projects/{project_id}/statuses/", Projects, Admin),
        row(
            "projects.statuses.update",
            Patch,
            "/api/projects/{project_id}/statuses/{status_id}/",
            Projects,
            Admin,
        ),
        row(
            "projects.statuses.delete",
            Delete,
            "/api/projects/{project_id}/statuses/{status_id}/",
            Projects,
            Admin,
        ),
        row("projects.presence", Get, "/api/projects/{project_id}/presence/", Projects, User),
        row(
            "projects.events.publish",
            Post,
            "/api/projects/{project_id}/events/",
            Projects,
            Scope("events:publish"),
        ),
        // The system: figures and connections of all gateways.
        row("monitoring.metrics", Get, "/api/monitoring/websocket/metrics/", Metrics, Admin),
        row(
            "monitoring.connections.list",
            Get,
            "/api/monitoring/websocket/active-connections/",
            Metrics,
            Admin,
        ),
        row(
            "monitoring.connections.disconnect",
            Post,
            "/api/monitoring/websocket/connections/{connection_id}/disconnect/",
            Metrics,
            Admin,
        ),
    ]
};

/// The route for a request.
pub fn route_at(method: &str, path: &str) -> RouteMatch {
    static ROUTER: LazyLock<Router<Vec<&'static Route>>> =
        LazyLock::new(|| path::grouped_router(ROUTES.iter().map(|route| (route.pattern, route))));
    let Ok(found) = ROUTER.at(path) else { return RouteMatch::NotFound };
    let Some(parameters) = path::decode(&found.params) else { return RouteMatch::NotFound };
    match found.value.iter().find(|route| route.method.as_str() == method) {
        Some(route) => RouteMatch::Found(route, parameters),
        None => RouteMatch::MethodNotAllowed(found.value.iter().map(|route| route.method.as_str()).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_path_wins_over_a_parameter() {
        let RouteMatch::Found(route, _) = route_at("POST", "/api/notifications/read-all") else {
            panic!("no route")
        };
        assert_eq!(route.name, "notifications.read-all");
        let RouteMatch::Found(route, parameters) = route_at("POST", "/api/notifications/7/read/") else {
            panic!("no route")
        };
        assert_eq!((route.name, parameters["notification_id"].as_str()), ("notifications.read", "7"));
    }

    #[test]
    fn a_wrong_method_names_the_right_ones() {
        let RouteMatch::MethodNotAllowed(methods) = route_at("PUT", "/api/auth/orgs/") else {
            panic!("a route")
        };
        assert_eq!(methods, ["GET", "POST"]);
        assert!(matches!(route_at("GET", "/api/nothing/"), RouteMatch::NotFound));
    }
}
