//! What traces show of transactions.

use std::{
    collections::BTreeMap,
    slice,
    sync::{Arc, Mutex},
};

use carillon_contract::ServiceName;
use carillon_store::{Batch, Debt, GroupCommit, Log, Outbox, StoreError, Transaction};
use carillon_trace::{
    Kind, Span, TraceContext,
    testing::{RecordedSpan, record, recorded},
};
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::{
    Fresh,
    fixture::{event, until},
    group_commit::group_commit,
};

fn root() -> Span {
    record();
    Span::root(Kind::Server, || "root".into(), None, "test")
}

fn context(root: &Span) -> TraceContext {
    root.context().cloned().expect("a context")
}

/// Each transaction is below one of its writes; that one and the others name each other, and each waited.
pub(crate) async fn writes_that_share_a_transaction_are_linked(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    let (writes, transactions) = group_commit(&database, &log);
    let roots: Vec<_> = (0..100).map(|_| root()).collect();
    let submitted =
        roots.iter().enumerate().map(|(number, root)| root.scope(writes.submit(format!("x{number}"))));
    assert!(join_all(submitted).await.iter().all(Result::is_ok));
    let spans: Vec<RecordedSpan> = roots.iter().flat_map(|root| recorded(&context(root))).collect();
    let named = |name: &'static str| spans.iter().filter(move |span| span.name == name);
    let by_id: BTreeMap<&str, &RecordedSpan> = named("db.write").map(|span| (&*span.id, span)).collect();
    assert_eq!(by_id.len(), 100);
    assert!(by_id.values().all(|write| write.attributes.contains_key("carillon.group_commit.wait_seconds")));
    let count = transactions.load(std::sync::atomic::Ordering::Relaxed);
    assert!(count < 100, "no two of them shared a transaction");
    assert_eq!((named("db.transaction").count(), named("log.append").count()), (count, count));
    let mut seen = 0;
    for transaction in named("db.transaction") {
        assert_eq!(transaction.attributes["carillon.committed"], "true");
        seen += 1 + transaction.links.len();
        for other in &transaction.links {
            assert_eq!(by_id[&**other].links, slice::from_ref(&transaction.parent));
        }
        assert!(by_id[&*transaction.parent].links.is_empty(), "it has the transaction itself");
    }
    assert_eq!(seen, 100, "each is in one transaction");
}

/// Appends an event for each item, and tells where it will be published.
struct Places(Log);

impl Batch for Places {
    type Item = String;
    type Output = Option<TraceContext>;

    async fn apply(
        &self,
        tx: &mut Transaction,
        items: &[&String],
    ) -> Result<Vec<Option<TraceContext>>, StoreError> {
        let events: Vec<_> =
            items.iter().enumerate().map(|(index, item)| event("a", item).of_item(index)).collect();
        Ok(self.0.append(tx, &events).await?.into_iter().map(|appended| appended.trace).collect())
    }
}

/// Whichever writes share their transaction, and whether those are recorded or not.
pub(crate) async fn each_event_has_the_trace_of_its_own_write(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    let writes = GroupCommit::new(database, Places(log));
    let unrecorded = |number: u32| {
        let caller = format!("00-{:032x}-00f067aa0ba902b7-00", number + 1);
        Span::root(Kind::Server, || "root".into(), TraceContext::parse(&caller), "test")
    };
    let roots: Vec<_> =
        (0..100).map(|number| if number % 2 == 0 { root() } else { unrecorded(number) }).collect();
    let submitted =
        roots.iter().enumerate().map(|(number, root)| root.scope(writes.submit(number.to_string())));
    for (root, outcome) in roots.iter().zip(join_all(submitted).await) {
        let (place, root) = (outcome.unwrap(), context(root));
        if root.is_sampled() {
            let write = recorded(&root).into_iter().find(|span| span.name == "db.write").expect("a write");
            let place = place.expect("a place");
            assert_eq!(place.trace_id(), root.trace_id());
            assert!(place.traceparent().contains(&write.id), "below the write");
        } else {
            // Where no other write of its transaction is recorded either, nobody asks.
            assert!(place.is_none_or(|place| place == root), "in another's trace");
        }
    }
}

/// A write that fails alone says why, in no words of the database.
pub(crate) async fn a_write_that_fails_says_why_in_a_word(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    let (writes, _) = group_commit(&database, &log);
    let root = root();
    assert!(root.scope(writes.submit("mistake".into())).await.is_err());
    let spans = recorded(&context(&root));
    let write = spans.iter().find(|span| span.name == "db.write").expect("a write");
    assert_eq!(write.failure.as_deref(), Some("failed"));
    let transaction = spans.iter().find(|span| span.name == "db.transaction").expect("a transaction");
    assert!(!transaction.attributes.contains_key("carillon.committed"));
}

/// What is owed is delivered in the trace in which it came to be owed, by whichever replica.
pub(crate) async fn a_debt_is_delivered_in_its_trace(fresh: Fresh) {
    let (database, _) = fresh.log().await;
    let (outbox, root) = (Outbox::new(database.clone()), root());
    let debt = Debt {
        to: ServiceName::Notification,
        method: "notify".into(),
        cause: "cause".into(),
        payload: "payload".into(),
    };
    let owed = async {
        let mut tx = database.begin().await.unwrap();
        outbox.owe(&mut tx, &debt).await.unwrap();
        tx.commit().await.unwrap();
    };
    root.scope(owed).await;
    let (shutdown, delivered) = (CancellationToken::new(), Arc::new(Mutex::new(None)));
    let told = Arc::clone(&delivered);
    let running = {
        let (outbox, shutdown) = (outbox.clone(), shutdown.clone());
        tokio::spawn(async move {
            let deliver = |_| {
                let told = Arc::clone(&told);
                async move {
                    *told.lock().unwrap() = TraceContext::current();
                    Ok(())
                }
            };
            outbox.run(shutdown, deliver).await;
        })
    };
    until("delivered", async || outbox.depth().await.unwrap().count == 0).await;
    shutdown.cancel();
    running.await.unwrap();
    let spans = recorded(&context(&root));
    let delivery = spans.iter().find(|span| span.name == "outbox.deliver").expect("a delivery");
    let place = delivered.lock().unwrap().clone().expect("a context");
    assert!(place.traceparent().contains(&delivery.id), "delivered as a part of it");
    assert!(context(&root).traceparent().contains(&delivery.parent));
}
