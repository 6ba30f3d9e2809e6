//! What becomes of tickets (S3-02, S3-04): changes, their events, and the activity log.

use carillon_testkit::service::{Ask, Place, service};
use serde_json::{Value, json};

use crate::{
    desk::{about, about_comment, change, create, creation, id, refusal, say, show, titled, told},
    world::World,
};

/// Each field, from what it was to what it is, for those who listen and in the log.
pub(crate) async fn every_field_is_told_from_and_to(place: Place) {
    let world = World::start(place).await;
    let ticket = titled(&world, "Fix login bug").await;
    let before = show(&world, ticket).await;
    let bob = json!({"id": 2, "first_name": "", "last_name": "", "username": "bob"});
    let steps = [
        ("title", json!("Fix logout bug"), json!("Fix logout bug")),
        ("description", json!("Now."), json!("Now.")),
        ("status", json!("in review"), json!({"id": 3, "name": "In Review", "color": "#722ed1"})),
        ("priority", json!("low"), json!("low")),
        ("assignee", json!(2), bob.clone()),
        ("labels", json!(["b", "a"]), json!(["b", "a"])),
        ("due_date", json!("2026-01-31"), json!("2026-01-31")),
    ];
    let mut shown = before.clone();
    for (number, (field, value, seen)) in steps.iter().enumerate() {
        let answer = world.ask(&change(ticket, "1", &json!({ *field: value }))).await.ok();
        let was = std::mem::replace(&mut shown[*field], seen.clone());
        (shown["version"], shown["updated_at"]) = (json!(number + 2), answer["updated_at"].clone());
        assert_eq!(answer, shown);
        let event = told(&world).await.pop().unwrap();
        assert_eq!((&event["action"], &event["data"]), (&json!("updated"), &shown));
        assert_eq!(event["changes"], json!({ *field: {"from": was, "to": seen} }));
    }
    assert!(shown["updated_at"].as_str() > before["updated_at"].as_str());
    assert_eq!(show(&world, ticket).await, shown);
    // Several at once, and back to nothing.
    let back =
        json!({"assignee": null, "due_date": null, "labels": [], "description": "", "priority": "low"});
    let answer = world.ask(&change(ticket, "2", &back)).await.ok();
    assert_eq!((&answer["assignee"], &answer["labels"]), (&Value::Null, &json!([])));
    let changes = told(&world).await.pop().unwrap()["changes"].clone();
    let expected = json!({
        "assignee": {"from": bob, "to": null}, "due_date": {"from": "2026-01-31", "to": null},
        "labels": {"from": ["b", "a"], "to": []}, "description": {"from": "Now.", "to": ""},
    });
    assert_eq!(changes, expected);
    let page = world.ask(&about("tickets.activity", ticket, "3")).await.ok();
    assert_eq!(page["activity"][8]["changes"], expected);
    assert_eq!(page["activity"][8]["actor"]["username"], "bob");
}

/// What is so already is no change.
pub(crate) async fn a_change_of_nothing_tells_nothing(place: Place) {
    let world = World::start(place).await;
    let body = json!({"title": "x", "assignee": 2, "labels": ["a"], "due_date": "2026-01-31", "status": 2});
    let ticket = create(&world, "1", &body).await;
    for same in [
        json!({}),
        body.clone(),
        json!({"title": " x ", "labels": ["a", "a"], "assignee": "2", "status": "In progress", "version": 1}),
    ] {
        assert_eq!(world.ask(&change(id(&ticket), "1", &same)).await.ok(), ticket);
    }
    assert_eq!(told(&world).await.len(), 1);
    let page = world.ask(&about("tickets.activity", id(&ticket), "1")).await.ok();
    assert_eq!(page["activity"].as_array().unwrap().len(), 1);
    assert_eq!(world.notified().await.len(), 1);
}

/// 409 with the ticket as it is now, so that the caller can decide anew.
pub(crate) async fn an_outdated_change_is_refused_with_the_ticket(place: Place) {
    let world = World::start(place).await;
    let ticket = titled(&world, "x").await;
    world.ask(&change(ticket, "2", &json!({"title": "y", "version": 1}))).await.ok();
    for (version, title) in [(1, "z"), (3, "z"), (0, "z"), (-1, "z"), (1, "y")] {
        let answer = world.ask(&change(ticket, "1", &json!({"title": title, "version": version}))).await;
        assert_eq!(answer.status, 409, "{answer:?}");
        assert_eq!(answer.body["ticket"], show(&world, ticket).await);
        assert_eq!(
            (&answer.body["ticket"]["title"], &answer.body["ticket"]["version"]),
            (&json!("y"), &json!(2))
        );
    }
    assert_eq!(told(&world).await.len(), 2);
    // A comment is none of these changes.
    say(&world, ticket, "2", "Really?").await;
    let answer = world.ask(&change(ticket, "1", &json!({"title": "z", "version": 2}))).await.ok();
    assert_eq!((&answer["version"], &answer["comments"]), (&json!(3), &json!(1)));
}

/// All that happened to a ticket, oldest first, page by page.
pub(crate) async fn the_activity_log_has_it_all(place: Place) {
    let world = World::start(place).await;
    let ticket = titled(&world, "x").await;
    world.ask(&change(ticket, "2", &json!({"priority": "high"}))).await.ok();
    let comment = say(&world, ticket, "3", "one").await;
    let edit = about_comment("comments.update", &comment, "3").body(&json!({"message": "two"}));
    world.ask(&edit).await.ok();
    world.ask(&about_comment("comments.delete", &comment, "3")).await;
    let activity = |query: &[(&str, &str)]| {
        let ask = about("tickets.activity", ticket, "1");
        query.iter().fold(ask, |ask, (name, value)| ask.query(name, value))
    };
    let page = world.ask(&activity(&[])).await.ok();
    let entries = page["activity"].as_array().unwrap();
    let heads: Vec<_> = entries
        .iter()
        .map(|it| {
            (
                it["number"].as_i64().unwrap(),
                it["action"].as_str().unwrap(),
                it["actor"]["id"].as_i64().unwrap(),
            )
        })
        .collect();
    let expected = [
        (1, "created", 1),
        (2, "updated", 2),
        (3, "commented", 3),
        (4, "comment_edited", 3),
        (5, "comment_deleted", 3),
    ];
    assert_eq!(heads, expected);
    assert_eq!(entries[1]["changes"], json!({"priority": {"from": "medium", "to": "high"}}));
    assert_eq!(entries[3]["changes"], json!({"message": {"from": "one", "to": "two"}}));
    assert!(entries[2..].iter().all(|entry| entry["comment_id"] == comment["comment_id"]));
    assert!(entries.is_sorted_by_key(|entry| entry["at"].as_str().unwrap().to_owned()));
    assert_eq!(page["next"], Value::Null);
    let mut walked = Vec::new();
    let mut next = "0".to_owned();
    for _ in 0..3 {
        let page = world.ask(&activity(&[("limit", "2"), ("after", &next)])).await.ok();
        walked.extend(page["activity"].as_array().unwrap().clone());
        next = page["next"].to_string();
    }
    assert_eq!((&walked, next.as_str()), (entries, "null"));
    for query in [("limit", "0"), ("limit", "101"), ("limit", "x"), ("after", "x")] {
        assert_eq!(refusal(&world, &activity(&[query])).await, (422, query.0.to_owned()));
    }
}

/// Long descriptions: pages stay small, and have all of it together.
pub(crate) async fn pages_of_long_changes_stay_small(place: Place) {
    let world = World::start(place).await;
    let ticket = titled(&world, "x").await;
    for letter in 'a'..='z' {
        let description = letter.to_string().repeat(20_000).replacen(letter, "\u{1}", 10_000);
        world.ask(&change(ticket, "1", &json!({ "description": description }))).await.ok();
    }
    let (mut numbers, mut after) = (Vec::new(), 0);
    loop {
        let page = world.ask(&about("tickets.activity", ticket, "1").query("after", after)).await.ok();
        assert!(page.to_string().len() < 1_048_576);
        numbers.extend(page["activity"].as_array().unwrap().iter().map(|it| it["number"].as_i64().unwrap()));
        let Some(next) = page["next"].as_i64() else { break };
        after = next;
    }
    assert_eq!(numbers, (1..=27).collect::<Vec<_>>());
}

/// Operators see what was changed, not what was repeated, refused or so already.
pub(crate) async fn figures_are_kept(place: Place) {
    let world = World::start(place).await;
    let ask = creation("1", &json!({"title": "x"})).key("k");
    let ticket = id(&world.ask(&ask).await.body);
    world.ask(&ask).await;
    world.ask(&change(ticket, "1", &json!({"title": "x"}))).await.ok();
    refusal(&world, &change(ticket, "1", &json!({"status": "Nowhere"}))).await;
    say(&world, ticket, "2", "x").await;
    let event = Ask::new("projects.events.publish").by(service("s1", "events:publish")).key("k");
    let event = event.parameter("project_id", 1).body(&json!({"type": "deploy"}));
    for _ in 0..3 {
        assert_eq!(world.ask(&event).await.status, 201);
    }
    assert_eq!(world.counter("carillon_projects_changes_total"), 2.0);
    assert_eq!(world.counter("carillon_projects_events_total"), 1.0);
}
