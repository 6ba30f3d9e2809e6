//! Lists, a page at a time: `?after=` what the last page gave as `next`, and `?limit=`.

use carillon_contract::messages::HttpRequest;
use carillon_service::http::{self, Problem};

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1_000;

/// Which page is wanted.
pub(super) struct Page {
    /// Empty for the first one.
    pub(super) after: String,
    pub(super) limit: u32,
}

impl Page {
    /// # Errors
    /// 422 for a limit that is no number from 1 to 1,000, or a place that no page has given.
    pub(super) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let limit = http::query(request, "limit")?.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Problem::unprocessable("limit", "from 1 to 1,000"));
        }
        let after: String = http::query(request, "after")?.unwrap_or_default();
        if after.chars().any(char::is_control) {
            return Err(Problem::unprocessable("after", "the last page's `next`"));
        }
        Ok(Self { after, limit })
    }

    /// One more than wanted: whether it is there tells whether there is another page.
    pub(super) fn rows(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// The rows of this page, and the key of the last one if another page follows.
    pub(super) fn cut<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
        let more = rows.len() > self.limit as usize;
        rows.truncate(self.limit as usize);
        let next = rows.last().filter(|_| more).map(key);
        (rows, next)
    }
}
