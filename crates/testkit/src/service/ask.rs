//! HTTP requests as the gateway passes them on.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use carillon_contract::messages::{HttpReply, HttpRequest, Identity};
use serde_json::Value;

/// Somebody with a token.
pub fn user(id: &str) -> Identity {
    Identity { user: id.to_owned(), ..Identity::default() }
}

/// An admin.
pub fn admin() -> Identity {
    Identity { roles: vec!["admin".to_owned()], ..user("4") }
}

/// A back end with a service token.
pub fn service(token: &str, scope: &str) -> Identity {
    Identity { service: true, token: token.to_owned(), scopes: vec![scope.to_owned()], ..Identity::default() }
}

/// A request under construction.
#[derive(Debug, Clone)]
pub struct Ask(pub HttpRequest);

impl Ask {
    /// A request of its own to a route, by nobody.
    pub fn new(route: &str) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(HttpRequest {
            request: format!("request-{}", NEXT.fetch_add(1, Ordering::Relaxed)),
            route: route.to_owned(),
            address: "127.0.0.1".to_owned(),
            ..HttpRequest::default()
        })
    }

    /// With this identity.
    pub fn by(mut self, identity: Identity) -> Self {
        self.0.identity = Some(identity);
        self
    }

    /// With this JSON.
    pub fn body(self, body: &Value) -> Self {
        self.bytes(body.to_string())
    }

    /// With this body, whatever it is.
    pub fn bytes(mut self, body: impl Into<Bytes>) -> Self {
        self.0.body = body.into();
        self
    }

    /// With this `Idempotency-Key`.
    pub fn key(mut self, key: &str) -> Self {
        self.0.idempotency_key = key.to_owned();
        self
    }

    /// With this parameter of the route's pattern.
    pub fn parameter(mut self, name: &str, value: impl ToString) -> Self {
        self.0.parameters.insert(name.to_owned(), value.to_string());
        self
    }

    /// With this in its query.
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.0.query.insert(name.to_owned(), value.to_string());
        self
    }
}

/// An HTTP reply, read.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u32,
    /// Headers beside the content type.
    pub headers: BTreeMap<String, String>,
    /// The JSON body; null if there is none.
    pub body: Value,
}

impl Answer {
    /// Reads a reply.
    ///
    /// # Panics
    /// If it has a body that isn't JSON.
    pub fn of(reply: HttpReply) -> Self {
        let body = match &reply.body[..] {
            [] => Value::Null,
            body => serde_json::from_slice(body).expect("JSON"),
        };
        Self { status: reply.status, headers: reply.headers.into_iter().collect(), body }
    }

    /// The body of a success.
    ///
    /// # Panics
    /// If it was refused.
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        self.body
    }
}
