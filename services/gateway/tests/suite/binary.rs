//! Endpoints of binary frames: nothing else ever reaches their clients, which would choke on text.

use carillon_contract::{
    Channel, Method,
    messages::{Event, FrameRequest, Variant},
};
use futures_util::SinkExt;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    bed::{Bed, token, with_gateway},
    client::Client,
    stand_in::PART,
};

const PATH: &str = "/ws/documents/plan/";

fn document() -> Channel {
    Channel::new("document", &["plan"]).expect("a channel")
}

/// A client that is greeted with one binary frame.
async fn client(bed: &Bed, query: &str) -> Client {
    bed.services.greet_with(&[b"\0{}"]);
    let mut client = bed.connect(&format!("{PATH}{query}")).await;
    assert_eq!(client.binary().await, b"\0{}");
    client
}

async fn emit(bed: &Bed, payload: &'static [u8]) -> Event {
    let event = Event { variants: vec![Variant::binary(payload)], ..Event::default() };
    bed.services.emit_event(&document(), event).await
}

#[test]
fn greetings_answers_and_events_are_binary_and_unchanged() {
    with_gateway(&[], async |bed| {
        let mut clients = [client(bed, "").await, client(bed, "?since=").await];
        for client in &mut clients {
            client.send_binary(b"\xff\0{").await;
            assert_eq!(client.binary().await, b"\xffyou said: \xff\0{");
        }
        emit(bed, b"{\"type\":\"ping\"}").await;
        bed.services.emit(&document(), "{\"of another\":\"kind\"}").await;
        emit(bed, b"\xff").await;
        for client in &mut clients {
            assert_eq!(client.binary().await, b"{\"type\":\"ping\"}");
            assert_eq!(client.binary().await, b"\xff");
        }
    });
}

/// However long it is: a client that reads slowly is no slow consumer for that.
#[test]
fn a_long_answer_comes_part_by_part_before_anything_else() {
    with_gateway(&["--queue-bytes", "65536"], async |bed| {
        let mut client = client(bed, "").await;
        client.send_binary(b"parts").await;
        client.send_binary(b"\xff next").await;
        for number in 0..3 {
            let part = client.binary().await;
            assert!(part.len() == PART && part.iter().all(|byte| *byte == number), "part {number}");
        }
        assert_eq!(client.binary().await, b"\xffyou said: \xff next");
    });
}

/// It waits, but nothing that it says is lost, and others don't wait for it.
#[test]
fn a_client_that_sends_too_much_is_slowed_down() {
    with_gateway(&["--binary-bytes-per-minute", "65536"], async |bed| {
        let (mut hasty, mut other) = (client(bed, "").await, client(bed, "").await);
        let start = std::time::Instant::now();
        hasty.send_binary(&[1; 65_000]).await;
        hasty.send_binary(&[2; 2_700]).await;
        other.send_binary(b"\xff").await;
        assert_eq!(other.binary().await, b"\xffyou said: \xff");
        assert_eq!(hasty.binary().await.len(), 65_000 + 11);
        assert_eq!(hasty.binary().await.len(), 2_700 + 11);
        assert!(start.elapsed() >= std::time::Duration::from_millis(1_500), "{:?}", start.elapsed());
    });
}

#[test]
fn a_place_to_resume_from_is_left_to_the_documents_own_protocol() {
    with_gateway(&[], async |bed| {
        emit(bed, b"1").await;
        for since in ["e0.0", "nonsense"] {
            let mut client = client(bed, &format!("?since={since}")).await;
            let Event { offset, .. } = emit(bed, b"2").await;
            assert_eq!(client.binary().await, b"2", "{since} at {offset}");
        }
    });
}

#[test]
fn what_follows_the_greeting_is_not_missed() {
    with_gateway(&[], async |bed| {
        let mut open = bed.services.hold_open();
        bed.services.greet_with(&[b"first", b"second"]);
        let mut early = bed.connect(PATH).await;
        open.reached().await;
        emit(bed, b"1").await;
        let mut late = bed.connect(PATH).await;
        assert_eq!(late.binary().await, b"first");
        drop(open);
        for expected in [&b"first"[..], b"second", b"1"] {
            assert_eq!(early.binary().await, expected);
        }
    });
}

#[test]
fn text_is_not_understood() {
    with_gateway(&[], async |bed| {
        let mut client = client(bed, "").await;
        client.send("{\"type\":\"ping\"}").await;
        assert_eq!(client.closed_at_once().await, (1003, "binary frames only".to_owned()));
        assert!(bed.services.frames().is_empty());
    });
}

#[test]
fn a_frame_without_an_answer_makes_the_client_come_back() {
    with_gateway(&[], async |bed| {
        let mut client = client(bed, "").await;
        bed.services.refuse(FrameRequest::NAME, 1);
        client.send_binary(b"lost").await;
        client.send_binary(b"not even asked").await;
        assert_eq!(client.closed_at_once().await.0, 1013);
        assert!(bed.services.frames().is_empty());
    });
}

#[test]
fn a_gap_that_can_not_be_filled_makes_the_client_synchronize_again() {
    with_gateway(&[], async |bed| {
        let mut open = client(bed, "").await;
        (0..4).for_each(|_| drop(bed.services.append(&document(), "{}")));
        bed.services.prune(&document(), 3);
        emit(bed, b"5").await;
        assert_eq!(open.closed_at_once().await.0, 1013);
        client(bed, "").await;
    });
}

#[test]
fn a_token_that_expires_and_a_gateway_that_goes_are_told_by_closing() {
    with_gateway(&["--expiry-warning-seconds", "1"], async |bed| {
        let mut expiring = client(bed, &format!("?token={}", token("1", 2))).await;
        assert_eq!(expiring.closed_at_once().await, (4401, "token expired".to_owned()));
        let mut drained = client(bed, "").await;
        bed.shell.shutdown.cancel();
        assert_eq!(drained.closed_at_once().await.0, 1012);
    });
}

#[test]
fn binary_frames_have_a_bound_of_their_own() {
    with_gateway(&["--binary-frame-bytes", "100000", "--frame-bytes", "2000"], async |bed| {
        let mut document = client(bed, "").await;
        document.send_binary(&vec![b'x'; 100_000]).await;
        assert!(document.binary().await.ends_with(&[b'x'; 100_000]));
        document.0.send(Message::binary(vec![b'x'; 100_001])).await.expect("sent");
        assert_eq!(document.closed_at_once().await.0, 1009);
        let mut text = bed.connect("/ws/notifications/").await;
        text.send(&"x".repeat(2_001)).await;
        assert_eq!(text.closed().await.0, 1009);
    });
}

#[test]
fn a_greeting_larger_than_the_queue_reaches_its_client() {
    static PART: [u8; 500_000] = [7; 500_000];
    with_gateway(&["--queue-bytes", "65536"], async |bed| {
        bed.services.greet_with(&[&PART[..]; 7]);
        let mut client = Client::connect_narrow(bed.address, PATH).await;
        for _ in 0..7 {
            assert_eq!(client.binary().await, PART);
        }
        emit(bed, b"live").await;
        assert_eq!(client.binary().await, b"live");
    });
}

/// Answers are made at the pace at which they are read.
#[test]
fn answers_to_its_own_words_make_no_client_slow() {
    let options = ["--queue-bytes", "65536", "--binary-bytes-per-minute", "1000000000"];
    with_gateway(&options, async |bed| {
        bed.services.greet_with(&[b"\0{}"]);
        let mut client = Client::connect_narrow(bed.address, PATH).await;
        assert_eq!(client.binary().await, b"\0{}");
        for number in 0..14 {
            client.send_binary(&vec![b'0' + number; 500_000]).await;
        }
        for number in 0..14 {
            let answer = client.binary().await;
            assert!(answer.len() > 500_000 && answer.last() == Some(&(b'0' + number)), "answer {number}");
        }
    });
}
