//! What an owner is told when a session has ended: once, and whether the client may be back.

use carillon_contract::{
    Channel, Method,
    messages::{ClosedNotice, Dismissal, Event, OpenRequest},
};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::{
    bed::{Bed, until, with_gateway},
    client::Client,
};

const PATH: &str = "/ws/chat/general/";

/// Whether the client of the latest connection may return, told once.
async fn told(bed: &Bed) -> bool {
    let connection = bed.services.connections().pop().expect("a connection");
    let of_it = || -> Vec<bool> {
        let all = bed.services.farewells().into_iter();
        all.filter(|(told, _)| *told == connection).map(|(_, returning)| returning).collect()
    };
    until("the owner is told", || !of_it().is_empty()).await;
    assert_eq!(of_it().len(), 1);
    of_it()[0]
}

async fn close_with(client: &mut Client, code: Option<u16>) {
    let frame = code.map(|code| CloseFrame { code: code.into(), reason: "".into() });
    client.0.close(frame).await.expect("sent");
}

#[test]
fn who_says_goodbye_has_left_and_who_vanishes_may_return() {
    with_gateway(&[], async |bed| {
        for (code, returning) in
            [(Some(1000), false), (None, false), (Some(1001), true), (Some(1011), true), (Some(4321), true)]
        {
            let mut client = bed.greeted(PATH).await;
            close_with(&mut client, code).await;
            assert_eq!(told(bed).await, returning, "{code:?}");
        }
        drop(bed.greeted(PATH).await);
        assert!(told(bed).await);
        // Both at once: it was not told to go, it went.
        let mut client = bed.greeted(PATH).await;
        close_with(&mut client, Some(1000)).await;
        drop(client);
        assert!(!told(bed).await);
    });
}

#[test]
fn who_says_something_and_closes_hears_the_answer_first() {
    with_gateway(&[], async |bed| {
        let mut client = bed.greeted(PATH).await;
        client.send("{}").await;
        close_with(&mut client, Some(4321)).await;
        assert_eq!(client.json().await["answer"], 1);
        assert_eq!(client.closed_at_once().await.0, 4321);
        // Its owner may take its time: the client need not wait for it to be let go.
        let mut hasty = bed.greeted(PATH).await;
        let mut held = bed.services.hold_frame();
        hasty.send("{}").await;
        held.reached().await;
        close_with(&mut hasty, Some(4321)).await;
        assert_eq!(hasty.closed_at_once().await.0, 4321);
    });
}

#[test]
fn who_is_sent_away_for_good_has_left() {
    with_gateway(&[], async |bed| {
        let mut witness = bed.greeted(PATH).await;
        let client = bed.greeted(PATH).await;
        let dismissal = Some(Dismissal { user: String::new(), code: 4004, reason: "removed".into() });
        let room = Channel::new("room", &["general"]).expect("a channel");
        bed.services.emit_event(&room, Event { dismissal, ..Event::default() }).await;
        assert_eq!(witness.closed_at_once().await.0, 4004);
        // It vanishes before it has read why.
        drop(client);
        assert!(!told(bed).await);
        bed.services.reject(4004);
        assert_eq!(bed.connect(PATH).await.closed_at_once().await.0, 4004);
        assert!(!told(bed).await);
    });
}

#[test]
fn who_does_not_keep_up_may_return() {
    with_gateway(&["--queue-bytes", "65536"], async |bed| {
        let everyone = Channel::everyone();
        let mut slow = Client::connect_narrow(bed.address, "/ws/notifications/").await;
        assert_eq!(slow.json().await["type"], "greeting");
        let large = format!("{{\"text\":\"{}\"}}", "x".repeat(1_000_000));
        let is_closed = || bed.metric("carillon_gateway_slow_consumers_total", "close") > 0.0;
        for _ in 0..12 {
            bed.services.emit(&everyone, large.clone()).await;
        }
        until("it is closed", is_closed).await;
        assert!(told(bed).await);
    });
}

#[test]
fn an_owner_that_gave_no_answer_is_told_as_well() {
    with_gateway(&[], async |bed| {
        bed.services.refuse(OpenRequest::NAME, 1);
        assert_eq!(bed.connect(PATH).await.closed_at_once().await.0, 1013);
        until("it is told", || bed.services.farewells().len() == 1).await;
        let _lost = [bed.services.hold_open(), bed.services.hold_open()];
        assert_eq!(bed.connect(PATH).await.closed_at_once().await.0, 1013);
        assert!(told(bed).await);
        // Nobody was asked about this one.
        let mut refused = bed.connect("/ws/chat/general/?token=nonsense").await;
        assert_eq!(refused.closed_at_once().await.0, 4001);
        drop(bed.greeted(PATH).await);
        told(bed).await;
        assert_eq!(bed.services.farewells().len(), 3);
    });
}

#[test]
fn an_owner_that_counts_is_told_until_it_hears() {
    with_gateway(&[], async |bed| {
        bed.services.refuse(ClosedNotice::NAME, 2);
        drop(bed.greeted(PATH).await);
        assert!(told(bed).await);
    });
}

#[test]
fn a_gateway_that_goes_has_said_goodbye_for_everyone() {
    with_gateway(&[], async |bed| {
        let clients = [bed.greeted(PATH).await, bed.greeted(PATH).await, bed.greeted(PATH).await];
        bed.services.refuse(ClosedNotice::NAME, 1);
        bed.shell.shutdown.cancel();
        for mut client in clients {
            assert_eq!(client.closed().await.0, 1012);
        }
        until("it has gone", || bed.running.is_finished()).await;
        let farewells = bed.services.farewells();
        assert_eq!((farewells.len(), farewells.iter().all(|(_, returning)| *returning)), (3, true));
    });
}
