//! What is to be published.

use std::io::Read;

use anyhow::Context;
use serde_json::{Map, Value};

use crate::output::Usage;

/// The most that any route takes, and a little.
const MAX: u64 = 4 * 1024 * 1024;

/// The JSON object that an argument stands for.
///
/// # Errors
/// A file that can't be read, or what is no JSON object.
pub(super) async fn payload(argument: &str) -> anyhow::Result<Map<String, Value>> {
    let text = match argument.strip_prefix('@') {
        Some(file) => tokio::fs::read_to_string(file).await.with_context(|| format!("reading {file}"))?,
        None if argument == "-" => standard_input().context("reading standard input")?,
        None => argument.to_owned(),
    };
    match serde_json::from_str(&text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => {
            Err(Usage("what is published is a JSON object, such as {\"message\":\"Hello\"}".to_owned())
                .into())
        }
        Err(error) => Err(Usage(format!("what is published is not JSON: {error}")).into()),
    }
}

/// Nothing else is to be done meanwhile.
fn standard_input() -> std::io::Result<String> {
    let mut text = String::new();
    std::io::stdin().take(MAX).read_to_string(&mut text)?;
    Ok(text)
}
