//! The limits of clients: each at its edge, over one gateway and over two.

mod addresses;
mod floods;
mod messages;

use std::net::SocketAddr;

use serde_json::Value;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest, http::HeaderValue};

use crate::{
    bed::{Bed, until},
    client::{Client, within},
};

const PATH: &str = "/ws/notifications/";

/// Options of a gateway that believes what its clients say of where they are.
const BEHIND: [&str; 2] = ["--trusted-proxies", "127.0.0.1"];

/// A client at some address, as a proxy in front of the gateway has it.
async fn from(address: &str, gateway: SocketAddr, path: &str) -> Client {
    let mut request = format!("ws://{gateway}{path}").into_client_request().expect("a request");
    let value = HeaderValue::from_str(address).expect("a header");
    request.headers_mut().insert("x-forwarded-for", value);
    let (socket, _) = within(tokio_tungstenite::connect_async(request)).await.expect("a handshake");
    Client(socket)
}

/// One that is greeted.
async fn greeted(address: &str, gateway: SocketAddr) -> Client {
    let mut client = from(address, gateway, PATH).await;
    assert_eq!(client.json().await["type"], "greeting");
    client
}

/// The milliseconds after which it is told to come back, and the reason with which it is closed.
async fn over(mut client: Client) -> (u64, String) {
    let told: Value = client.json().await;
    assert_eq!(told["type"], "reconnect", "{told}");
    let (code, reason) = client.closed_at_once().await;
    assert_eq!(code, 4429);
    (told["after_ms"].as_u64().expect("milliseconds"), reason)
}

/// Whether a client gets in: the gateway may not know yet that there is room, or none.
async fn gets_in(address: &str, gateway: SocketAddr) -> Option<Client> {
    let mut client = from(address, gateway, PATH).await;
    match client.next().await {
        Message::Text(text) if text.contains("greeting") => Some(client),
        _ => None,
    }
}

/// Waits until a client gets in.
async fn let_in(address: &str, gateway: SocketAddr) -> Client {
    within(async {
        loop {
            if let Some(client) = gets_in(address, gateway).await {
                return client;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await
}

/// Waits until a gateway knows of so many connections at others, counted by address.
async fn knows(bed: &Bed, elsewhere: f64) {
    knows_by("address", bed, elsewhere).await;
}

async fn knows_by(by: &str, bed: &Bed, elsewhere: f64) {
    until("it is told", || bed.metric("carillon_gateway_connections_elsewhere", by) == elsewhere).await;
}

fn limited(bed: &Bed, limit: &str) -> f64 {
    bed.metric("carillon_gateway_limited_total", limit)
}
