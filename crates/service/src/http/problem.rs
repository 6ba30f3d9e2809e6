//! Errors as HTTP clients see them: problem bodies (RFC 9457).

use std::collections::BTreeMap;

use carillon_bus::RequestError;
use carillon_contract::messages::HttpReply;
use carillon_store::StoreError;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::Failure;

/// Seconds after which to try again what the bus or a database could not do.
const RETRY_AFTER: u32 = 2;

/// Why a request was refused: a status, and one line that the caller can act on.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// What else the caller needs to know (RFC 9457, section 3.2).
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    extension: Option<Box<Map<String, Value>>>,
    #[serde(skip)]
    retry_after: Option<u32>,
    /// A header that belongs to this status alone.
    #[serde(skip)]
    header: Option<Box<(&'static str, String)>>,
}

impl Problem {
    fn new(status: u16, title: &'static str, detail: impl Into<String>) -> Self {
        let (kind, detail) = ("about:blank", detail.into());
        let (field, extension, retry_after, header) = (None, None, None, None);
        Self { kind, title, status, detail, field, extension, retry_after, header }
    }

    fn with(self, header: &'static str, value: String) -> Self {
        Self { header: Some(Box::new((header, value))), ..self }
    }

    /// With one more member of the body.
    #[must_use]
    pub fn and(mut self, name: &str, value: Value) -> Self {
        self.extension.get_or_insert_default().insert(name.to_owned(), value);
        self
    }

    /// 400: the request can't be read.
    pub fn bad_request(detail: &str) -> Self {
        Self::new(400, "Bad Request", detail)
    }

    /// 401: no token, or one that is not valid.
    pub fn unauthorized(detail: &str) -> Self {
        Self::new(401, "Unauthorized", detail)
    }

    /// 403: not for this caller.
    pub fn forbidden(detail: &str) -> Self {
        Self::new(403, "Forbidden", detail)
    }

    /// 404: there is no such thing.
    pub fn not_found(detail: &str) -> Self {
        Self::new(404, "Not Found", detail)
    }

    /// 405: the path has other methods, these.
    pub fn method_not_allowed(allowed: &[&str]) -> Self {
        let allowed = allowed.join(", ");
        let problem = Self::new(405, "Method Not Allowed", format!("this path has {allowed}"));
        problem.with("allow", allowed)
    }

    /// 408: the request took too long to arrive.
    pub fn request_timeout(detail: &str) -> Self {
        Self::new(408, "Request Timeout", detail)
    }

    /// 409: it can't be done as things are.
    pub fn conflict(detail: &str) -> Self {
        Self::new(409, "Conflict", detail)
    }

    /// 413: the body is too large.
    pub fn too_large(detail: &str) -> Self {
        Self::new(413, "Content Too Large", detail)
    }

    /// 415: not the type that is taken here.
    pub fn unsupported_media_type(detail: &str) -> Self {
        Self::new(415, "Unsupported Media Type", detail)
    }

    /// 416: no such part of what has this many bytes.
    pub fn range_not_satisfiable(size: u64) -> Self {
        let problem = Self::new(416, "Range Not Satisfiable", format!("there are {size} bytes"));
        problem.with("content-range", format!("bytes */{size}"))
    }

    /// 422: well-formed, but this field is not what it must be.
    pub fn unprocessable(field: &str, detail: &str) -> Self {
        Self { field: Some(field.to_owned()), ..Self::new(422, "Unprocessable Content", detail) }
    }

    /// 426: another protocol is spoken here, or another version of it, which this header names.
    pub fn upgrade_required(header: &'static str, value: &str, detail: &str) -> Self {
        Self::new(426, "Upgrade Required", detail).with(header, value.to_owned())
    }

    /// 429: come back in so many seconds.
    pub fn too_many_requests(retry_after: u32, detail: &str) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(429, "Too Many Requests", detail) }
    }

    /// 500: a fault of ours, of which the log has more.
    pub fn internal() -> Self {
        Self::new(500, "Internal Server Error", "something went wrong on our side")
    }

    /// 503: something that is needed is away; try again in a moment.
    pub fn unavailable(detail: &str) -> Self {
        Self { retry_after: Some(RETRY_AFTER), ..Self::new(503, "Service Unavailable", detail) }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The line that tells the caller what is wrong.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The reply that carries this problem.
    pub fn into_reply(self) -> HttpReply {
        let mut headers = BTreeMap::new();
        if let Some(seconds) = self.retry_after {
            headers.insert("retry-after".to_owned(), seconds.to_string());
        }
        if let Some(header) = &self.header {
            headers.insert(header.0.to_owned(), header.1.clone());
        }
        if self.status == 401 {
            headers.insert("www-authenticate".to_owned(), "Bearer".to_owned());
        }
        HttpReply {
            status: self.status.into(),
            content_type: "application/problem+json".to_owned(),
            headers,
            body: serde_json::to_vec(&self).unwrap_or_default().into(),
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable(detail) => Self::unavailable(&detail),
            Failure::Malformed(detail) => Self::bad_request(&detail),
            Failure::UnknownMethod | Failure::Internal(_) => Self::internal(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Failure::from(error).into()
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        Failure::from(error).into()
    }
}
