//! Forgetting.

use std::time::Duration;

use carillon_store::Retention;

use crate::{
    Fresh,
    fixture::{append, event, execute, fill, history, offsets},
};

const HOUR: Duration = Duration::from_secs(3600);

pub(crate) async fn what_is_too_old_goes(fresh: Fresh) {
    let (database, log) = fresh.log_with(Retention { age: HOUR, count: 1_000 }).await;
    fill(&database, &log, "a", "old ", 5).await;
    fill(&database, &log, "b", "old ", 1_100).await;
    execute(&database, "UPDATE event SET at = at - 3700000000").await;
    fill(&database, &log, "a", "new ", 2).await;
    fill(&database, &log, "c", "new ", 2).await;
    assert_eq!(log.prune().await.unwrap(), 1_105);
    assert_eq!(log.prune().await.unwrap(), 0);
    let a = history(&log, "a", 0, 100).await;
    assert_eq!((a.head, a.first, offsets(&a.events)), (7, 6, vec![6, 7]));
    let b = history(&log, "b", 0, 100).await;
    assert_eq!((b.head, b.first, b.events.len()), (1_100, 1_101, 0));
    let c = history(&log, "c", 0, 100).await;
    assert_eq!((c.head, c.first, c.events.len()), (2, 1, 2));
}

pub(crate) async fn what_is_too_much_goes(fresh: Fresh) {
    let (database, log) = fresh.log_with(Retention { age: HOUR, count: 10 }).await;
    fill(&database, &log, "a", "x", 2_345).await;
    fill(&database, &log, "b", "x", 10).await;
    for number in 0..120 {
        fill(&database, &log, &format!("many {number}"), "x", 12).await;
    }
    assert_eq!(log.prune().await.unwrap(), 2_335 + 240);
    let a = history(&log, "a", 0, 100).await;
    assert_eq!((a.head, a.first, offsets(&a.events)), (2_345, 2_336, (2_336..=2_345).collect()));
    let b = history(&log, "b", 0, 100).await;
    assert_eq!((b.head, b.first, b.events.len()), (10, 1, 10));
    assert_eq!(log.prune().await.unwrap(), 0);
}

pub(crate) async fn an_aged_log_can_be_emptied_and_continued(fresh: Fresh) {
    let (database, log) = fresh.log_with(Retention { age: Duration::ZERO, count: 10 }).await;
    fill(&database, &log, "a", "x", 3).await;
    assert_eq!(log.prune().await.unwrap(), 3);
    let empty = history(&log, "a", 0, 100).await;
    assert_eq!((empty.head, empty.first, empty.events.len()), (3, 4, 0));
    // Its cause was forgotten with it, and its offset is never given again.
    let appended = append(&database, &log, &[event("a", "x1")]).await.unwrap();
    assert_eq!((appended[0].event.offset, appended[0].duplicate), (4, false));
    assert_eq!(history(&log, "a", 0, 100).await.first, 4);
}

pub(crate) async fn pruning_and_appending_at_once(fresh: Fresh) {
    let (database, log) = fresh.log_with(Retention { age: HOUR, count: 5 }).await;
    let writer = tokio::spawn({
        let (database, log) = (database.clone(), log.clone());
        async move {
            for number in 0..60 {
                let events: Vec<_> =
                    ["b", "a", "c"].map(|name| event(name, &number.to_string())).into_iter().collect();
                append(&database, &log, &events).await.unwrap();
            }
        }
    });
    while !writer.is_finished() {
        let (one, other) = tokio::join!(log.prune(), log.prune());
        one.and(other).unwrap();
        let reply = history(&log, "a", 0, 100).await;
        assert_eq!(offsets(&reply.events), (reply.first..=reply.head).collect::<Vec<_>>());
    }
    writer.await.unwrap();
    log.prune().await.unwrap();
    for name in ["a", "b", "c"] {
        let reply = history(&log, name, 0, 100).await;
        assert_eq!((reply.head, reply.first, reply.events.len()), (60, 56, 5));
    }
}
