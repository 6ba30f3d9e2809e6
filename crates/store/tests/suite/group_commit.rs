//! Group commit.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use carillon_store::{Batch, Database, GroupCommit, Log, StoreError, Transaction};
use futures_util::{FutureExt as _, future::join_all};

use crate::{
    Fresh,
    fixture::{all_events, event, offsets, until},
};

/// Appends an event to `a` for each item, and fails where an item says so.
pub(crate) struct Appends {
    log: Log,
    transactions: Arc<AtomicUsize>,
}

impl Batch for Appends {
    type Item = String;
    type Output = u64;

    async fn apply(&self, tx: &mut Transaction, items: &[&String]) -> Result<Vec<u64>, StoreError> {
        self.transactions.fetch_add(1, Ordering::Relaxed);
        let events: Vec<_> = items.iter().map(|item| event("a", item)).collect();
        let appended = self.log.append(tx, &events).await?;
        for item in items {
            if item.starts_with("panic") {
                // As asked, and without the report that a panic prints.
                std::panic::resume_unwind(Box::new(()));
            }
            if item.starts_with("mistake") {
                sqlx::query("SELECT nonsense").execute(&mut **tx).await?;
            }
            if item.starts_with("conflict") {
                sqlx::query("INSERT INTO log (id, epoch) VALUES (1, 'x')").execute(&mut **tx).await?;
            }
        }
        Ok(appended.into_iter().map(|one| one.event.offset).collect())
    }
}

pub(crate) fn group_commit(database: &Database, log: &Log) -> (GroupCommit<Appends>, Arc<AtomicUsize>) {
    let transactions = Arc::new(AtomicUsize::new(0));
    let batch = Appends { log: log.clone(), transactions: Arc::clone(&transactions) };
    (GroupCommit::new(database.clone(), batch), transactions)
}

pub(crate) async fn concurrent_writes_are_all_committed(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    let (writes, _) = group_commit(&database, &log);
    // More than the queue holds.
    let outcomes = join_all((0..2_500).map(|number| writes.submit(format!("x{number}")))).await;
    let events = all_events(&log, "a").await;
    assert_eq!(offsets(&events), (1..=2_500).collect::<Vec<_>>());
    for (number, outcome) in outcomes.into_iter().enumerate() {
        let event = &events[outcome.unwrap() as usize - 1];
        assert_eq!(event.variants, crate::fixture::event("a", &format!("x{number}")).variants);
    }
}

pub(crate) async fn concurrent_writes_share_transactions(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    let (writes, transactions) = group_commit(&database, &log);
    join_all((0..1_000).map(|number| writes.submit(format!("x{number}")))).await;
    let count = transactions.load(Ordering::Relaxed);
    assert!((5..100).contains(&count), "{count} transactions for 1000 writes");
    assert_eq!(writes.submit("alone".into()).await.unwrap(), 1_001);
}

pub(crate) async fn a_failing_write_fails_alone(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    let (writes, _) = group_commit(&database, &log);
    let name = |number: usize| match number % 10 {
        3 => format!("mistake {number}"),
        7 => format!("conflict {number}"),
        _ => format!("x{number}"),
    };
    let outcomes = join_all((0..60).map(|number| writes.submit(name(number)))).await;
    for (number, outcome) in outcomes.iter().enumerate() {
        match (number % 10, outcome) {
            (3, Err(StoreError::Other(_))) | (7, Err(StoreError::Conflict(_))) => {}
            (3 | 7, other) => panic!("{number}: {other:?}"),
            (_, outcome) => assert!(outcome.is_ok(), "{number}: {outcome:?}"),
        }
    }
    let events = all_events(&log, "a").await;
    assert_eq!(offsets(&events), (1..=48).collect::<Vec<_>>());
    writes.submit("afterwards".into()).await.unwrap();
}

pub(crate) async fn a_panicking_write_fails_alone(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    let (writes, _) = group_commit(&database, &log);
    let items = ["x1", "panic 1", "x2", "panic 2", "x3"];
    let outcomes = join_all(items.map(|item| writes.submit(item.into()))).await;
    let succeeded: Vec<_> = outcomes.iter().map(Result::is_ok).collect();
    assert_eq!(succeeded, [true, false, true, false, true]);
    assert_eq!(all_events(&log, "a").await.len(), 3);
    writes.submit("afterwards".into()).await.unwrap();
}

pub(crate) async fn callers_that_leave_harm_no_one(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    let (writes, _) = group_commit(&database, &log);
    for number in 0..50 {
        // Asked once, then dropped: it is in the queue by then.
        assert!(writes.submit(format!("left {number}")).now_or_never().is_none());
    }
    let outcomes = join_all((0..50).map(|number| writes.submit(format!("x{number}")))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    let events = all_events(&log, "a").await;
    assert_eq!(offsets(&events), (1..=events.len() as u64).collect::<Vec<_>>());
}

pub(crate) async fn writers_end_with_their_handles(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    let (writes, transactions) = group_commit(&database, &log);
    let clone = writes.clone();
    drop(writes);
    clone.submit("x".into()).await.unwrap();
    drop(clone);
    // The batch, and this counter with it, goes when the last writer has ended.
    until("ended", async || Arc::strong_count(&transactions) == 1).await;
}
