//! Publishing and subscribing.

use carillon_bus::{Limits, PublishError, Signal};
use carillon_contract::{Pattern, Subject};
use futures_util::future;

use crate::bed::{Kind, next, next_text, signalled, soon};

pub(crate) async fn a_confirmed_subscription_hears_what_follows(kind: Kind) {
    let bed = kind.start();
    let (listening, publishing) = (bed.bus().await, bed.bus().await);
    for round in 0..100 {
        let subject = Subject::test(&format!("round.{round}"));
        let mut subscription = listening.subscribe(subject.clone()).await.expect("a subscription");
        publishing.publish(&subject, "x".into()).await.expect("published");
        let message = next(&mut subscription).await;
        assert_eq!(*message.subject, *subject.as_str());
        assert_eq!(message.payload, "x");
    }
}

pub(crate) async fn a_subscription_does_not_hear_what_came_before(kind: Kind) {
    let bed = kind.start();
    let (listening, publishing) = (bed.bus().await, bed.bus().await);
    let subject = Subject::test("a");
    publishing.publish(&subject, "before".into()).await.expect("published");
    publishing.flush().await.expect("flushed");
    let mut subscription = listening.subscribe(subject.clone()).await.expect("a subscription");
    publishing.publish(&subject, "after".into()).await.expect("published");
    assert_eq!(next_text(&mut subscription).await, "after");
}

pub(crate) async fn each_publishers_order_is_kept(kind: Kind) {
    const EACH: usize = 2_000;
    let bed = kind.start();
    let subject = Subject::test("a");
    let mut subscription = bed.bus().await.subscribe(subject.clone()).await.expect("a subscription");
    for publisher in ["first", "second"] {
        let (bus, subject) = (bed.bus().await, subject.clone());
        tokio::spawn(async move {
            for number in 0..EACH {
                let payload = format!("{publisher} {number}").into();
                bus.publish(&subject, payload).await.expect("published");
            }
        });
    }
    let mut seen = [0, 0];
    for _ in 0..2 * EACH {
        let text = next_text(&mut subscription).await;
        let (publisher, number) = text.split_once(' ').expect("two words");
        let seen = &mut seen[usize::from(publisher == "second")];
        assert_eq!(number, seen.to_string());
        *seen += 1;
    }
}

pub(crate) async fn what_was_published_outlives_its_bus(kind: Kind) {
    const ROUNDS: usize = 20;
    const EACH: usize = 200;
    let bed = kind.start();
    let subject = Subject::test("a");
    let mut subscription = bed.bus().await.subscribe(subject.clone()).await.expect("a subscription");
    for _ in 0..ROUNDS {
        let bus = bed.bus().await;
        for number in 0..EACH {
            // More than the connection writes at once.
            let payload = format!("{number} {}", "x".repeat(4_096)).into();
            bus.publish(&subject, payload).await.expect("published");
        }
        drop(bus);
        for number in 0..EACH {
            let text = next_text(&mut subscription).await;
            assert_eq!(text.split_once(' ').expect("two words").0, number.to_string());
        }
    }
}

pub(crate) async fn wildcards_match(kind: Kind) {
    let bed = kind.start();
    let bus = bed.bus().await;
    let mut one = bus.subscribe(Pattern::test_below("a", true)).await.expect("a subscription");
    let mut many = bus.subscribe(Pattern::test_below("a", false)).await.expect("a subscription");
    let mut exact = bus.subscribe(Subject::test("a.b")).await.expect("a subscription");
    for word in ["a", "b.b", "a.b.c", "a.b", "a.c", "end", "a.end"] {
        bus.publish(&Subject::test(word), "x".into()).await.expect("published");
    }
    for subject in ["test.a.b", "test.a.c", "test.a.end"] {
        assert_eq!(&*next(&mut one).await.subject, subject);
    }
    for subject in ["test.a.b.c", "test.a.b", "test.a.c", "test.a.end"] {
        assert_eq!(&*next(&mut many).await.subject, subject);
    }
    assert_eq!(&*next(&mut exact).await.subject, "test.a.b");
}

pub(crate) async fn a_dropped_subscription_is_gone(kind: Kind) {
    let bed = kind.start();
    let bus = bed.bus().await;
    let subject = Subject::test("a");
    let kept = bus.subscribe(subject.clone()).await.expect("a subscription");
    drop(bus.subscribe(subject.clone()).await.expect("a subscription"));
    let mut kept = kept;
    bus.publish(&subject, "x".into()).await.expect("published");
    assert_eq!(next_text(&mut kept).await, "x");
    drop(kept);
    let mut again = bus.subscribe(subject.clone()).await.expect("a subscription");
    bus.publish(&subject, "y".into()).await.expect("published");
    assert_eq!(next_text(&mut again).await, "y");
}

pub(crate) async fn many_subscriptions_at_once(kind: Kind) {
    const MANY: usize = 2_000;
    let bed = kind.start();
    let (listening, publishing) = (bed.bus().await, bed.bus().await);
    let subjects: Vec<_> = (0..MANY).map(|number| Subject::test(&number.to_string())).collect();
    let subscriptions = subjects.iter().map(|subject| listening.subscribe(subject.clone()));
    let mut subscriptions = soon(future::try_join_all(subscriptions)).await.expect("subscriptions");
    for subject in &subjects {
        publishing.publish(subject, "x".into()).await.expect("published");
    }
    for (subject, subscription) in subjects.iter().zip(&mut subscriptions) {
        assert_eq!(*next(subscription).await.subject, *subject.as_str());
    }
}

pub(crate) async fn a_payload_has_a_limit(kind: Kind) {
    let bed = kind.start();
    let bus = bed.bus().await;
    let mut signals = bus.signals();
    let subject = Subject::test("a");
    let mut subscription = bus.subscribe(subject.clone()).await.expect("a subscription");
    let largest = Limits::default().payload;
    let error = bus.publish(&subject, vec![0; largest + 1].into()).await.expect_err("an error");
    assert_eq!(error, PublishError::TooLarge);
    bus.publish(&subject, vec![0; largest].into()).await.expect("published");
    assert_eq!(next(&mut subscription).await.payload.len(), largest);
    assert!(signals.try_recv().is_err(), "the connection was lost");
}

pub(crate) async fn an_overflow_is_told_of(kind: Kind) {
    const QUEUE: usize = 16;
    let bed = kind.start_with(Limits { queue: QUEUE, ..Limits::default() });
    let (listening, publishing) = (bed.bus().await, bed.bus().await);
    let subject = Subject::test("a");
    let mut signals = listening.signals();
    let mut subscription = listening.subscribe(subject.clone()).await.expect("a subscription");
    for number in 0..2 * QUEUE {
        publishing.publish(&subject, number.to_string().into()).await.expect("published");
    }
    signalled(&mut signals, Signal::Dropped).await;
    // What is dropped after a signal is told of again.
    publishing.publish(&subject, "dropped as well".into()).await.expect("published");
    signalled(&mut signals, Signal::Dropped).await;
    for number in 0..QUEUE {
        assert_eq!(next_text(&mut subscription).await, number.to_string());
    }
    publishing.publish(&subject, "room again".into()).await.expect("published");
    assert_eq!(next_text(&mut subscription).await, "room again");
}
