//! Pages of lists: how many entries a caller wants, and how many fit a message of the bus.

use carillon_contract::messages::HttpRequest;
use carillon_service::http::{self, Problem};
use serde_json::Value;

/// The most bytes of a page; a single entry may have more.
const MAX_BYTES: usize = 1_000_000;

/// `?limit=`
///
/// # Errors
/// 422 for one that is not from 1 to `most`.
pub(crate) fn limit(request: &HttpRequest, default: usize, most: usize) -> Result<usize, Problem> {
    let limit = http::query::<usize>(request, "limit")?.unwrap_or(default);
    if !(1..=most).contains(&limit) {
        return Err(Problem::unprocessable("limit", &format!("must be 1 to {most}")));
    }
    Ok(limit)
}

/// The first of these entries, as many as fit a page.
pub(crate) fn fitting(entries: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut bytes = 0;
    let mut fits = |entry: &Value| {
        let is_first = bytes == 0;
        bytes += entry.to_string().len();
        is_first || bytes <= MAX_BYTES
    };
    entries.take_while(|entry| fits(entry)).collect()
}
