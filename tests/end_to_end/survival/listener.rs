//! What a single client checks.

use anyhow::ensure;
use carillon_testkit::Socket;

/// Checks that a connection is open: a ping is answered, and nothing else was on its way.
pub(super) async fn is_open(socket: &mut Socket) -> anyhow::Result<()> {
    socket.expect_none("something unexpected", |_| true).await
}

/// Waits for the notification of that title, which has to be the next frame.
pub(super) async fn is_told(socket: &mut Socket, title: &str) -> anyhow::Result<()> {
    let frame = socket.next_json().await?;
    ensure!(frame["title"] == title, "expected {title}, got {frame}");
    Ok(())
}
