//! Appending.

use futures_util::future::join_all;

use crate::{
    Fresh,
    fixture::{all_events, append, event, fill, history, json, offsets},
};

pub(crate) async fn offsets_are_numbered_from_one_in_each_channel(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    let events = [event("b", "1"), event("a", "1"), event("b", "2"), event("c", "1"), event("b", "3")];
    let appended = append(&database, &log, &events).await.unwrap();
    let numbers: Vec<_> = appended.iter().map(|one| (one.event.offset, one.duplicate)).collect();
    assert_eq!(numbers, [(1, false), (1, false), (2, false), (1, false), (3, false)]);
    for (new, appended) in events.iter().zip(&appended) {
        assert_eq!(appended.event.channel, new.channel.as_str());
        assert_eq!(appended.event.variants, new.variants);
        assert_eq!(appended.event.epoch, log.epoch());
    }
    let appended = append(&database, &log, &[event("b", "4")]).await.unwrap();
    assert_eq!(appended[0].event.offset, 4);
    assert_eq!(all_events(&log, "b").await[3], appended[0].event);
}

pub(crate) async fn a_known_cause_yields_the_stored_event_and_takes_no_offset(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    let mut original = event("a", "known");
    original.except_connection = "connection-1".into();
    let first = append(&database, &log, &[original]).await.unwrap();
    let mut again = event("a", "known");
    again.variants[0].json = "{}".into();
    let events = [event("a", "new 1"), again, event("a", "new 2"), event("b", "known")];
    let appended = append(&database, &log, &events).await.unwrap();
    let numbers: Vec<_> = appended.iter().map(|one| (one.event.offset, one.duplicate)).collect();
    assert_eq!(numbers, [(2, false), (1, true), (3, false), (1, false)]);
    assert_eq!(appended[1].event, first[0].event);
    let only_known = append(&database, &log, &[event("a", "known"), event("a", "new 1")]).await.unwrap();
    assert!(only_known.iter().all(|one| one.duplicate));
    assert_eq!(history(&log, "a", 0, 10).await.head, 3);
    assert_eq!(offsets(&all_events(&log, "a").await), [1, 2, 3]);
}

pub(crate) async fn a_cause_repeated_in_one_call_is_one_event(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    let events = [event("a", "x"), event("a", "y"), event("a", "x"), event("a", "x")];
    let appended = append(&database, &log, &events).await.unwrap();
    let numbers: Vec<_> = appended.iter().map(|one| (one.event.offset, one.duplicate)).collect();
    assert_eq!(numbers, [(1, false), (2, false), (1, true), (1, true)]);
    assert_eq!(offsets(&all_events(&log, "a").await), [1, 2]);
}

pub(crate) async fn a_cause_is_known_within_its_transaction(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    let mut tx = database.begin().await.unwrap();
    log.append(&mut tx, &[event("a", "x")]).await.unwrap();
    let appended = log.append(&mut tx, &[event("a", "x"), event("a", "y")]).await.unwrap();
    tx.commit().await.unwrap();
    let numbers: Vec<_> = appended.iter().map(|one| (one.event.offset, one.duplicate)).collect();
    assert_eq!(numbers, [(1, true), (2, false)]);
}

pub(crate) async fn what_is_rolled_back_leaves_no_gap(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    fill(&database, &log, "a", "kept ", 2).await;
    let mut tx = database.begin().await.unwrap();
    log.append(&mut tx, &[event("a", "lost 1"), event("a", "lost 2")]).await.unwrap();
    drop(tx);
    let appended = append(&database, &log, &[event("a", "kept 3")]).await.unwrap();
    assert_eq!(appended[0].event.offset, 3);
    let texts: Vec<_> = all_events(&log, "a").await.iter().map(|event| json(event).to_owned()).collect();
    assert_eq!(texts, ["{\"cause\":\"kept 1\"}", "{\"cause\":\"kept 2\"}", "{\"cause\":\"kept 3\"}"]);
}

pub(crate) async fn an_empty_cause_is_refused(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    assert!(append(&database, &log, &[event("a", "")]).await.is_err());
    assert!(append(&database, &log, &[]).await.unwrap().is_empty());
}

pub(crate) async fn more_events_than_a_statement_holds(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    let events: Vec<_> =
        (0..1_300).map(|number| event(&format!("c{}", number % 700), &format!("x{number}"))).collect();
    let appended = append(&database, &log, &events).await.unwrap();
    assert!(appended.iter().enumerate().all(|(number, one)| one.event.offset == number as u64 / 700 + 1));
    let again = append(&database, &log, &events).await.unwrap();
    for (first, second) in appended.iter().zip(&again) {
        assert!(second.duplicate && second.event == first.event);
    }
}

pub(crate) async fn the_same_cause_at_once_is_one_event(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    for round in 0..20 {
        let events = [event("a", &format!("round {round}"))];
        let writes = join_all((0..8).map(|_| append(&database, &log, &events))).await;
        let appended: Vec<_> = writes.into_iter().map(|one| one.unwrap().remove(0)).collect();
        assert_eq!(appended.iter().filter(|one| !one.duplicate).count(), 1);
        assert!(appended.iter().all(|one| one.event.offset == round + 1));
    }
    assert_eq!(history(&log, "a", 0, 10).await.head, 20);
}

/// Each batch repeats half of its neighbour's causes, in several channels.
pub(crate) async fn overlapping_batches_at_once_have_no_gaps(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    let batch = |start: usize| -> Vec<_> {
        (start..start + 20)
            .rev()
            .map(|number| event(&format!("c{}", number % 3), &format!("x{number}")))
            .collect()
    };
    let batches: Vec<_> = (0..10).map(|number| batch(number * 10)).collect();
    let writes = join_all(batches.iter().map(|batch| append(&database, &log, batch))).await;
    let fresh_count =
        writes.iter().flat_map(|one| one.as_ref().unwrap()).filter(|one| !one.duplicate).count();
    assert_eq!(fresh_count, 110);
    let mut count = 0;
    for name in ["c0", "c1", "c2"] {
        let events = all_events(&log, name).await;
        assert_eq!(offsets(&events), (1..=events.len() as u64).collect::<Vec<_>>());
        assert_eq!(history(&log, name, 0, 0).await.head, events.len() as u64);
        count += events.len();
    }
    assert_eq!(count, 110);
}
