//! Gateways that speak TLS themselves (S4-09): what clients are promised holds over TLS, for clients of other make too.

use anyhow::{Context, ensure};
use carillon_testkit::{Deployment, now, unique};
use serde_json::json;

use crate::{
    attachments, chat_rooms,
    checks::connect,
    clients::Program,
    commands::probe,
    event_streams, protocol, shared_documents,
    suite::{Suite, secure},
};

pub(crate) fn register(suite: &mut Suite) {
    secure!(
        suite,
        wscat_websockets_and_curl_connect,
        what_is_longer_than_a_record_is_heard_everywhere,
        plain_http_is_told_and_counted,
        protocol::a_message_may_have_64_kib_and_no_more,
        protocol::a_violation_of_the_protocol_closes_with_1002,
        protocol::text_that_is_not_utf_8_closes_with_1007,
        protocol::a_fragmented_message_is_one_message,
        protocol::a_close_is_answered_with_its_code,
        chat_rooms::s2_01_a_message_reaches_everyone_in_the_room,
        chat_rooms::s2_01_what_was_missed_is_recovered_from_the_first_place_asked_for,
        chat_rooms::s2_02_coming_and_going_is_told_once_for_each_user,
        event_streams::an_event_source_hears_what_a_socket_hears,
        event_streams::what_was_missed_is_had_by_the_last_id_on_any_gateway,
        attachments::s4_04_a_message_carries_a_file_that_participants_download,
        shared_documents::yjs_clients_converge_and_a_late_one_gets_the_text,
        probe::s0_13_probe_visits_every_endpoint,
    );
}

/// Clients of other make, each of which checks the certificate.
async fn wscat_websockets_and_curl_connect(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let [first, second] = deployment.gateways();
    let path = format!("/ws/notifications/?token={}", user.token);
    let (url, other) = (format!("{}{path}", first.websocket), format!("{}{path}", second.websocket));
    let mut wscat = Program::shell(&format!("wscat -c '{url}'"))?;
    let mut javascript = Program::javascript(&format!(
        "const socket = new WebSocket('{other}');
         socket.onmessage = (event) => console.log('heard', event.data);"
    ))?;
    let mut python = Program::python(&format!(
        "import asyncio, websockets
async def main():
    async with websockets.connect('{url}') as socket:
        async for message in socket:
            print('heard', message)
asyncio.run(main())"
    ))?;
    for client in [&mut wscat, &mut javascript, &mut python] {
        client.line("connection.established").await?;
    }
    let mut curl = Program::shell(&format!(
        "curl -sS --fail -w '%{{http_version}} %{{ssl_verify_result}}\\n' -o /dev/null \\
         -H 'authorization: Bearer {}' {}/api/notifications/",
        user.token, second.http
    ))?;
    curl.line("1.1 0").await?;
    let title = unique("over TLS");
    let body = json!({"user_id": user.id, "title": title, "message": "Hello"});
    deployment.admin().await?.notify(&body).await?;
    for mut client in [wscat, javascript, python] {
        client.line(&title).await?;
        client.stop().await?;
    }
    Ok(())
}

/// An event of more than a record of TLS holds.
async fn what_is_longer_than_a_record_is_heard_everywhere(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let org = deployment.org(&[&user]).await?;
    let [first, second] = deployment.gateways();
    let path = format!("/ws/events/{org}/");
    let mut here = connect(first, &path, &user.token).await?;
    let mut there = connect(second, &path, &user.token).await?;
    let text = format!("{} {}", unique("long"), "word ".repeat(10_000));
    let event = json!({"event_type": "resource.created", "data": {"text": text}});
    deployment.admin().await?.publish(&org, &event).await?;
    for socket in [&mut here, &mut there] {
        socket.next_where("it", |frame| frame["data"]["text"] == text.as_str()).await?;
    }
    Ok(())
}

/// A client that speaks no TLS hears what is spoken, and metrics tell of it, and of the certificate.
async fn plain_http_is_told_and_counted(deployment: &Deployment) -> anyhow::Result<()> {
    let [gateway, _] = deployment.gateways();
    let plain = gateway.http.replace("https://", "http://");
    let refused = reqwest::get(&plain).await?;
    ensure!(refused.status() == 400, "{}", refused.status());
    ensure!(refused.text().await?.contains("https://"));
    let metrics = reqwest::get(format!("{}/metrics", gateway.operations)).await?.text().await?;
    let value = |name: &str| -> anyhow::Result<f64> {
        let line = metrics.lines().find(|line| line.starts_with(name)).context(name.to_owned())?;
        Ok(line.rsplit(' ').next().unwrap_or_default().parse()?)
    };
    ensure!(value("carillon_gateway_tls_handshakes_total{outcome=\"plain_http\"}")? >= 1.0);
    ensure!(value("carillon_gateway_tls_handshakes_total{outcome=\"completed\"}")? >= 1.0);
    let left = value("carillon_gateway_tls_certificate_expiry_timestamp_seconds")? - now() as f64;
    ensure!((29.0..31.0).contains(&(left / 86_400.0)), "{left}");
    Ok(())
}
