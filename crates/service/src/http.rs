//! HTTP requests as services see them: reading parameters and bodies, writing replies.

mod cause;
mod problem;

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use carillon_contract::messages::{HttpReply, HttpRequest, Identity};
use serde::{Serialize, de::DeserializeOwned};

pub use cause::cause;
pub use problem::Problem;

/// A parameter of the route's pattern; empty if the pattern has none of that name.
pub fn parameter<'a>(request: &'a HttpRequest, name: &str) -> &'a str {
    request.parameters.get(name).map_or("", String::as_str)
}

/// A parameter that is the number of something, as it is written where it is shown. `None` for what is none.
pub fn number(request: &HttpRequest, name: &str) -> Option<i64> {
    let text = parameter(request, name);
    text.parse().ok().filter(|number: &i64| *number > 0 && number.to_string() == text)
}

/// A value of the query, if it is there.
///
/// # Errors
/// 422 if it is there and can't be read.
pub fn query<T: FromStr>(request: &HttpRequest, name: &str) -> Result<Option<T>, Problem> {
    let Some(text) = request.query.get(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    // No database stores it, so nothing is found by it, and Postgres would refuse the statement.
    if text.contains('\0') {
        return Err(Problem::unprocessable(name, "must not hold the character U+0000"));
    }
    text.parse().map(Some).map_err(|_| Problem::unprocessable(name, "can't be read"))
}

/// How many entries a page is to have: the query's `limit`, else `default`; from 1 to `most`.
///
/// # Errors
/// 422 for any other.
pub fn limit<T>(request: &HttpRequest, default: T, most: T) -> Result<T, Problem>
where
    T: FromStr + From<u8> + PartialOrd + Copy + Display,
{
    let limit = query(request, "limit")?.unwrap_or(default);
    if (T::from(1)..=most).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::unprocessable("limit", &format!("must be 1 to {most}")))
}

/// The caller.
///
/// # Errors
/// 401 if there is none.
pub fn user(request: &HttpRequest) -> Result<&Identity, Problem> {
    request.identity.as_ref().ok_or_else(|| Problem::unauthorized("a token is needed"))
}

/// The body, read as JSON.
///
/// # Errors
/// 400 for what is not JSON; 422 naming the field for what has the wrong type or is missing.
pub fn body<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(&request.body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        refused(&request.body, &path, error.inner())
    })?;
    deserializer.end().map_err(malformed)?;
    Ok(value)
}

/// A reply with a JSON body.
pub fn json<T: Serialize>(status: u16, value: &T) -> HttpReply {
    match serde_json::to_vec(value) {
        Ok(body) => HttpReply {
            status: status.into(),
            content_type: "application/json".to_owned(),
            headers: BTreeMap::new(),
            body: body.into(),
        },
        Err(error) => {
            tracing::error!(%error, "a reply could not be written as JSON");
            Problem::internal().into_reply()
        }
    }
}

/// 204, without a body.
pub fn no_content() -> HttpReply {
    HttpReply { status: 204, ..HttpReply::default() }
}

/// Tells what is no JSON at all from what is JSON of another shape: serde stops at whichever it
/// meets first, so the rest has to be looked at.
fn refused(body: &[u8], path: &str, error: &serde_json::Error) -> Problem {
    if let Err(syntax) = serde_json::from_slice::<serde::de::IgnoredAny>(body) {
        return malformed(syntax);
    }
    let detail = error.to_string();
    let detail = detail.split(" at line ").next().unwrap_or_default();
    let field = missing_field(detail).map_or_else(|| whole(path).to_owned(), |name| joined(path, name));
    Problem::unprocessable(&field, detail)
}

fn malformed(error: serde_json::Error) -> Problem {
    Problem::bad_request(&format!("the body is not JSON: {error}"))
}

fn missing_field(detail: &str) -> Option<&str> {
    detail.strip_prefix("missing field `")?.strip_suffix('`')
}

/// The path `.` is the body itself.
fn whole(path: &str) -> &str {
    if path == "." { "body" } else { path }
}

fn joined(path: &str, name: &str) -> String {
    if path == "." { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Outer {
        #[allow(dead_code)]
        inner: Inner,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[allow(dead_code)]
        count: u32,
    }

    fn problem(text: &'static str) -> (u32, String) {
        let request = HttpRequest { body: text.into(), ..HttpRequest::default() };
        let reply = body::<Outer>(&request).expect_err("a problem").into_reply();
        let body: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
        (reply.status, body["field"].as_str().unwrap_or_default().to_owned())
    }

    #[test]
    fn what_is_not_json_is_400_and_what_has_another_shape_is_422_with_its_field() {
        assert_eq!(problem(""), (400, String::new()));
        assert_eq!(problem("{\"inner\":{\"count\":\"x\"}"), (400, String::new()));
        assert_eq!(problem("{\"inner\":{\"count\":1}} x"), (400, String::new()));
        assert_eq!(problem("{\"inner\":{\"count\":\"x\"}}"), (422, "inner.count".to_owned()));
        assert_eq!(problem("{\"inner\":{}}"), (422, "inner.count".to_owned()));
        assert_eq!(problem("{}"), (422, "inner".to_owned()));
        assert_eq!(problem("[]"), (422, "body".to_owned()));
    }
}
