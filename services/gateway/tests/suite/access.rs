//! Access that ends: revocations and memberships, told by auth's log.

use carillon_contract::{
    Channel,
    messages::{AccessChange, MembershipEnded, TokenRevoked, UserRevoked, access_change::Change},
};
use prost::Message;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    bed::{Bed, token, with_gateway},
    client::{Client, within},
};

pub(crate) fn change(change: Change) -> Vec<u8> {
    AccessChange { change: Some(change) }.encode_to_vec()
}

#[test]
fn a_revoked_user_is_closed_and_stays_out() {
    with_gateway(&[], async |bed| {
        let path = |user| format!("/ws/notifications/?token={}", token(user, 3600));
        let mut one = bed.greeted(&path("1")).await;
        let mut other = bed.greeted(&path("2")).await;
        let revoked = UserRevoked { user: "1".into(), before: i64::MAX, forget_at: i64::MAX };
        bed.services.emit(&Channel::access(), change(Change::UserRevoked(revoked))).await;
        assert_eq!(one.closed().await, (4001, "token revoked".to_owned()));
        assert_eq!(bed.connect(&path("1")).await.closed().await, (4001, "token revoked".to_owned()));
        bed.services.emit(&Channel::everyone(), "{}").await;
        assert_eq!(other.offset().await, 1);
    });
}

#[test]
fn a_revocation_that_the_bus_lost_is_found() {
    with_gateway(&[], async |bed| {
        let mut client = bed.greeted(&format!("/ws/notifications/?token={}", token("1", 3600))).await;
        let revoked = TokenRevoked { token: "of-1".into(), forget_at: i64::MAX };
        bed.services.append(&Channel::access(), change(Change::TokenRevoked(revoked)));
        assert_eq!(client.closed().await, (4001, "token revoked".to_owned()));
    });
}

#[test]
fn a_foreign_page_can_not_send_where_anyone_may() {
    with_gateway(&["--cors-origins", "https://listed.example"], async |bed| {
        for (origin, allowed) in [
            ("Origin: https://evil.example\r\n", false),
            ("Origin: null\r\n", false),
            ("Origin: https://listed.example\r\n", true),
            ("Origin: http://localhost:3000\r\n", true),
            ("", true),
        ] {
            let mut socket = TcpStream::connect(bed.address).await.expect("a connection");
            let request = format!(
                "POST /api/notifications/send/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                 {origin}Content-Length: 2\r\n\r\n{{}}"
            );
            socket.write_all(request.as_bytes()).await.expect("sent");
            let mut answer = String::new();
            within(socket.read_to_string(&mut answer)).await.expect("an answer");
            assert_eq!(!answer.starts_with("HTTP/1.1 403"), allowed, "{origin}{answer}");
        }
    });
}

#[test]
fn a_membership_that_ends_closes_what_needed_it() {
    with_gateway(&[], async |bed| {
        let token = token("1", 3600);
        let mut needs = bed.greeted(&format!("/ws/events/acme/?token={token}")).await;
        let mut elsewhere = bed.greeted(&format!("/ws/events/other/?token={token}")).await;
        let ended = MembershipEnded { user: "1".into(), resource: "org.acme".into() };
        bed.services.emit(&Channel::access(), change(Change::MembershipEnded(ended))).await;
        assert_eq!(needs.closed().await.0, 4003);
        bed.services.emit(&Channel::org("other").expect("a channel"), "{}").await;
        assert_eq!(elsewhere.offset().await, 1);
    });
}

pub(crate) async fn end_membership(bed: &Bed, user: &str, resource: &str) {
    let ended = MembershipEnded { user: user.into(), resource: resource.into() };
    bed.services.emit(&Channel::access(), change(Change::MembershipEnded(ended))).await;
}

fn chat(user: &str) -> String {
    format!("/ws/chat/general/?token={}", token(user, 3600))
}

async fn hears(bed: &Bed, client: &mut Client, channel: &Channel) {
    let offset = bed.services.emit(channel, "{}").await.offset;
    assert_eq!(client.offset().await, offset);
}

#[test]
fn a_membership_that_an_owner_requires_counts_like_an_endpoints() {
    with_gateway(&[], async |bed| {
        let room = Channel::new("room", &["general"]).expect("a channel");
        let mut needs_none = bed.greeted(&chat("1")).await;
        bed.services.require("project.7");
        let mut needs = bed.greeted(&chat("1")).await;
        let mut both = bed.greeted(&format!("/ws/events/acme/?token={}", token("1", 3600))).await;
        end_membership(bed, "1", "project.8").await;
        end_membership(bed, "2", "project.7").await;
        hears(bed, &mut needs, &room).await;
        // A new token changes nothing about it.
        needs.send(&format!("{{\"type\":\"refresh\",\"token\":\"{}\"}}", token("1", 3600))).await;
        assert_eq!(needs.json().await["type"], "refreshed");
        end_membership(bed, "1", "project.7").await;
        assert_eq!(needs.closed_at_once().await, (4004, "no longer a member".to_owned()));
        assert_eq!(both.closed_at_once().await.0, 4003);
        let mut both = bed.greeted(&format!("/ws/events/acme/?token={}", token("1", 3600))).await;
        end_membership(bed, "1", "org.acme").await;
        assert_eq!(both.closed_at_once().await.0, 4003);
        assert_eq!(needs_none.offset().await, 1);
        hears(bed, &mut needs_none, &room).await;
    });
}

#[test]
fn a_membership_that_ends_after_the_owner_looked_lets_nobody_in() {
    with_gateway(&[], async |bed| {
        bed.services.require("project.7");
        let mut before = bed.greeted(&chat("1")).await;
        let mut holds = [bed.services.hold_open(), bed.services.hold_open()];
        let mut opening = bed.connect(&chat("1")).await;
        holds[0].reached().await;
        let mut other = bed.connect(&chat("2")).await;
        holds[1].reached().await;
        end_membership(bed, "1", "project.7").await;
        assert_eq!(before.closed_at_once().await.0, 4004);
        drop(holds);
        assert_eq!(opening.closed_at_once().await, (4004, "no longer a member".to_owned()));
        assert_eq!(other.json().await["type"], "greeting");
        hears(bed, &mut other, &Channel::new("room", &["general"]).expect("a channel")).await;
    });
}

#[test]
fn a_membership_that_there_can_not_be_lets_nobody_in() {
    with_gateway(&[], async |bed| {
        bed.services.require("nonsense");
        assert_eq!(bed.connect(&chat("1")).await.closed_at_once().await.0, 1011);
    });
}
