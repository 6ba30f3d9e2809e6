//! Messages of a connection within a minute.

use serde_json::json;

use super::limited;
use crate::{
    bed::{token, with_gateway},
    client::Client,
};

async fn says(client: &mut Client, text: &str) -> serde_json::Value {
    client.send(text).await;
    client.json().await
}

#[test]
fn s0_08_s2_10_sixty_messages_a_minute_in_production_and_the_next_is_refused() {
    with_gateway(&["--mode", "production"], async |bed| {
        let mut client = bed.greeted("/ws/chat/general/").await;
        for number in 1..=60 {
            assert_eq!(says(&mut client, "{\"type\":\"x\"}").await, json!({"answer": number}));
        }
        for text in ["{\"type\":\"x\"}", "{\"type\":\"ping\"}", "nonsense"] {
            let told = says(&mut client, text).await;
            assert_eq!((&told["type"], &told["message"]), (&json!("error"), &json!("Rate limit exceeded")));
            assert_eq!(told["code"], "rate_limited");
            assert!((50..=70).contains(&told["retry_after"].as_u64().expect("seconds")), "{told}");
        }
        assert_eq!(bed.services.frames().len(), 60, "its owner has heard of none of them");
        assert_eq!(limited(bed, "messages"), 3.0);
        // The connection stays, and another has its own minute.
        bed.services
            .emit(&carillon_contract::Channel::new("room", &["general"]).expect("a channel"), "{}")
            .await;
        assert_eq!(client.offset().await, 1);
        let mut other = bed.greeted("/ws/chat/general/").await;
        assert_eq!(says(&mut other, "{\"type\":\"x\"}").await["answer"], 1);
    });
}

#[test]
fn a_minute_later_a_connection_is_heard_again() {
    with_gateway(&["--messages-per-minute", "2", "--message-window-seconds", "1"], async |bed| {
        let mut client = bed.greeted("/ws/chat/general/").await;
        let refresh = format!("{{\"type\":\"refresh\",\"token\":\"{}\"}}", token("1", 3600));
        // The gateway's own count as well: a refresh costs it more than most.
        assert_eq!(says(&mut client, "{\"type\":\"ping\"}").await["type"], "pong");
        assert_eq!(says(&mut client, &refresh).await["code"], "refresh");
        let since = std::time::Instant::now();
        let told = says(&mut client, "{\"type\":\"ping\"}").await;
        assert_eq!((&told["code"], told["retry_after"].as_u64() <= Some(2)), (&json!("rate_limited"), true));
        crate::client::within(async {
            while says(&mut client, "{\"type\":\"ping\"}").await["type"] != "pong" {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        })
        .await;
        let waited = since.elapsed().as_millis();
        // The refused ones don't count.
        assert!((700..3_000).contains(&waited), "{waited}");
    });
}

#[test]
fn updates_of_a_document_are_never_left_out() {
    with_gateway(&["--messages-per-minute", "2"], async |bed| {
        bed.services.greet_with(&[b"\0{}"]);
        let mut client = bed.connect("/ws/documents/plan/").await;
        assert_eq!(client.binary().await, b"\0{}");
        for _ in 0..10 {
            client.send_binary(b"update").await;
            assert!(client.binary().await.ends_with(b"update"));
        }
        assert_eq!(limited(bed, "messages"), 0.0);
    });
}
