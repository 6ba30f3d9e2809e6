//! Coming back with `since`.

mod crowds;

use carillon_contract::Channel;
use serde_json::json;

use crate::bed::with_gateway;

#[test]
fn what_was_missed_comes_in_order_and_once() {
    with_gateway(&[], async |bed| {
        let everyone = Channel::everyone();
        (0..700).for_each(|_| drop(bed.services.append(&everyone, "{}")));
        // From the log, in several pages, with an event that happens meanwhile.
        let mut open = bed.services.hold_open();
        let mut client = bed.connect("/ws/notifications/?since=e0.2").await;
        open.reached().await;
        bed.services.emit(&everyone, "{}").await;
        drop(open);
        assert_eq!(client.json().await["channels"][0]["offset"], 700);
        assert_eq!(client.json().await, json!({"type": "recovery", "recovered": true, "missed": 698}));
        assert_eq!(client.offsets(699).await, (3..=701).collect::<Vec<_>>());
        // From memory: the log itself has forgotten it.
        bed.services.emit(&everyone, "{}").await;
        assert_eq!(client.offset().await, 702);
        bed.services.prune(&everyone, 702);
        let mut other = bed.greeted("/ws/notifications/?since=e0.700").await;
        assert_eq!(other.json().await["missed"], 2);
        assert_eq!(other.offsets(2).await, [701, 702]);
    });
}

#[test]
fn a_place_that_is_lost_is_told() {
    with_gateway(&[], async |bed| {
        let everyone = Channel::everyone();
        (0..9).for_each(|_| drop(bed.services.append(&everyone, "{}")));
        bed.services.prune(&everyone, 5);
        for since in ["e0.4", "other.8", "e0.10", "e0.9.1", "nonsense"] {
            let mut client = bed.greeted(&format!("/ws/notifications/?since={since}")).await;
            assert_eq!(client.json().await, json!({"type": "recovery", "recovered": false}), "{since}");
        }
        let mut client = bed.greeted("/ws/notifications/?since=e0.5").await;
        assert_eq!(client.json().await["missed"], 4);
        assert_eq!(client.offsets(4).await, [6, 7, 8, 9]);
        bed.services.emit(&everyone, "{}").await;
        assert_eq!(client.offset().await, 10);
    });
}

#[test]
fn a_replay_of_more_than_the_queue_holds_is_no_slow_consumer() {
    with_gateway(&["--queue-bytes", "65536"], async |bed| {
        let everyone = Channel::everyone();
        let large = format!("{{\"text\":\"{}\"}}", "x".repeat(60_000));
        (0..300).for_each(|_| drop(bed.services.append(&everyone, large.clone())));
        let mut client = bed.greeted("/ws/notifications/?since=e0.0").await;
        assert_eq!(client.json().await["missed"], 300);
        assert_eq!(client.offsets(300).await, (1..=300).collect::<Vec<_>>());
    });
}

#[test]
fn a_gap_that_the_log_lost_is_told_to_those_who_listen() {
    with_gateway(&[], async |bed| {
        let everyone = Channel::everyone();
        let mut client = bed.listener().await;
        (0..4).for_each(|_| drop(bed.services.append(&everyone, "{}")));
        bed.services.prune(&everyone, 3);
        bed.services.emit(&everyone, "{}").await;
        let told = client.json().await;
        assert_eq!(told, json!({"type": "recovery", "recovered": false, "channel": "everyone"}));
        assert_eq!(client.offsets(2).await, [4, 5]);
    });
}
