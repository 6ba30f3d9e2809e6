//! Comparing frames and close codes with what the documents show.

use anyhow::{Context, ensure};
use carillon_testkit::{Gateway, Handshake, Socket};
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

/// Checks that an accepted connection is closed with this code.
pub(crate) async fn refused(handshake: Handshake, expected: u16) -> anyhow::Result<()> {
    ends(&mut handshake.open().await?, expected).await
}

/// Checks that an open connection is closed with this code; frames before that are passed over.
pub(crate) async fn ends(socket: &mut Socket, expected: u16) -> anyhow::Result<()> {
    let (code, reason) = socket.expect_close().await?;
    ensure!(code == expected, "closed with {code} {reason}, expected {expected}");
    Ok(())
}

/// Checks that a connection is open, with no other error on its way, and closes it.
pub(crate) async fn lives(mut socket: Socket) -> anyhow::Result<()> {
    socket.expect_none("another error", |frame| frame["type"] == "error").await?;
    socket.close().await
}

/// Opens a connection, and waits for its greeting: from here on nothing is missed.
pub(crate) async fn connect(gateway: &Gateway, path: &str, token: &str) -> anyhow::Result<Socket> {
    greeted(gateway.socket(path)?.token(token)).await
}

/// Opens a connection with any handshake, and waits for its greeting.
pub(crate) async fn greeted(handshake: Handshake) -> anyhow::Result<Socket> {
    let mut socket = handshake.open().await?;
    socket.next_json().await.context("the greeting")?;
    Ok(socket)
}

fn covers(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (Value::Object(value), Value::Object(expected)) => expected
            .iter()
            .all(|(name, expected)| value.get(name).is_some_and(|value| covers(value, expected))),
        _ => value == expected,
    }
}
