//! Each durable event once and in order, whatever the bus does.

use std::time::Duration;

use carillon_contract::{Channel, messages::Event};

use crate::bed::{until, with_gateway};

#[test]
fn lost_doubled_and_disordered_events_arrive_once_and_in_order() {
    with_gateway(&[], async |bed| {
        let everyone = Channel::everyone();
        let mut clients = [bed.listener().await, bed.listener().await];
        let events: Vec<Event> = (0..60).map(|_| bed.services.append(&everyone, "{}")).collect();
        // Every third is lost, every fifth doubled, and all come in another order.
        for index in (0..60).map(|step| step * 37 % 60).filter(|index| index % 3 != 1) {
            for _ in 0..1 + usize::from(index % 5 == 0) {
                bed.services.publish(&events[index]).await;
            }
        }
        for client in &mut clients {
            assert_eq!(client.offsets(60).await, (1..=60).collect::<Vec<_>>());
        }
        bed.services.emit(&everyone, "{}").await;
        assert_eq!(clients[0].offset().await, 61);
    });
}

#[test]
fn a_lost_last_event_is_found_by_comparing_heads() {
    with_gateway(&["--heads-interval-seconds", "1"], async |bed| {
        let mut client = bed.listener().await;
        bed.services.append(&Channel::everyone(), "{}");
        assert_eq!(client.offset().await, 1);
    });
}

#[test]
fn what_happens_while_a_session_opens_follows_its_greeting() {
    with_gateway(&[], async |bed| {
        let everyone = Channel::everyone();
        let mut before = bed.listener().await;
        bed.services.emit(&everyone, "{}").await;
        let mut open = bed.services.hold_open();
        let mut client = bed.connect("/ws/notifications/").await;
        open.reached().await;
        for _ in 0..3 {
            bed.services.emit(&everyone, "{}").await;
        }
        assert_eq!(before.offsets(4).await, [1, 2, 3, 4]);
        drop(open);
        assert_eq!(client.json().await["channels"][0]["offset"], 1);
        assert_eq!(client.offsets(3).await, [2, 3, 4]);
    });
}

#[test]
fn of_two_that_come_at_once_neither_misses_what_the_other_was_greeted_with() {
    with_gateway(&[], async |bed| {
        let everyone = Channel::everyone();
        let mut open = bed.services.hold_open();
        let mut early = bed.connect("/ws/notifications/").await;
        open.reached().await;
        bed.services.emit(&everyone, "{}").await;
        bed.services.emit(&everyone, "{}").await;
        let mut late = bed.listener().await;
        bed.services.emit(&everyone, "{}").await;
        assert_eq!(late.offset().await, 3);
        drop(open);
        assert_eq!(early.json().await["channels"][0]["offset"], 0);
        assert_eq!(early.offsets(3).await, [1, 2, 3]);
    });
}

#[test]
fn a_channel_that_was_forgotten_is_heard_again() {
    with_gateway(&[], async |bed| {
        let everyone = Channel::everyone();
        for round in 1..=20 {
            let mut client = bed.listener().await;
            // The one before may be still leaving.
            bed.services.emit(&everyone, "{}").await;
            assert_eq!(client.offset().await, round);
            drop(client);
        }
        until("the channel is forgotten", || bed.metric("carillon_gateway_channels", "") <= 1.0).await;
    });
}

#[test]
fn one_that_leaves_takes_no_listener_from_another() {
    with_gateway(&[], async |bed| {
        let mut stays = bed.listener().await;
        for _ in 0..5 {
            // Refused after the handshake: it never listened.
            let mut refused = bed.connect("/ws/notifications/?token=nonsense").await;
            assert_eq!(refused.closed().await.0, 4001);
            drop(bed.listener().await);
        }
        let is_alone = || bed.metric("carillon_gateway_connections", "") <= 1.0;
        until("the others are gone", is_alone).await;
        bed.services.emit(&Channel::everyone(), "{}").await;
        assert_eq!(stays.offset().await, 1);
    });
}

#[test]
fn another_log_is_told_and_followed() {
    with_gateway(&[], async |bed| {
        let everyone = Channel::everyone();
        let mut client = bed.listener().await;
        for _ in 0..3 {
            bed.services.emit(&everyone, "{}").await;
        }
        assert_eq!(client.offsets(3).await, [1, 2, 3]);
        bed.services.lose_logs();
        bed.services.emit(&everyone, "{}").await;
        // The log of revocations is lost as well: everyone is sent away, to be checked anew.
        let told = client.json().await;
        assert!(told["type"] == "recovery" || told["type"] == "reconnect", "{told}");
        assert_eq!(client.closed().await.0, 1012);
        tokio::time::timeout(Duration::from_secs(10), async {
            while bed.shell.readiness.failures().await.contains_key("gateway") {
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect("ready again");
        let mut client = bed.listener().await;
        bed.services.emit(&everyone, "{}").await;
        assert_eq!(client.offset().await, 2);
    });
}
