//! Creating something once, though the request for it may come twice.

use carillon_contract::messages::HttpRequest;
use carillon_service::http::Problem;

use crate::random::random_id;

/// The longest `Idempotency-Key`.
const MAX_KEY: usize = 255;

/// What became of a request to create something.
pub(crate) enum Created<T> {
    /// It has been created.
    Now(T),
    /// An earlier delivery of the same request has created it.
    Before(T),
    /// The place is taken by something else.
    Taken,
}

impl<T> Created<T> {
    /// What was created, now or before.
    ///
    /// # Errors
    /// 409 with this detail if the place is taken.
    pub(crate) fn or_conflict(self, detail: &str) -> Result<T, Problem> {
        match self {
            Self::Now(created) | Self::Before(created) => Ok(created),
            Self::Taken => Err(Problem::conflict(detail)),
        }
    }
}

/// What tells a repeated request from a new one: the caller's key, or else the gateway's number.
///
/// # Errors
/// 400 if the caller's key is too long.
pub(crate) fn cause(request: &HttpRequest) -> Result<String, Problem> {
    let key = &request.idempotency_key;
    if key.len() > MAX_KEY {
        return Err(Problem::bad_request("the Idempotency-Key is too long"));
    }
    let route = &request.route;
    let caller = request.identity.as_ref().map_or("", |identity| identity.user.as_str());
    Ok(match (key.as_str(), request.request.as_str()) {
        ("", "") => random_id(),
        ("", number) => format!("request:{route}:{number}"),
        (key, _) => format!("key:{route}:{caller}:{key}"),
    })
}
