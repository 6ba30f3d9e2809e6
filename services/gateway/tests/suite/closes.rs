//! Every end of a connection is counted by its code and by what kind of reason it has.

use carillon_contract::{
    Channel, Method,
    messages::{Dismissal, Event, MembershipEnded, OpenRequest, UserRevoked, access_change::Change},
};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    access::change,
    bed::{Bed, token, until, with_gateway},
    client::{Client, within},
    liveness::HANDSHAKE,
};

/// Waits until an end of this kind, and no other, was counted so many times.
async fn counted(bed: &Bed, code: &str, reason: &str, times: usize) {
    let ends = || -> Vec<(String, String, usize)> {
        let families = bed.shell.metrics.gather();
        let closes = families.iter().filter(|family| family.name() == "carillon_gateway_closes_total");
        let labels = closes.flat_map(|family| family.get_metric()).map(|metric| {
            let label = |name| metric.get_label().iter().find(|pair| pair.name() == name);
            let value = |name| label(name).map_or("", |pair| pair.value()).to_owned();
            (value("code"), value("reason"), metric.get_counter().get_value() as usize)
        });
        labels.filter(|(_, _, count)| *count > 0).collect()
    };
    until("the ends are counted", || ends().iter().map(|(_, _, count)| count).sum::<usize>() == times).await;
    assert_eq!(ends(), [(code.to_owned(), reason.to_owned(), times)]);
}

fn with_token(user: &str, seconds: i64) -> String {
    format!("/ws/notifications/?token={}", token(user, seconds))
}

#[test]
fn who_answers_no_ping_is_silent() {
    with_gateway(&["--heartbeat-seconds", "1"], async |bed| {
        let mut silent = TcpStream::connect(bed.address).await.expect("a connection");
        silent.write_all(HANDSHAKE.as_bytes()).await.expect("sent");
        counted(bed, "1006", "silent", 1).await;
    });
}

#[test]
fn whose_socket_takes_nothing_is_stuck() {
    let options = ["--heartbeat-seconds", "2", "--write-timeout-seconds", "1", "--queue-bytes", "268435456"];
    with_gateway(&options, async |bed| {
        let mut stuck = Client::connect_narrow(bed.address, "/ws/notifications/").await;
        assert_eq!(stuck.json().await["type"], "greeting");
        let large = format!("{{\"text\":\"{}\"}}", "x".repeat(1_000_000));
        for _ in 0..12 {
            bed.services.emit(&Channel::everyone(), large.clone()).await;
        }
        counted(bed, "1006", "stuck", 1).await;
    });
}

#[test]
fn who_is_gone_without_a_word_has_vanished_and_who_says_so_has_not() {
    with_gateway(&[], async |bed| {
        drop(bed.listener().await);
        counted(bed, "1006", "vanished", 1).await;
    });
    with_gateway(&[], async |bed| {
        bed.listener().await.0.close(None).await.expect("sent");
        counted(bed, "1000", "client", 1).await;
    });
}

#[test]
fn a_token_that_expires_or_is_revoked_or_is_none_is_told_apart() {
    with_gateway(&["--expiry-warning-seconds", "0"], async |bed| {
        assert_eq!(bed.greeted(&with_token("1", 1)).await.closed().await.0, 4001);
        counted(bed, "4001", "expired", 1).await;
    });
    with_gateway(&[], async |bed| {
        let mut client = bed.greeted(&with_token("1", 3_600)).await;
        let revoked = UserRevoked { user: "1".into(), before: i64::MAX, forget_at: i64::MAX };
        bed.services.emit(&Channel::access(), change(Change::UserRevoked(revoked))).await;
        assert_eq!(client.closed().await.0, 4001);
        // Who comes back with it is refused for the same reason.
        assert_eq!(bed.connect(&with_token("1", 3_600)).await.closed().await.0, 4001);
        counted(bed, "4001", "revoked", 2).await;
    });
    with_gateway(&[], async |bed| {
        assert_eq!(bed.connect("/ws/notifications/?token=nonsense").await.closed().await.0, 4001);
        counted(bed, "4001", "token", 1).await;
    });
}

#[test]
fn access_that_ends_and_an_owner_that_closes_are_counted_as_that() {
    with_gateway(&[], async |bed| {
        let mut client = bed.greeted(&format!("/ws/events/acme/?token={}", token("1", 3_600))).await;
        let ended = MembershipEnded { user: "1".into(), resource: "org.acme".into() };
        bed.services.emit(&Channel::access(), change(Change::MembershipEnded(ended))).await;
        assert_eq!(client.closed().await.0, 4003);
        counted(bed, "4003", "access", 1).await;
    });
    with_gateway(&[], async |bed| {
        let mut client = bed.greeted("/ws/chat/general/").await;
        let dismissal = Some(Dismissal { user: String::new(), code: 4004, reason: "removed".into() });
        let room = Channel::new("room", &["general"]).expect("a channel");
        bed.services.emit_event(&room, Event { dismissal, ..Event::default() }).await;
        assert_eq!(client.closed().await.0, 4004);
        counted(bed, "4004", "owner", 1).await;
    });
}

#[test]
fn a_drain_and_a_service_that_is_away_are_counted_as_that() {
    with_gateway(&[], async |bed| {
        let mut client = bed.listener().await;
        bed.shell.shutdown.cancel();
        assert_eq!(client.closed().await.0, 1012);
        counted(bed, "1012", "restart", 1).await;
    });
    with_gateway(&[], async |bed| {
        bed.services.refuse(OpenRequest::NAME, 1);
        assert_eq!(bed.connect("/ws/notifications/").await.closed().await.0, 1013);
        counted(bed, "1013", "unavailable", 1).await;
    });
}

#[test]
fn who_does_not_keep_up_and_who_breaks_the_protocol_are_counted_as_that() {
    with_gateway(&["--queue-bytes", "65536"], async |bed| {
        let mut slow = Client::connect_narrow(bed.address, "/ws/notifications/").await;
        assert_eq!(slow.json().await["type"], "greeting");
        let large = format!("{{\"text\":\"{}\"}}", "x".repeat(1_000_000));
        for _ in 0..12 {
            bed.services.emit(&Channel::everyone(), large.clone()).await;
        }
        counted(bed, "1013", "slow", 1).await;
    });
    for (bytes, code) in [(&b"\xFF"[..], 1002), (b"\x81\x81\0\0\0\0\xFF", 1007)] {
        with_gateway(&[], async |bed| {
            let mut client = bed.listener().await;
            within(client.0.get_mut().write_all(bytes)).await.expect("sent");
            assert_eq!(client.closed().await.0, code);
            counted(bed, &code.to_string(), "protocol", 1).await;
        });
    }
}
