//! Who is typing, over time.

use serde_json::json;

use super::*;

const DURATION: Duration = Duration::from_secs(5);

fn typist(user: &str) -> Typist {
    Typist { topic: "7".to_owned(), user: user.to_owned() }
}

/// The frame of a number over a connection of user 1, who is typing if the number is odd.
fn frame(connection: &str, number: u64) -> Said {
    Said {
        typist: typist("1"),
        person: json!({"id": 1}),
        connection: connection.to_owned(),
        number,
        is_typing: !number.is_multiple_of(2),
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// S4-04: typing stops by itself after 5 s without renewal.
#[test]
fn it_is_over_five_seconds_after_the_last_renewal() {
    let (mut table, start) = (Table::new(DURATION), Instant::now());
    assert!(table.hear(frame("a", 1), true, start));
    assert!(!table.hear(frame("a", 3), true, start + seconds(3)));
    assert_eq!(table.due(), Some(start + seconds(8)));
    assert!(table.over(start + seconds(7)).is_empty());
    assert_eq!(table.typing_in("7").count(), 1);
    let over = table.over(start + seconds(8));
    assert_eq!(
        over.iter().map(|over| (over.typist.clone(), over.number)).collect::<Vec<_>>(),
        [(typist("1"), 3)]
    );
    assert_eq!((table.due(), table.typing_in("7").count()), (None, 0));
    assert!(table.hear(frame("a", 5), true, start + seconds(9)));
}

#[test]
fn another_replica_waits_a_second_longer() {
    let (mut table, start) = (Table::new(DURATION), Instant::now());
    table.hear(frame("a", 1), false, start);
    assert_eq!(table.due(), Some(start + seconds(6)));
    // The one that heard it has told.
    assert!(table.hear(Said { is_typing: false, ..frame("a", 1) }, false, start + seconds(5)));
    assert!(table.over(start + seconds(20)).is_empty());
}

/// What replicas tell each other may come late.
#[test]
fn what_comes_late_changes_nothing() {
    let (mut table, start) = (Table::new(DURATION), Instant::now());
    assert!(table.hear(frame("a", 2), true, start));
    assert!(!table.hear(frame("a", 1), false, start));
    assert_eq!(table.typing_in("7").count(), 0);
    assert!(!table.hear(frame("a", 2), true, start));
    assert!(table.hear(frame("a", 3), true, start));
    assert!(!table.hear(frame("a", 3), true, start));
    assert!(table.hear(frame("a", 4), true, start));
    assert!(table.over(start + seconds(6)).is_empty());
}

#[test]
fn what_one_tab_stops_another_may_still_be_doing() {
    let (mut table, start) = (Table::new(DURATION), Instant::now());
    table.hear(frame("a", 1), true, start);
    assert!(!table.hear(frame("b", 1), true, start + seconds(1)));
    assert!(!table.hear(frame("a", 2), true, start + seconds(2)));
    assert!(table.stop(&typist("1"), "a", 3).is_none());
    assert!(table.stop(&typist("1"), "b", 3).is_some());
    assert!(table.hear(frame("b", 2), true, start + seconds(3)));
}

/// Topics are texts, of which one can be the beginning of another.
#[test]
fn topics_are_kept_apart() {
    let (mut table, start) = (Table::new(DURATION), Instant::now());
    for (topic, user) in
        [("6/1", "1"), ("7/1", "1"), ("7/1", "2"), ("7/10", "1"), ("7/2", "3"), ("70/1", "1")]
    {
        let typist = Typist { topic: topic.to_owned(), user: user.to_owned() };
        table.hear(Said { typist, connection: topic.to_owned(), ..frame("", 1) }, true, start);
    }
    let stopped =
        Said { typist: Typist { topic: "7/2".to_owned(), user: "3".to_owned() }, ..frame("7/2", 2) };
    assert!(table.hear(stopped, true, start));
    let of = |(typist, _): (&Typist, _)| format!("{} at {}", typist.user, typist.topic);
    assert_eq!(table.typing_in("7/1").map(of).collect::<Vec<_>>(), ["1 at 7/1", "2 at 7/1"]);
    assert_eq!(table.typing_in("7/").count(), 0);
    assert_eq!(table.typing_below("7/").map(of).collect::<Vec<_>>(), ["1 at 7/1", "2 at 7/1", "1 at 7/10"]);
}

#[test]
fn a_connection_is_found_wherever_it_types() {
    let (mut table, start) = (Table::new(DURATION), Instant::now());
    let at = |topic: &str| Typist { topic: topic.to_owned(), user: "1".to_owned() };
    for (topic, connection) in [("1", "a"), ("2", "a"), ("3", "ab"), ("1", "b")] {
        table.hear(Said { typist: at(topic), ..frame(connection, 1) }, true, start);
    }
    // Another tab has taken over the first.
    assert_eq!(table.of_connection("a").collect::<Vec<_>>(), [&at("2")]);
    assert_eq!(table.of_connection("b").collect::<Vec<_>>(), [&at("1")]);
    assert_eq!(table.over(start + seconds(5)).len(), 3);
    assert_eq!(table.of_connection("a").count() + table.connections.len(), 0);
}

#[test]
fn there_is_a_bound() {
    let (mut table, start) = (Table::new(DURATION), Instant::now());
    for user in 0..=MAX_TYPISTS {
        let said = Said { typist: typist(&user.to_string()), ..frame(&user.to_string(), 1) };
        assert_eq!(table.hear(said, true, start), user < MAX_TYPISTS);
    }
    let sizes = (table.entries.len(), table.due.len(), table.connections.len());
    assert_eq!(sizes, (MAX_TYPISTS, MAX_TYPISTS, MAX_TYPISTS));
}

#[test]
fn a_connection_has_a_bound_of_its_own() {
    let (mut table, start) = (Table::new(DURATION), Instant::now());
    for topic in 0..=MAX_OF_A_CONNECTION {
        let typist = Typist { topic: format!("topic-{topic}"), user: "1".to_owned() };
        let said = Said { typist, ..frame("a", 1) };
        assert_eq!(table.hear(said, true, start), topic < MAX_OF_A_CONNECTION);
    }
    assert!(table.hear(frame("b", 1), true, start));
}
