//! HTTP requests as the gateway passes them on.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use carillon_contract::messages::{HttpReply, HttpRequest, Identity};
use serde_json::Value;

/// Somebody with a token.
pub(crate) fn user(id: &str) -> Identity {
    Identity { user: id.to_owned(), ..Identity::default() }
}

pub(crate) fn admin() -> Identity {
    Identity { roles: vec!["admin".to_owned()], ..user("4") }
}

/// A back end with a service token.
pub(crate) fn service(token: &str, scope: &str) -> Identity {
    Identity { service: true, token: token.to_owned(), scopes: vec![scope.to_owned()], ..Identity::default() }
}

#[derive(Debug, Clone)]
pub(crate) struct Ask(pub(crate) HttpRequest);

impl Ask {
    /// A request of its own to a route, by nobody.
    pub(crate) fn new(route: &str) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(HttpRequest {
            request: format!("request-{}", NEXT.fetch_add(1, Ordering::Relaxed)),
            route: route.to_owned(),
            address: "127.0.0.1".to_owned(),
            ..HttpRequest::default()
        })
    }

    pub(crate) fn by(mut self, identity: Identity) -> Self {
        self.0.identity = Some(identity);
        self
    }

    pub(crate) fn body(self, body: &Value) -> Self {
        self.bytes(body.to_string())
    }

    pub(crate) fn bytes(mut self, body: impl Into<Bytes>) -> Self {
        self.0.body = body.into();
        self
    }

    pub(crate) fn key(mut self, key: &str) -> Self {
        self.0.idempotency_key = key.to_owned();
        self
    }

    pub(crate) fn parameter(mut self, name: &str, value: impl ToString) -> Self {
        self.0.parameters.insert(name.to_owned(), value.to_string());
        self
    }

    pub(crate) fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.0.query.insert(name.to_owned(), value.to_string());
        self
    }
}

/// An HTTP reply, read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u32,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn of(reply: HttpReply) -> Self {
        let body = match &reply.body[..] {
            [] => Value::Null,
            body => serde_json::from_slice(body).expect("JSON"),
        };
        Self { status: reply.status, headers: reply.headers.into_iter().collect(), body }
    }

    /// The body of a success.
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        self.body
    }
}
