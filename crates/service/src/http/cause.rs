//! What makes a repeated request harmless.

use carillon_contract::messages::HttpRequest;

use super::Problem;

const MAX_KEY: usize = 255;

/// The cause of what a request does: the caller's idempotency key, or the request itself, which
/// the gateway repeats under the same name.
///
/// # Errors
/// A key that is too long.
pub fn cause(request: &HttpRequest) -> Result<String, Problem> {
    match request.idempotency_key.as_str() {
        "" => Ok(format!("request:{}", request.request)),
        key if key.len() > MAX_KEY => {
            Err(Problem::bad_request("an Idempotency-Key has at most 255 characters"))
        }
        key => {
            let caller = caller(request);
            Ok(format!("key:{}:{caller}:{key}", caller.len()))
        }
    }
}

/// Keys of different callers have nothing to do with each other.
fn caller(request: &HttpRequest) -> String {
    match &request.identity {
        None => format!("anonymous:{}", request.address),
        Some(identity) if identity.service => format!("service:{}", identity.token),
        Some(identity) => format!("user:{}", identity.user),
    }
}

#[cfg(test)]
mod tests {
    use carillon_contract::messages::Identity;

    use super::*;

    fn request(user: Option<&str>, key: &str) -> HttpRequest {
        let identity = user.map(|user| Identity { user: user.to_owned(), ..Identity::default() });
        HttpRequest {
            request: "r1".to_owned(),
            idempotency_key: key.to_owned(),
            identity,
            ..HttpRequest::default()
        }
    }

    #[test]
    fn a_key_is_scoped_to_its_caller() {
        let cause = |user, key| super::cause(&request(user, key)).expect("a cause");
        assert_eq!(cause(Some("1"), "k"), "key:6:user:1:k");
        assert_ne!(cause(Some("1"), "2:k"), cause(Some("1:2"), "k"));
        assert_ne!(cause(None, "k"), cause(Some("1"), "k"));
        assert_eq!(cause(Some("1"), ""), "request:r1");
        assert!(super::cause(&request(None, &"k".repeat(256))).is_err());
    }
}
