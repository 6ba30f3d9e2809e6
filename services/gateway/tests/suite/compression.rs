//! Compression: the same for everyone who agreed to it, made once.

mod client;

use carillon_contract::Channel;
use serde_json::Value;

use crate::bed::{Bed, with_gateway};
use client::Offering;

const PATH: &str = "/ws/notifications/";
const FULL: &str = "permessage-deflate; client_max_window_bits";
const SMALL: &str = "permessage-deflate; server_max_window_bits=10";

fn large(number: usize) -> String {
    format!("{{\"number\":{number},\"text\":\"{}\"}}", "a sentence of some length. ".repeat(60))
}

async fn greeted(bed: &Bed, path: &str, offer: &str) -> Offering {
    let mut client = Offering::connect(bed.address, path, offer).await;
    assert_eq!(client.json().await["type"], "greeting");
    client
}

fn compressions(bed: &Bed) -> f64 {
    bed.metric("carillon_gateway_compressions_total", "")
}

#[test]
fn an_event_is_compressed_once_for_all_who_get_it() {
    with_gateway(&["--compression"], async |bed| {
        let everyone = Channel::everyone();
        let mut plain = bed.listener().await;
        let mut others = vec![greeted(bed, PATH, SMALL).await];
        for _ in 0..5 {
            others.push(greeted(bed, PATH, FULL).await);
        }
        assert_eq!(compressions(bed) as usize, 0, "greetings are short");
        bed.services.emit(&everyone, large(1)).await;
        let expected = plain.json().await;
        assert_eq!(expected["number"], 1);
        for client in &mut others {
            assert_eq!((client.json().await, client.compressed), (expected.clone(), 1));
        }
        assert_eq!(compressions(bed) as usize, 2, "once for each window");
        let saved = bed.metric("carillon_gateway_saved_bytes_total", "");
        assert!((6_000.0..9_600.0).contains(&saved), "{saved} of six times 1,600 bytes");
    });
}

#[test]
fn what_is_short_stays_as_it_is() {
    with_gateway(&["--compression", "--compression-min-bytes", "1000"], async |bed| {
        let everyone = Channel::everyone();
        let mut client = greeted(bed, PATH, FULL).await;
        bed.services.emit(&everyone, format!("{{\"text\":\"{}\"}}", "x".repeat(900))).await;
        assert_eq!(client.json().await["offset"], 1);
        assert_eq!((client.compressed, compressions(bed) as usize), (0, 0));
        bed.services.emit(&everyone, format!("{{\"text\":\"{}\"}}", "x".repeat(1_100))).await;
        assert_eq!(client.json().await["offset"], 2);
        assert_eq!((client.compressed, compressions(bed) as usize), (1, 1));
    });
}

#[test]
fn who_comes_back_gets_what_it_missed_and_what_follows_in_order() {
    with_gateway(&["--compression"], async |bed| {
        let everyone = Channel::everyone();
        let mut plain = bed.listener().await;
        for number in 1..=20 {
            bed.services.emit(&everyone, large(number)).await;
        }
        let mut open = bed.services.hold_open();
        let address = bed.address;
        let back =
            actix_rt::spawn(
                async move { Offering::connect(address, &format!("{PATH}?since=e0.5"), FULL).await },
            );
        open.reached().await;
        for number in 21..=30 {
            bed.services.emit(&everyone, large(number)).await;
        }
        drop(open);
        let mut back = back.await.expect("a connection");
        let expected: Vec<Value> = plain_events(&mut plain, 30).await;
        assert_eq!(back.json().await["type"], "greeting");
        assert_eq!(back.json().await["recovered"], true);
        for event in &expected[5..] {
            assert_eq!(back.json().await, *event);
        }
        assert_eq!(back.compressed, 25);
    });
}

async fn plain_events(client: &mut crate::client::Client, count: usize) -> Vec<Value> {
    let mut events = Vec::new();
    for _ in 0..count {
        events.push(client.json().await);
    }
    events
}
