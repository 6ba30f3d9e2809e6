//! Events that end sessions: someone was removed, or the rules have changed.

use carillon_contract::{
    Channel,
    messages::{Dismissal, Event, Variant},
};

use crate::{
    bed::{Bed, token, with_gateway},
    client::Client,
};

const REMOVED: (u16, &str) = (4004, "removed");

fn room() -> Channel {
    Channel::new("room", &["general"]).expect("a channel")
}

fn dismissal(user: &str) -> Event {
    let (code, reason) = (REMOVED.0.into(), REMOVED.1.to_owned());
    Event { dismissal: Some(Dismissal { user: user.to_owned(), code, reason }), ..Event::default() }
}

/// One that its user is told of.
fn told(user: &str) -> Event {
    Event { variants: vec![Variant::json("{\"type\":\"removed\"}")], ..dismissal(user) }
}

fn path(user: &str) -> String {
    format!("/ws/chat/general/?token={}", token(user, 3600))
}

async fn is_removed(client: &mut Client) {
    assert_eq!(client.closed_at_once().await, (REMOVED.0, REMOVED.1.to_owned()));
}

/// It hears what comes next.
async fn stays(bed: &Bed, client: &mut Client) {
    let Event { offset, .. } = bed.services.emit(&room(), "{}").await;
    while client.offset().await < offset {}
}

#[test]
fn every_connection_of_the_user_is_closed_after_the_events_frame_and_nobody_elses() {
    with_gateway(&[], async |bed| {
        let mut mine = [bed.greeted(&path("1")).await, bed.greeted(&path("1")).await];
        let mut others = [bed.greeted(&path("2")).await, bed.greeted("/ws/chat/general/").await];
        let mut elsewhere = bed.greeted(&format!("/ws/chat/other/?token={}", token("1", 3600))).await;
        bed.services.emit_event(&room(), told("1")).await;
        for client in &mut mine {
            assert_eq!(client.json().await["type"], "removed");
            is_removed(client).await;
        }
        for client in &mut others {
            assert_eq!(client.json().await["type"], "removed");
            stays(bed, client).await;
        }
        bed.services.emit(&Channel::new("room", &["other"]).expect("a channel"), "{}").await;
        assert_eq!(elsewhere.offset().await, 1);
        // Whoever comes back is the owner's to judge.
        bed.greeted(&path("1")).await;
    });
}

#[test]
fn without_a_user_everyone_is_closed() {
    with_gateway(&[], async |bed| {
        let mut clients = [bed.greeted(&path("1")).await, bed.greeted("/ws/chat/general/").await];
        bed.services.emit_event(&room(), dismissal("")).await;
        for client in &mut clients {
            is_removed(client).await;
        }
    });
}

#[test]
fn who_is_not_to_receive_the_event_is_dismissed_all_the_same() {
    with_gateway(&[], async |bed| {
        let mut client = bed.connect(&path("1")).await;
        client.json().await;
        let connection = bed.services.connections().remove(0);
        let event = Event { except_connection: connection, ..told("1") };
        bed.services.emit_event(&room(), event).await;
        is_removed(&mut client).await;
    });
}

#[test]
fn it_keeps_its_place_among_other_events_and_is_found_if_it_is_lost() {
    with_gateway(&[], async |bed| {
        let mut leaves = bed.greeted(&path("1")).await;
        let mut stays = bed.greeted(&path("2")).await;
        let events: Vec<Event> = (1..=30)
            .map(|offset| match offset {
                20 => bed.services.append_event(&room(), dismissal("1")),
                _ => bed.services.append(&room(), "{}"),
            })
            .collect();
        for event in events.iter().rev().filter(|event| event.offset != 20) {
            bed.services.publish(event).await;
        }
        assert_eq!(leaves.offsets(19).await, (1..=19).collect::<Vec<_>>());
        is_removed(&mut leaves).await;
        let expected: Vec<u64> = (1..=30).filter(|offset| *offset != 20).collect();
        assert_eq!(stays.offsets(29).await, expected);
    });
}

#[test]
fn who_is_being_let_in_is_closed_unless_the_owner_knew() {
    with_gateway(&[], async |bed| {
        let mut there = bed.greeted(&path("1")).await;
        // The owner knew of this one; the gateway learns of it afterwards.
        bed.services.append_event(&room(), dismissal("1"));
        let mut back = bed.greeted(&path("1")).await;
        is_removed(&mut there).await;
        stays(bed, &mut back).await;
        // And did not know of that one.
        let mut open = bed.services.hold_open();
        let mut opening = bed.connect(&path("1")).await;
        open.reached().await;
        bed.services.emit(&room(), "{}").await;
        bed.services.emit_event(&room(), dismissal("1")).await;
        bed.services.emit(&room(), "{}").await;
        assert_eq!(back.offset().await, 3);
        is_removed(&mut back).await;
        drop(open);
        assert_eq!(opening.json().await["channels"][0]["offset"], 2);
        assert_eq!(opening.offset().await, 3);
        is_removed(&mut opening).await;
    });
}

#[test]
fn one_between_the_greeting_and_the_stream_counts() {
    with_gateway(&[], async |bed| {
        let mut open = bed.services.hold_open();
        let mut early = bed.connect(&path("1")).await;
        open.reached().await;
        bed.services.append_event(&room(), told("1"));
        // The gateway's stream begins after it, since this one was greeted with it.
        let mut late = bed.greeted(&path("1")).await;
        stays(bed, &mut late).await;
        drop(open);
        assert_eq!(early.json().await["channels"][0]["offset"], 0);
        assert_eq!(early.offset().await, 1);
        is_removed(&mut early).await;
    });
}

#[test]
fn one_that_is_replayed_is_history() {
    with_gateway(&[], async |bed| {
        bed.services.append_event(&room(), told("1"));
        bed.services.append_event(&room(), dismissal(""));
        bed.services.append(&room(), "{}");
        let mut client = bed.greeted(&format!("{}&since=e0.0", path("1"))).await;
        assert_eq!(client.json().await["missed"], 3);
        assert_eq!(client.offsets(2).await, [1, 3]);
        stays(bed, &mut client).await;
    });
}

#[test]
fn a_gap_that_may_have_held_a_dismissal_has_everyone_checked_again() {
    with_gateway(&[], async |bed| {
        let mut client = bed.greeted(&path("1")).await;
        (0..4).for_each(|_| drop(bed.services.append(&room(), "{}")));
        bed.services.prune(&room(), 3);
        bed.services.emit(&room(), "{}").await;
        let recovery = client.json().await;
        assert_eq!((&recovery["type"], &recovery["recovered"]), (&"recovery".into(), &false.into()));
        assert_eq!(client.closed_at_once().await.0, 1013);
    });
}
