//! A gateway's leases with services that count who is there.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use carillon_contract::{
    Method,
    messages::{EnterRequest, Session},
};

use crate::bed::{Bed, token, until, with_gateway};

const PATH: &str = "/ws/chat/general/";

/// The connections that were entered since the last lapse.
fn entered(bed: &Bed) -> BTreeSet<String> {
    bed.services.entered().concat().into_iter().map(|session| session.connection).collect()
}

/// Waits until the gateway has renewed its lease once more, as often as it does anyway.
async fn renewed(bed: &Bed) {
    let before = bed.services.renewals().len();
    until("the lease is renewed", || bed.services.renewals().len() > before).await;
}

#[test]
fn the_first_connection_has_the_lease_renewed_at_once_and_it_goes_on() {
    with_gateway(&[], async |bed| {
        let _elsewhere = bed.listener().await;
        assert_eq!(bed.services.renewals(), [""; 0]);
        let start = Instant::now();
        let client = bed.greeted(PATH).await;
        until("the lease is renewed", || !bed.services.renewals().is_empty()).await;
        assert!(start.elapsed() < Duration::from_secs(2), "not only with the next tick");
        let connection = bed.services.connections().pop().expect("a connection");
        assert!(connection.starts_with(&bed.services.renewals()[0]));
        renewed(bed).await;
        // Also when the last one has just gone: it may be back.
        drop(client);
        until("it is gone", || bed.services.farewells().len() == 1).await;
        renewed(bed).await;
        assert!(bed.metric("carillon_gateway_lease_renewals_total", "renewed") > 0.0);
    });
}

#[test]
fn a_lapsed_lease_has_every_connection_entered_again() {
    with_gateway(&["--workers", "2"], async |bed| {
        let mut clients = vec![bed.greeted(&format!("{PATH}?token={}", token("1", 3600))).await];
        let identified = bed.services.connections().remove(0);
        for _ in 0..230 {
            clients.push(bed.greeted(PATH).await);
        }
        let expected: BTreeSet<String> = bed.services.connections().into_iter().collect();
        let _elsewhere = bed.listener().await;
        drop(bed.greeted(PATH).await);
        until("one is gone", || bed.services.farewells().len() == 1).await;
        bed.services.refuse(EnterRequest::NAME, 1);
        bed.services.lapse();
        until("all are entered", || entered(bed).len() >= expected.len()).await;
        assert_eq!(entered(bed), expected);
        let batches = bed.services.entered();
        assert!(batches.iter().all(|batch| (1..=100).contains(&batch.len())));
        let all = batches.concat();
        let session: &Session =
            all.iter().find(|session| session.connection == identified).expect("the session");
        assert_eq!(session.identity.as_ref().map(|identity| &*identity.user), Some("1"));
        assert_eq!((&*session.endpoint, &*session.parameters["room_name"]), ("chat", "general"));
        // And once is enough.
        let count = bed.services.entered().len();
        renewed(bed).await;
        assert_eq!(bed.services.entered().len(), count);
    });
}

#[test]
fn one_that_is_accepted_after_the_lease_has_lapsed_is_entered_too() {
    with_gateway(&[], async |bed| {
        let _there = bed.greeted(PATH).await;
        let there = bed.services.connections().remove(0);
        let is_held = || bed.metric("carillon_gateway_lease_renewals_total", "began") > 0.0;
        until("the lease is held", is_held).await;
        // Asked for in the one generation, it is accepted in the next, when the other has been entered.
        bed.services.lapse();
        let mut renewal = bed.services.hold_renewal();
        renewal.reached().await;
        let mut open = bed.services.hold_open();
        let mut late = bed.connect(PATH).await;
        open.reached().await;
        let connection = bed.services.connections().pop().expect("a connection");
        drop(renewal);
        until("the other is entered", || entered(bed).contains(&there)).await;
        assert!(!entered(bed).contains(&connection));
        drop(open);
        assert_eq!(late.json().await["type"], "greeting");
        until("it is entered", || entered(bed).contains(&connection)).await;
    });
}

#[test]
fn the_lease_is_kept_while_clients_are_sent_elsewhere() {
    with_gateway(&[], async |bed| {
        let mut client = bed.greeted(PATH).await;
        // For longer than it takes until the next renewal, the owner can't be told.
        let _held = [bed.services.hold_closed(), bed.services.hold_closed()];
        bed.shell.shutdown.cancel();
        assert_eq!(client.closed().await.0, 1012);
        renewed(bed).await;
        until("it has gone", || bed.running.is_finished()).await;
        assert_eq!(bed.services.farewells().len(), 3, "told again, until there was an answer");
    });
}
