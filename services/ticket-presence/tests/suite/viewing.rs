//! Which ticket somebody views (S3-03).

use carillon_testkit::service::Place;
use serde_json::{Value, json};

use crate::{
    attendance::{enter, present, refused, say, story, tab, tab_of, typing, viewers, viewing},
    desk::{about, titled},
    world::{World, channel, person},
};

pub(crate) async fn a_tab_views_one_ticket_at_a_time(place: Place) {
    let world = World::start(place).await;
    let (one, two) = (titled(&world, "One").await, titled(&world, "Two").await);
    let session = tab_of("project", "1", person("2"), "a tab");
    enter(&world, &session).await;
    let mut live = world.listen(&channel("1", "presence")).await;
    say(&world, &session, 1, &viewing(one)).await;
    let expected = json!({
        "type": "ticket_viewing", "action": "started", "ticket_id": one, "user_id": 2, "username": "bob",
    });
    assert_eq!(live.json().await, expected);
    say(&world, &session, 2, &viewing(one)).await;
    // Its id as text is the same ticket.
    say(&world, &session, 3, &viewing(two.to_string())).await;
    say(&world, &session, 4, &viewing(Value::Null)).await;
    say(&world, &session, 5, &viewing(two)).await;
    world.close(&session, false).await;
    let (one, two) = (one.to_string(), two.to_string());
    let expected = ["+2", &format!("2>{one}"), &format!("2<{one}"), &format!("2>{two}"), &format!("2<{two}")];
    let expected = format!("{} 2>{two} 2<{two} -2", expected.join(" "));
    assert_eq!(story(&world).await, expected);
}

/// Two tabs at two tickets; a tab that closes takes only its own away.
pub(crate) async fn two_tabs_view_two_tickets(place: Place) {
    let world = World::start(place).await;
    let (one, other) = (tab("1", "one"), tab("1", "other"));
    for session in [&one, &other] {
        enter(&world, session).await;
        say(&world, session, 1, &viewing(7)).await;
    }
    assert_eq!(story(&world).await, "+1 1>7");
    say(&world, &other, 2, &viewing(8)).await;
    assert_eq!(viewers(&enter(&world, &tab("2", "a tab")).await[0])[0], (1, vec![json!(7), json!(8)]));
    world.close(&one, false).await;
    assert_eq!(viewers(&present(&world, &[]).await.ok()), [(1, vec![json!(8)]), (2, vec![])]);
    assert_eq!(story(&world).await, "+1 1>7 1>8 +2 1<7");
}

pub(crate) async fn what_comes_again_or_late_changes_nothing(place: Place) {
    let world = World::start(place).await;
    let session = tab("1", "a tab");
    enter(&world, &session).await;
    for (number, ticket) in [(2, 7), (2, 7), (1, 8), (2, 9), (5, 8), (4, 9), (5, 8)] {
        say(&world, &session, number, &viewing(ticket)).await;
    }
    assert_eq!(story(&world).await, "+1 1>7 1<7 1>8");
    world.close(&session, false).await;
    say(&world, &session, 6, &viewing(7)).await;
    assert_eq!(story(&world).await, "+1 1>7 1<7 1>8 1<8 -1");
}

/// An error frame, and everything stays as it was.
pub(crate) async fn a_ticket_of_another_project_is_refused(place: Place) {
    let world = World::start(place).await;
    let (own, deleted) = (titled(&world, "Own").await, titled(&world, "Deleted").await);
    let creation = about("tickets.create", 0, "1").parameter("project_id", 2);
    let other = world.ask(&creation.body(&json!({"title": "Another project's"}))).await;
    let other = other.body["ticket_id"].as_i64().unwrap();
    assert!(world.ask(&about("tickets.delete", deleted, "1")).await.status < 300);
    let session = tab("1", "a tab");
    enter(&world, &session).await;
    say(&world, &session, 1, &viewing(own)).await;
    let wrong = [json!(other), json!(deleted), json!(0), json!(-1), json!("x"), json!(format!("0{own}"))];
    for (number, ticket) in (2..).zip(wrong) {
        for frame in [viewing(ticket.clone()), typing(ticket.clone(), true), typing(ticket, false)] {
            assert_eq!(refused(&world, &session, number, &frame).await, "unknown_ticket", "{frame}");
        }
    }
    assert_eq!(story(&world).await, format!("+1 1>{own}"));
    let there = present(&world, &[]).await.ok();
    assert_eq!((viewers(&there), &there["present"][0]["typing"]), (vec![(1, vec![json!(own)])], &json!([])));
    // Its last one is gone; it kept its tickets here all the same.
    assert!(world.ask(&about("tickets.delete", own, "1")).await.status < 300);
    assert_eq!(refused(&world, &session, 20, &viewing(own)).await, "unknown_ticket");
    say(&world, &session, 21, &viewing(Value::Null)).await;
    assert_eq!(story(&world).await, format!("+1 1>{own} 1<{own}"));
}

/// Of a project that keeps its tickets elsewhere nobody here knows which there are.
pub(crate) async fn tickets_kept_elsewhere_have_any_id(place: Place) {
    let world = World::start(place).await;
    let creation = about("tickets.create", 0, "1").parameter("project_id", 2);
    assert_eq!(world.ask(&creation.body(&json!({"title": "Another project's"}))).await.status, 201);
    let session = tab("1", "a tab");
    enter(&world, &session).await;
    let tickets = [json!(1), json!("PROJ-7"), json!("a/b.c *>"), json!("é".repeat(127)), json!("__%")];
    for (number, ticket) in (1..).zip(tickets) {
        say(&world, &session, number, &viewing(ticket.clone())).await;
        assert_eq!(viewers(&present(&world, &[]).await.ok()), [(1, vec![ticket])]);
    }
}

/// The connection stays, and so does what it views.
pub(crate) async fn what_makes_no_sense_is_refused(place: Place) {
    let world = World::start(place).await;
    let session = tab("1", "a tab");
    enter(&world, &session).await;
    say(&world, &session, 1, &viewing(7)).await;
    let frames = [
        json!({"type": "viewing"}),
        json!({"type": "viewing", "ticket_id": [7]}),
        json!({"type": "viewing", "ticket_id": "a\0b"}),
        json!({"type": "viewing", "ticket_id": "x".repeat(256)}),
        json!({"type": "typing", "ticket_id": null, "is_typing": true}),
        json!({"type": "typing", "ticket_id": 7}),
        json!({"type": "ticket_update"}),
        json!([]),
        json!("viewing"),
    ];
    for (number, frame) in (2..).zip(&frames) {
        assert_eq!(refused(&world, &session, number, frame).await, "invalid", "{frame}");
    }
    for payload in [&b""[..], b"{", b"\xff\xfe", b"{}{}", "[".repeat(100_000).as_bytes()] {
        let reply = world.frame_bytes(&session, 50, payload.to_vec()).await;
        let frame: Value = serde_json::from_slice(&reply.frames[0]).unwrap();
        assert_eq!((reply.close, &frame["code"]), (None, &json!("invalid_json")));
    }
    let mut named = viewing(json!([]));
    named["client_id"] = json!("mine");
    assert_eq!(world.frame(&session, 51, &named).await[0]["client_id"], "mine");
    assert_eq!(viewers(&present(&world, &[]).await.ok()), [(1, vec![json!(7)])]);
}
