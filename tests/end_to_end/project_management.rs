//! Document 0: project management.

use carillon_testkit::Deployment;
use serde_json::json;

use crate::{
    checks::has,
    suite::{Suite, both},
};

pub(crate) fn register(suite: &mut Suite) {
    both!(suite, s0_01_the_token_is_in_the_query_or_in_a_header);
}

/// S0-01: `/ws/notifications/`, token as `?token=` or as `Authorization: Bearer`; with and without the
/// last slash.
async fn s0_01_the_token_is_in_the_query_or_in_a_header(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    for path in ["/ws/notifications/", "/ws/notifications"] {
        for handshake in
            [deployment.socket(path)?.token(&user.token), deployment.socket(path)?.bearer(&user.token)]
        {
            let mut socket = handshake.open().await?;
            has(
                &socket.next_json().await?,
                &json!({"type": "connection.established", "user_id": user.id_json()}),
            )?;
            socket.close().await?;
        }
    }
    Ok(())
}
