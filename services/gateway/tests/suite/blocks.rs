//! Users and addresses that are blocked: closed, and kept out, until the block is lifted or ends.

use std::net::SocketAddr;

use carillon_contract::{
    Channel,
    messages::{AccessChange, Block, access_change::Change},
};
use prost::Message;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::{client::IntoClientRequest, http::HeaderValue};

use crate::{
    bed::{Bed, token, until, with_gateway},
    client::{Client, within},
};

const PATH: &str = "/ws/notifications/";
const BEHIND: [&str; 2] = ["--trusted-proxies", "127.0.0.1"];

fn user(user: &str) -> Block {
    Block { user: user.into(), ..Block::default() }
}

fn network(network: &str) -> Block {
    Block { network: network.into(), ..Block::default() }
}

async fn change(bed: &Bed, change: Change) {
    let change = AccessChange { change: Some(change) };
    bed.services.emit(&Channel::access(), change.encode_to_vec()).await;
}

async fn from(address: &str, gateway: SocketAddr, path: &str) -> Client {
    let mut request = format!("ws://{gateway}{path}").into_client_request().expect("a request");
    let value = HeaderValue::from_str(address).expect("a header");
    request.headers_mut().insert("x-forwarded-for", value);
    Client(within(tokio_tungstenite::connect_async(request)).await.expect("a handshake").0)
}

async fn greeted(address: &str, gateway: SocketAddr, path: &str) -> Client {
    let mut client = from(address, gateway, path).await;
    assert_eq!(client.json().await["type"], "greeting");
    client
}

/// The status of a request's answer.
async fn status(bed: &Bed, address: &str, path: &str, token: &str) -> u16 {
    let mut socket = TcpStream::connect(bed.address).await.expect("a connection");
    let authorization =
        if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Forwarded-For: {address}\r\n\
         {authorization}\r\n"
    );
    socket.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    within(socket.read_to_string(&mut answer)).await.expect("an answer");
    answer.split(' ').nth(1).expect("a status").parse().expect("a number")
}

#[test]
fn a_blocked_user_is_closed_and_kept_out_until_the_block_is_lifted() {
    with_gateway(&[], async |bed| {
        let path = |user| format!("{PATH}?token={}", token(user, 3600));
        let chat = format!("/ws/chat/general/?token={}", token("1", 3600));
        let (mut one, mut two) = (bed.greeted(&path("1")).await, bed.greeted(&chat).await);
        let mut other = bed.greeted(&path("2")).await;
        let mut anonymous = bed.listener().await;
        change(bed, Change::Blocked(user("1"))).await;
        assert_eq!(one.closed_at_once().await, (4003, "blocked".to_owned()));
        assert_eq!(two.closed_at_once().await, (4004, "blocked".to_owned()));
        assert_eq!(bed.connect(&path("1")).await.closed_at_once().await, (4003, "blocked".to_owned()));
        assert_eq!(status(bed, "", "/api/notifications/", &token("1", 3600)).await, 403);
        assert_eq!(status(bed, "", "/api/notifications/", &token("2", 3600)).await, 200);
        assert_eq!(bed.metric("carillon_gateway_limited_total", "blocked_user"), 1.0);
        until("their ends are counted", || bed.metric("carillon_gateway_closes_total", "blocked") == 3.0)
            .await;
        change(bed, Change::Unblocked(user("1"))).await;
        bed.services.emit(&Channel::everyone(), "{}").await;
        assert_eq!((other.offset().await, anonymous.offset().await), (1, 1));
        until_in(&path("1"), bed).await;
    });
}

/// Waits until a client gets in: the gateway may not be ready for anyone, either.
async fn until_in(path: &str, bed: &Bed) {
    let attempt = async || {
        let (socket, _) =
            tokio_tungstenite::connect_async(format!("ws://{}{path}", bed.address)).await.ok()?;
        Some(!Client(socket).next().await.is_close())
    };
    within(async { while attempt().await != Some(true) {} }).await;
}

#[test]
fn whoever_is_in_a_blocked_network_is_closed_and_refused() {
    with_gateway(&BEHIND, async |bed| {
        let mut inside = greeted("203.0.113.7", bed.address, PATH).await;
        let mut outside = greeted("203.0.114.7", bed.address, PATH).await;
        change(bed, Change::Blocked(network("203.0.113.0/24"))).await;
        assert_eq!(inside.closed_at_once().await, (4003, "blocked".to_owned()));
        let path = format!("{PATH}?token={}", token("1", 3600));
        assert_eq!(from("203.0.113.8", bed.address, &path).await.closed_at_once().await.0, 4003);
        for path in ["/api/notifications/", "/.well-known/jwks.json", "/blobs/x"] {
            assert_eq!(status(bed, "203.0.113.8", path, &token("1", 3600)).await, 403, "{path}");
        }
        assert_eq!(status(bed, "203.0.114.8", "/.well-known/jwks.json", "").await, 200);
        bed.services.emit(&Channel::everyone(), "{}").await;
        assert_eq!(outside.offset().await, 1);
    });
}

#[test]
fn a_block_that_the_bus_lost_is_found_and_one_that_ends_lets_in() {
    with_gateway(&BEHIND, async |bed| {
        let mut client = greeted("2001:db8::7", bed.address, PATH).await;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time");
        let until = i64::try_from(now.as_micros()).expect("a time") + 2_500_000;
        let block = Block { network: "2001:db8::/64".into(), expires_at: until, ..Block::default() };
        let change = AccessChange { change: Some(Change::Blocked(block)) };
        bed.services.append(&Channel::access(), change.encode_to_vec());
        assert_eq!(client.closed_at_once().await.0, 4003);
        within(async { while from("2001:db8::8", bed.address, PATH).await.next().await.is_close() {} }).await;
    });
}

#[test]
fn a_gateway_that_starts_is_told_who_is_blocked_and_one_that_lost_its_place_who_is_no_longer() {
    with_gateway(&BEHIND, async |bed| {
        bed.services.block(vec![user("1"), network("203.0.113.0/24")]);
        let two = bed.another(&BEHIND).await;
        let path = format!("{PATH}?token={}", token("1", 3600));
        assert_eq!(two.connect(&path).await.closed_at_once().await.0, 4003);
        assert_eq!(from("203.0.113.8", two.address, PATH).await.closed_at_once().await.0, 4003);
        bed.services.block(vec![user("2")]);
        bed.services.lose_logs();
        until_in(&path, &two).await;
        let path = format!("{PATH}?token={}", token("2", 3600));
        assert_eq!(two.connect(&path).await.closed_at_once().await.0, 4003);
        two.shell.shutdown.cancel();
    });
}

#[test]
fn a_block_while_a_session_opens_ends_it() {
    with_gateway(&[], async |bed| {
        let path = format!("/ws/chat/general/?token={}", token("1", 3600));
        let mut hold = bed.services.hold_open();
        let mut opening = bed.connect(&path).await;
        hold.reached().await;
        change(bed, Change::Blocked(user("1"))).await;
        assert_eq!(opening.closed().await, (4004, "blocked".to_owned()));
        drop(hold);
    });
}
