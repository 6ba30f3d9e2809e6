//! Who is typing, over time.

use serde_json::json;

use super::*;

const DURATION: Duration = Duration::from_secs(5);

fn typist(user: &str) -> Typist {
    Typist { conversation: 7, user: user.to_owned() }
}

/// The frame of a number over a connection of user 1, who is typing if the number is odd.
fn frame(connection: &str, number: u64, is_own: bool) -> Heard {
    Heard {
        typist: typist("1"),
        person: json!({"id": 1}),
        connection: connection.to_owned(),
        number,
        is_typing: !number.is_multiple_of(2),
        is_own,
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// S4-04: typing stops by itself after 5 s without renewal.
#[test]
fn it_is_over_five_seconds_after_the_last_renewal() {
    let (mut table, start) = (Table::new(DURATION), Instant::now());
    assert!(table.hear(frame("a", 1, true), start));
    assert!(!table.hear(frame("a", 3, true), start + seconds(3)));
    assert_eq!(table.due(), Some(start + seconds(8)));
    assert!(table.over(start + seconds(7)).is_empty());
    assert_eq!(table.typing_in(7, "2").count(), 1);
    let over = table.over(start + seconds(8));
    assert_eq!(
        over.iter().map(|over| (over.typist.clone(), over.number)).collect::<Vec<_>>(),
        [(typist("1"), 3)]
    );
    assert_eq!((table.due(), table.typing_in(7, "2").count()), (None, 0));
    assert!(table.hear(frame("a", 5, true), start + seconds(9)));
}

#[test]
fn another_replica_waits_a_second_longer() {
    let (mut table, start) = (Table::new(DURATION), Instant::now());
    table.hear(frame("a", 1, false), start);
    assert_eq!(table.due(), Some(start + seconds(6)));
    // The one that heard it has told.
    assert!(table.hear(Heard { is_typing: false, ..frame("a", 1, false) }, start + seconds(5)));
    assert!(table.over(start + seconds(20)).is_empty());
}

/// What replicas tell each other may come late.
#[test]
fn what_comes_late_changes_nothing() {
    let (mut table, start) = (Table::new(DURATION), Instant::now());
    assert!(table.hear(frame("a", 2, true), start));
    assert!(!table.hear(frame("a", 1, false), start));
    assert_eq!(table.typing_in(7, "2").count(), 0);
    assert!(!table.hear(frame("a", 2, true), start));
    assert!(table.hear(frame("a", 3, true), start));
    assert!(!table.hear(frame("a", 3, true), start));
    assert!(table.hear(frame("a", 4, true), start));
    assert!(table.over(start + seconds(6)).is_empty());
}

#[test]
fn what_one_tab_stops_another_may_still_be_doing() {
    let (mut table, start) = (Table::new(DURATION), Instant::now());
    table.hear(frame("a", 1, true), start);
    assert!(!table.hear(frame("b", 1, true), start + seconds(1)));
    assert!(!table.hear(frame("a", 2, true), start + seconds(2)));
    assert!(table.person(&typist("1"), "a").is_none());
    assert!(table.person(&typist("1"), "b").is_some());
    assert!(table.hear(frame("b", 2, true), start + seconds(3)));
}

#[test]
fn a_reader_is_told_of_others_in_its_conversation() {
    let (mut table, start) = (Table::new(DURATION), Instant::now());
    for (conversation, user) in [(6, "1"), (7, "1"), (7, "2"), (8, "1")] {
        let typist = Typist { conversation, user: user.to_owned() };
        table.hear(Heard { typist, ..frame("a", 1, true) }, start);
    }
    assert_eq!(table.typing_in(7, "2").count(), 1);
    assert_eq!(table.typing_in(7, "3").count(), 2);
    assert_eq!(table.typing_in(9, "3").count(), 0);
}

#[test]
fn there_is_a_bound() {
    let (mut table, start) = (Table::new(DURATION), Instant::now());
    for user in 0..=MAX_TYPISTS {
        let heard = Heard { typist: typist(&user.to_string()), ..frame("a", 1, true) };
        assert_eq!(table.hear(heard, start), user < MAX_TYPISTS);
    }
    assert_eq!((table.entries.len(), table.due.len()), (MAX_TYPISTS, MAX_TYPISTS));
}
