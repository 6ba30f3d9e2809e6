//! Many that come back at once: what they missed is asked for once, and each gets it.

use carillon_contract::{Channel, Method, messages::HistoryRequest};
use futures_util::future::join_all;
use serde_json::json;

use crate::{
    bed::{Bed, token, until, with_gateway},
    client::Client,
};

const CROWD: usize = 500;

/// Clients that come back at once with this place, greeted.
async fn crowd(bed: &Bed, count: usize, since: &str) -> Vec<Client> {
    let path = format!("/ws/notifications/?since={since}");
    join_all((0..count).map(|_| bed.greeted(&path))).await
}

fn append(bed: &Bed, count: usize) {
    (0..count).for_each(|_| drop(bed.services.append(&Channel::everyone(), "{}")));
}

fn pages(bed: &Bed, source: &str) -> f64 {
    bed.metric("carillon_gateway_history_pages_total", source)
}

#[test]
fn a_crowd_on_a_fresh_gateway_is_one_question_and_each_gets_all_once() {
    with_gateway(&["--workers", "2"], async |bed| {
        let everyone = Channel::everyone();
        append(bed, 60);
        let mut clients = crowd(bed, CROWD, "e0.10").await;
        bed.services.emit(&everyone, "{}").await;
        for client in &mut clients {
            assert_eq!(client.json().await, json!({"type": "recovery", "recovered": true, "missed": 50}));
            assert_eq!(client.offsets(51).await, (11..=61).collect::<Vec<_>>());
        }
        assert_eq!(bed.services.asked(&everyone), [(10, 200)]);
        assert_eq!(pages(bed, "owner"), 1.0);
        assert_eq!(pages(bed, "") as usize, CROWD);
    });
}

#[test]
fn those_who_left_off_elsewhere_share_what_overlaps() {
    with_gateway(&[], async |bed| {
        let everyone = Channel::everyone();
        append(bed, 100);
        let mut question = bed.services.hold_history();
        let mut first = bed.greeted("/ws/notifications/?since=e0.40").await;
        question.reached().await;
        let mut above = bed.greeted("/ws/notifications/?since=e0.70").await;
        let mut below = bed.greeted("/ws/notifications/?since=e0.20").await;
        drop(question);
        for (client, since) in [(&mut first, 40), (&mut above, 70), (&mut below, 20)] {
            assert_eq!(client.json().await["missed"], 100 - since);
            let expected: Vec<u64> = (since + 1..=100).collect();
            assert_eq!(client.offsets(expected.len()).await, expected);
        }
        // Only what wasn't there yet was asked for.
        assert_eq!(bed.services.asked(&everyone), [(40, 200), (20, 20)]);
    });
}

#[test]
fn what_was_asked_for_is_remembered() {
    with_gateway(&[], async |bed| {
        append(bed, 300);
        let mut one = bed.greeted("/ws/notifications/?since=e0.0").await;
        assert_eq!(one.json().await["missed"], 300);
        assert_eq!(one.offsets(300).await, (1..=300).collect::<Vec<_>>());
        bed.services.prune(&Channel::everyone(), 300);
        let mut other = bed.greeted("/ws/notifications/?since=e0.7").await;
        assert_eq!(other.json().await["missed"], 293);
        assert_eq!(other.offsets(293).await, (8..=300).collect::<Vec<_>>());
        assert_eq!((pages(bed, "owner"), pages(bed, "memory")), (2.0, 2.0));
    });
}

#[test]
fn one_that_leaves_takes_the_answer_from_nobody() {
    with_gateway(&[], async |bed| {
        append(bed, 10);
        let mut question = bed.services.hold_history();
        let first = bed.greeted("/ws/notifications/?since=e0.3").await;
        question.reached().await;
        let mut second = bed.greeted("/ws/notifications/?since=e0.3").await;
        drop(first);
        drop(question);
        assert_eq!(second.json().await["missed"], 7);
        assert_eq!(second.offsets(7).await, (4..=10).collect::<Vec<_>>());
        assert_eq!(bed.services.asked(&Channel::everyone()).len(), 1);
        let is_alone = || bed.metric("carillon_gateway_connections", "") <= 1.0;
        until("the other is gone", is_alone).await;
    });
}

#[test]
fn an_owner_that_is_away_is_told_to_each_and_asked_again_when_they_come_back() {
    with_gateway(&[], async |bed| {
        append(bed, 10);
        bed.services.refuse(HistoryRequest::NAME, 1);
        let mut question = bed.services.hold_open();
        let mut last = bed.connect("/ws/notifications/?since=e0.3").await;
        question.reached().await;
        let mut clients = crowd(bed, 20, "e0.3").await;
        let mut closed = 0;
        for client in &mut clients {
            // Those who came after the failure had their own question.
            match client.next().await {
                tokio_tungstenite::tungstenite::Message::Close(frame) => {
                    assert_eq!(u16::from(frame.expect("a code").code), 1013);
                    closed += 1;
                }
                _ => assert_eq!(client.offsets(7).await, (4..=10).collect::<Vec<_>>()),
            }
        }
        assert!(closed > 0);
        drop(question);
        assert_eq!(last.json().await["type"], "greeting");
        assert_eq!(last.json().await["missed"], 7);
        assert_eq!(last.offsets(7).await, (4..=10).collect::<Vec<_>>());
    });
}

#[test]
fn a_past_that_is_lost_meanwhile_is_told_to_each() {
    with_gateway(&[], async |bed| {
        let everyone = Channel::everyone();
        append(bed, 20);
        let mut opens: Vec<_> = (0..8).map(|_| bed.services.hold_open()).collect();
        let path = "/ws/notifications/?since=e0.3";
        let mut clients = join_all((0..8).map(|_| bed.connect(path))).await;
        for open in &mut opens {
            open.reached().await;
        }
        bed.services.prune(&everyone, 10);
        drop(opens);
        for client in &mut clients {
            assert_eq!(client.json().await["type"], "greeting");
            assert_eq!(client.json().await, json!({"type": "recovery", "recovered": false}));
        }
        bed.services.emit(&everyone, "{}").await;
        for client in &mut clients {
            assert_eq!(client.offset().await, 21);
        }
    });
}

#[test]
fn a_log_that_is_lost_between_two_pages_is_no_silent_gap() {
    with_gateway(&[], async |bed| {
        append(bed, 500);
        let mut first = bed.services.hold_history();
        let mut client = bed.greeted("/ws/notifications/?since=e0.0").await;
        first.reached().await;
        bed.services.prune(&Channel::everyone(), 450);
        drop(first);
        assert_eq!(client.json().await["missed"], 500);
        assert_eq!(client.offsets(200).await, (1..=200).collect::<Vec<_>>());
        assert_eq!(client.closed().await.0, 1013);
        // From where it is then, it is told.
        let mut back = bed.greeted("/ws/notifications/?since=e0.200").await;
        assert_eq!(back.json().await, json!({"type": "recovery", "recovered": false}));
    });
}

#[test]
fn another_log_is_told_to_those_who_were_greeted_with_the_old_one() {
    with_gateway(&[], async |bed| {
        append(bed, 20);
        let mut open = bed.services.hold_open();
        let mut client = bed.connect("/ws/notifications/?since=e0.3").await;
        open.reached().await;
        bed.services.lose_logs();
        append(bed, 20);
        drop(open);
        assert_eq!(client.json().await["epoch"], "e0");
        assert_eq!(client.json().await, json!({"type": "recovery", "recovered": false}));
    });
}

#[test]
fn channels_are_asked_for_in_turns_and_within_a_bound() {
    with_gateway(&[], async |bed| {
        let user = |number: usize| Channel::user(&number.to_string()).expect("a channel");
        (0..100).for_each(|number| drop(bed.services.append(&user(number), "{}")));
        append(bed, 1);
        // Whatever else waits, one of the turns is everyone's.
        let mut held: Vec<_> = (0..31).map(|_| bed.services.hold_history()).collect();
        let paths: Vec<String> = (0..100)
            .map(|number| format!("/ws/notifications/?since=e0.1.0&token={}", token(&number.to_string(), 60)))
            .collect();
        let mut clients = join_all(paths.iter().map(|path| bed.greeted(path))).await;
        for question in &mut held {
            question.reached().await;
        }
        let mut other = bed.greeted("/ws/notifications/?since=e0.0").await;
        assert_eq!(other.json().await["missed"], 1);
        assert_eq!(other.offset().await, 1);
        drop(held);
        for client in &mut clients {
            assert_eq!(client.json().await["missed"], 1);
            assert_eq!(client.json().await["offset"], 1);
        }
        assert!(bed.services.most_asked_at_once() <= 32);
    });
}
