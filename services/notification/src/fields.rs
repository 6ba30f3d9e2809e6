//! A JSON object whose fields keep the text that the caller wrote.

use std::collections::BTreeMap;

use carillon_service::http::Problem;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// The largest body of a notification or an organisation event, in bytes.
pub(crate) const MAX_BODY: usize = 64 * 1_024;

/// The fields of a JSON object: those not taken out are carried through as they came (S1-04).
#[derive(Debug)]
pub(crate) struct Fields(BTreeMap<String, Box<RawValue>>);

/// Why a body or one of its fields can't be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FieldError {
    #[error("The body is larger than {MAX_BODY} bytes")]
    TooLarge,
    #[error("Invalid JSON")]
    NotJson,
    #[error("The body must be a JSON object")]
    NotObject,
    #[error("{field} {expected}")]
    Invalid { field: &'static str, expected: &'static str },
}

impl Fields {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, FieldError> {
        if body.len() > MAX_BODY {
            return Err(FieldError::TooLarge);
        }
        // Raw values are not looked into: this refuses what would be too deep for a client, or no text.
        let value: serde_json::Value = serde_json::from_slice(body).map_err(|_| FieldError::NotJson)?;
        if !value.is_object() {
            return Err(FieldError::NotObject);
        }
        serde_json::from_slice(body).map(Self).map_err(|_| FieldError::NotJson)
    }

    /// Whether the field is there, be it null.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    /// Takes a field out as it came. Null is as good as absent.
    pub(crate) fn take_raw(&mut self, field: &str) -> Option<Box<RawValue>> {
        self.0.remove(field).filter(|value| value.get() != "null")
    }

    /// Takes a field out, and reads it.
    pub(crate) fn take<T: DeserializeOwned>(
        &mut self,
        field: &'static str,
        expected: &'static str,
    ) -> Result<Option<T>, FieldError> {
        self.take_raw(field).map(|value| read(&value, field, expected)).transpose()
    }

    /// What is left, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.get()))
    }
}

/// Reads the value of `field`.
pub(crate) fn read<T: DeserializeOwned>(
    value: &RawValue,
    field: &'static str,
    expected: &'static str,
) -> Result<T, FieldError> {
    serde_json::from_str(value.get()).map_err(|_| FieldError::Invalid { field, expected })
}

/// Whether a raw value is an object.
pub(crate) fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{')
}

/// Appends `"name":value` to the members of a JSON object.
pub(crate) fn push_member(members: &mut String, name: &str, value: &str) {
    if !members.is_empty() {
        members.push(',');
    }
    members.push_str(&quoted(name));
    members.push(':');
    members.push_str(value);
}

/// A text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl From<FieldError> for Problem {
    fn from(error: FieldError) -> Self {
        match &error {
            FieldError::TooLarge => Self::too_large(&error.to_string()),
            FieldError::NotJson => Self::bad_request("the body is not JSON"),
            FieldError::NotObject => Self::unprocessable(".", "must be a JSON object"),
            FieldError::Invalid { field, expected } => Self::unprocessable(field, expected),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_taken_keeps_its_text() {
        let mut fields =
            Fields::parse(br#"{"title":"x","big":123456789012345678901234567890,"n":null}"#).expect("fields");
        assert_eq!(fields.take::<String>("title", "must be a string"), Ok(Some("x".to_owned())));
        assert_eq!(fields.take::<String>("n", "must be a string"), Ok(None));
        assert_eq!(fields.iter().collect::<Vec<_>>(), [("big", "123456789012345678901234567890")]);
    }

    #[test]
    fn what_is_no_object_or_too_deep_or_too_large_is_refused() {
        assert_eq!(Fields::parse(b"[]").expect_err("no object"), FieldError::NotObject);
        for body in ["", "{", "{}x", "{\"a\":\"\\ud800\"}"] {
            assert_eq!(Fields::parse(body.as_bytes()).expect_err(body), FieldError::NotJson);
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(1_000), "]".repeat(1_000));
        assert_eq!(Fields::parse(deep.as_bytes()).expect_err("too deep"), FieldError::NotJson);
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_BODY));
        assert_eq!(Fields::parse(large.as_bytes()).expect_err("too large"), FieldError::TooLarge);
    }
}
