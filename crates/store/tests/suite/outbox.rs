//! What is owed to other services.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use carillon_contract::ServiceName;
use carillon_store::{Database, Debt, Outbox, OutboxDepth};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    Fresh,
    fixture::{execute, until},
};

/// What was delivered, in order.
type Delivered = Arc<Mutex<Vec<String>>>;

fn debt(to: ServiceName, cause: &str) -> Debt {
    Debt { to, method: "publish_event".into(), cause: cause.into(), payload: cause.to_owned().into() }
}

async fn owe(database: &Database, outbox: &Outbox, debts: &[Debt]) {
    for debt in debts {
        let mut tx = database.begin().await.unwrap();
        outbox.owe(&mut tx, debt).await.unwrap();
        tx.commit().await.unwrap();
    }
    outbox.wake();
}

/// A replica that delivers what `accept` accepts.
fn replica(
    outbox: &Outbox,
    shutdown: &CancellationToken,
    delivered: &Delivered,
    accept: impl Fn(&Debt) -> bool + Send + Sync + 'static,
) -> JoinHandle<()> {
    let (outbox, shutdown, delivered) = (outbox.clone(), shutdown.clone(), Arc::clone(delivered));
    tokio::spawn(async move {
        let deliver = |debt: Debt| {
            let accepted = accept(&debt);
            if accepted {
                assert_eq!(debt.payload, debt.cause.as_bytes());
                delivered.lock().unwrap().push(debt.cause);
            }
            async move { if accepted { Ok(()) } else { Err("not now".to_owned()) } }
        };
        outbox.run(shutdown, deliver).await;
    })
}

async fn is_empty(outbox: &Outbox) -> bool {
    outbox.depth().await.unwrap() == OutboxDepth::default()
}

pub(crate) async fn what_is_owed_is_delivered_in_order_and_forgotten(fresh: Fresh) {
    let database = fresh.open().await;
    let outbox = Outbox::new(database.clone());
    let causes: Vec<_> = (0..250).map(|number| format!("cause {number}")).collect();
    let debts: Vec<_> = causes.iter().map(|cause| debt(ServiceName::Notification, cause)).collect();
    owe(&database, &outbox, &debts).await;
    owe(&database, &outbox, &debts[..1]).await;
    let depth = outbox.depth().await.unwrap();
    assert!(depth.count == 250 && depth.oldest.unwrap() < Duration::from_secs(100));
    let (shutdown, delivered) = (CancellationToken::new(), Delivered::default());
    let running = replica(&outbox, &shutdown, &delivered, |_| true);
    until("delivered", || is_empty(&outbox)).await;
    assert_eq!(*delivered.lock().unwrap(), causes);
    shutdown.cancel();
    running.await.unwrap();
}

pub(crate) async fn what_is_rolled_back_is_not_owed(fresh: Fresh) {
    let database = fresh.open().await;
    let outbox = Outbox::new(database.clone());
    let mut tx = database.begin().await.unwrap();
    outbox.owe(&mut tx, &debt(ServiceName::Auth, "x")).await.unwrap();
    drop(tx);
    assert!(is_empty(&outbox).await);
}

pub(crate) async fn what_fails_is_delivered_later_and_does_not_block(fresh: Fresh) {
    let database = fresh.open().await;
    let outbox = Outbox::new(database.clone());
    let debts = ["refused", "a", "b"].map(|cause| debt(ServiceName::Auth, cause));
    owe(&database, &outbox, &debts).await;
    let (shutdown, delivered) = (CancellationToken::new(), Delivered::default());
    let failures = Mutex::new(0);
    let running = replica(&outbox, &shutdown, &delivered, move |debt| {
        let mut failures = failures.lock().unwrap();
        *failures += i32::from(debt.cause == "refused");
        debt.cause != "refused" || *failures > 2
    });
    until("delivered", || is_empty(&outbox)).await;
    assert_eq!(*delivered.lock().unwrap(), ["a", "b", "refused"]);
    shutdown.cancel();
    running.await.unwrap();
}

pub(crate) async fn a_service_that_is_away_delays_no_other(fresh: Fresh) {
    let database = fresh.open().await;
    let outbox = Outbox::new(database.clone());
    let away: Vec<_> = (0..150).map(|number| debt(ServiceName::Auth, &format!("auth {number}"))).collect();
    owe(&database, &outbox, &away).await;
    owe(&database, &outbox, &[debt(ServiceName::Notification, "x")]).await;
    let (shutdown, delivered) = (CancellationToken::new(), Delivered::default());
    let running = replica(&outbox, &shutdown, &delivered, |debt| debt.to != ServiceName::Auth);
    until("delivered", async || outbox.depth().await.unwrap().count == 150).await;
    assert_eq!(*delivered.lock().unwrap(), ["x"]);
    shutdown.cancel();
    running.await.unwrap();
}

/// Two replicas, and everything is delivered once.
pub(crate) async fn replicas_share_the_work(fresh: Fresh) {
    let database = fresh.open().await;
    let outbox = Outbox::new(database.clone());
    let (shutdown, delivered) = (CancellationToken::new(), Delivered::default());
    let other = Outbox::new(fresh.open().await);
    let running = [&outbox, &other].map(|outbox| replica(outbox, &shutdown, &delivered, |_| true));
    let debts: Vec<_> = (0..300).map(|number| debt(ServiceName::Auth, &format!("cause {number}"))).collect();
    for debts in debts.chunks(50) {
        owe(&database, &outbox, debts).await;
        other.wake();
    }
    until("delivered", || is_empty(&outbox)).await;
    shutdown.cancel();
    for running in running {
        running.await.unwrap();
    }
    let delivered = delivered.lock().unwrap();
    assert_eq!((delivered.len(), delivered.iter().collect::<HashSet<_>>().len()), (300, 300));
}

pub(crate) async fn what_a_dead_replica_claimed_is_delivered(fresh: Fresh) {
    let database = fresh.open().await;
    let outbox = Outbox::new(database.clone());
    owe(&database, &outbox, &[debt(ServiceName::Auth, "x")]).await;
    let hanging = tokio::spawn({
        let outbox = outbox.clone();
        async move { outbox.run(CancellationToken::new(), |_| std::future::pending()).await }
    });
    let claimed = async || {
        let due: i64 =
            sqlx::query_scalar("SELECT due_at FROM outbox").fetch_one(database.reader()).await.unwrap();
        due > carillon_store::now()
    };
    until("claimed", claimed).await;
    hanging.abort();
    // Its claim lapses.
    execute(&database, "UPDATE outbox SET due_at = due_at - 60000000").await;
    let (shutdown, delivered) = (CancellationToken::new(), Delivered::default());
    let running = replica(&outbox, &shutdown, &delivered, |_| true);
    until("delivered", || is_empty(&outbox)).await;
    shutdown.cancel();
    running.await.unwrap();
    assert_eq!(*delivered.lock().unwrap(), ["x"]);
}
