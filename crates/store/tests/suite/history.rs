//! Reading a channel's past.

use carillon_contract::messages::{Dismissal, HistoryRequest, Variant};
use carillon_store::now;
use prost::Message as _;

use crate::{
    Fresh,
    fixture::{append, event, event_of, fill, history, offsets},
};

pub(crate) async fn events_come_in_order_and_whole(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    let before = now();
    let mut new = event("a", "x");
    new.except_connection = "connection-7".into();
    new.variants.push(Variant::binary(vec![0, 255, 128]));
    new.dismissal = Some(Dismissal { user: "7".into(), code: 4_004, reason: "removed".into() });
    let appended = append(&database, &log, &[new.clone()]).await.unwrap();
    fill(&database, &log, "a", "y", 4).await;
    fill(&database, &log, "other", "y", 4).await;
    let reply = history(&log, "a", 0, 100).await;
    assert_eq!((reply.epoch.as_str(), reply.head, reply.first), (log.epoch(), 5, 1));
    assert_eq!(offsets(&reply.events), [1, 2, 3, 4, 5]);
    assert_eq!(reply.events[0], appended[0].event);
    assert_eq!(reply.events[0].variants, new.variants);
    assert_eq!(reply.events[0].dismissal, new.dismissal);
    assert_eq!(reply.events[0].except_connection, "connection-7");
    assert!((before..=now()).contains(&reply.events[0].at));
    assert_eq!(offsets(&history(&log, "a", 3, 100).await.events), [4, 5]);
}

pub(crate) async fn a_reply_is_bounded_in_events(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    fill(&database, &log, "a", "x", 1_500).await;
    assert_eq!(offsets(&history(&log, "a", 10, 3).await.events), [11, 12, 13]);
    let page = history(&log, "a", 0, u32::MAX).await;
    assert_eq!((page.events.len(), page.head), (1_000, 1_500));
    assert_eq!(offsets(&history(&log, "a", 1_499, u32::MAX).await.events), [1_500]);
    for after in [1_500, 9_999, u64::MAX] {
        let reply = history(&log, "a", after, 10).await;
        assert_eq!((reply.events.len(), reply.head, reply.first), (0, 1_500, 1));
    }
    let nothing = history(&log, "a", 0, 0).await;
    assert_eq!((nothing.events.len(), nothing.head), (0, 1_500));
}

pub(crate) async fn a_reply_is_bounded_in_bytes(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    let large = |cause: &str, size: usize| event_of("a", cause, vec![b'x'; size].into());
    let events: Vec<_> = (0..40).map(|number| large(&format!("x{number}"), 60_000)).collect();
    append(&database, &log, &events).await.unwrap();
    append(&database, &log, &[large("huge", 700_000), event("a", "small")]).await.unwrap();
    let reply = history(&log, "a", 0, 1_000).await;
    assert_eq!(offsets(&reply.events), (1..=8).collect::<Vec<_>>());
    assert!(reply.encoded_len() <= 512 * 1024 + 100);
    assert_eq!(reply.head, 42);
    // One that is larger than a reply may be still gets through, alone.
    assert_eq!(offsets(&history(&log, "a", 40, 1_000).await.events), [41]);
    assert_eq!(offsets(&history(&log, "a", 41, 1_000).await.events), [42]);
}

pub(crate) async fn a_channel_without_events_has_a_history(fresh: Fresh) {
    let (_database, log) = fresh.log().await;
    for name in ["user.nobody", "", "not a channel"] {
        let request = HistoryRequest { channel: name.into(), after: 0, limit: 10 };
        let reply = log.history(&request).await.unwrap();
        assert_eq!((reply.head, reply.first, reply.events.len()), (0, 1, 0), "{name}");
    }
}

/// A reader never sees an event above the head, nor a head whose event is not there yet.
pub(crate) async fn head_and_events_are_of_one_moment(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    let writer = tokio::spawn({
        let (database, log) = (database.clone(), log.clone());
        async move {
            for number in 0..100 {
                fill(&database, &log, "a", &format!("{number}-"), 3).await;
            }
        }
    });
    let mut last = 0;
    while last < 300 {
        assert!(last == 300 || !writer.is_finished() || history(&log, "a", last, 1).await.head == 300);
        let reply = history(&log, "a", last, 1_000).await;
        assert_eq!(offsets(&reply.events), (last + 1..=reply.head).collect::<Vec<_>>());
        last = reply.head;
    }
    writer.await.unwrap();
}
