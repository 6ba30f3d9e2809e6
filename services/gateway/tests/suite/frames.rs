//! Frames from clients: one at a time, in order, each answered.

use carillon_contract::Channel;
use futures_util::SinkExt;
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};

use crate::{
    bed::{until, with_gateway},
    client::within,
};

const COUNT: u64 = 50;

#[test]
fn frames_are_answered_one_at_a_time_and_in_order() {
    with_gateway(&[], async |bed| {
        let mut client = bed.listener().await;
        let mut first = bed.services.hold_frame();
        for number in 1..=COUNT {
            client.send(&format!("[{number}]")).await;
        }
        first.reached().await;
        drop(first);
        for number in 1..=COUNT {
            assert_eq!(client.json().await["answer"], number);
        }
        let expected: Vec<(u64, String)> =
            (1..=COUNT).map(|number| (number, format!("[{number}]"))).collect();
        assert_eq!(bed.services.frames(), expected);
        assert_eq!(bed.services.most_at_once(), 1);
    });
}

#[test]
fn a_frame_in_flight_does_not_hold_up_events() {
    with_gateway(&[], async |bed| {
        let mut client = bed.listener().await;
        let mut frame = bed.services.hold_frame();
        client.send("{}").await;
        frame.reached().await;
        bed.services.emit(&Channel::everyone(), "{}").await;
        assert_eq!(client.offset().await, 1);
        drop(frame);
        assert_eq!(client.json().await["answer"], 1);
    });
}

#[test]
fn a_frame_without_an_answer_is_asked_once_more_under_its_number() {
    with_gateway(&[], async |bed| {
        let mut client = bed.listener().await;
        let _lost = bed.services.hold_frame();
        client.send("{\"a\":1}").await;
        assert_eq!(client.json().await["answer"], 1);
        client.send("{\"a\":2}").await;
        assert_eq!(client.json().await["answer"], 2);
        let attempts: Vec<u64> = bed.services.frames().iter().map(|(number, _)| *number).collect();
        assert_eq!(attempts, [1, 1, 2]);
    });
}

#[test]
fn what_is_sent_right_before_leaving_counts() {
    with_gateway(&[], async |bed| {
        let mut client = bed.listener().await;
        for number in 0..10 {
            client.0.feed(Message::text(format!("[{number}]"))).await.expect("queued");
        }
        client.0.close(Some(CloseFrame { code: 4321.into(), reason: "".into() })).await.expect("sent");
        assert_eq!(client.closed().await.0, 4321);
        until("the frames are handled", || bed.services.frames().len() == 10).await;
        until("the close is counted", || bed.metric("carillon_gateway_closes_total", "client") > 0.0).await;
        assert!(bed.metric("carillon_gateway_closes_total", "4321") == 0.0, "a client can't name metrics");
    });
}

#[test]
fn what_breaks_the_protocol_is_closed_with_its_code() {
    with_gateway(&[], async |bed| {
        for (bytes, code) in [
            (&b"\x81\x80\0\0\0\0"[..], 0),
            (b"\x88\x82\0\0\0\0\x03\xed", 1002),
            (b"\x88\x81\0\0\0\0\x03", 1002),
            (b"\x81\x81\0\0\0\0\xff", 1007),
            (b"\x81\xff\0\0\0\0\0\x01\0\x01\0\0\0\0", 1009),
            (b"\x81\x01x", 1002),
        ] {
            let mut client = bed.listener().await;
            let socket = client.0.get_mut();
            within(tokio::io::AsyncWriteExt::write_all(socket, bytes)).await.expect("sent");
            match code {
                0 => assert_eq!(client.json().await["message"], "Invalid JSON"),
                code => assert_eq!(client.closed().await.0, code, "{bytes:x?}"),
            }
        }
    });
}
