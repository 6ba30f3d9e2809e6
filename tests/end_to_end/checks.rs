//! Comparing frames with what the documents show.

use anyhow::ensure;
use serde_json::Value;

/// Checks that `frame` has every field of `expected`, at any depth, with the same value. It may have more: what the
/// documents define never changes, what Carillon adds are further fields.
pub(crate) fn has(frame: &Value, expected: &Value) -> anyhow::Result<()> {
    ensure!(covers(frame, expected), "expected at least {expected}, got {frame}");
    Ok(())
}

/// Checks that these fields of `value` are texts that aren't empty.
pub(crate) fn has_texts(value: &Value, fields: &[&str]) -> anyhow::Result<()> {
    for field in fields {
        ensure!(value[field].as_str().is_some_and(|text| !text.is_empty()), "no text {field} in {value}");
    }
    Ok(())
}

fn covers(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (Value::Object(value), Value::Object(expected)) => expected
            .iter()
            .all(|(name, expected)| value.get(name).is_some_and(|value| covers(value, expected))),
        _ => value == expected,
    }
}
