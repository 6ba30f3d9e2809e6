//! Pages of lists: how many entries fit a message of the bus.

use serde_json::Value;

/// The most bytes of a page; a single entry may have more.
const MAX_BYTES: usize = 1_000_000;

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
