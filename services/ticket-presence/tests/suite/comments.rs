//! Comments (S3-02): adding, editing, deleting and reading them.

use carillon_testkit::service::{Place, admin};
use serde_json::{Value, json};

use crate::{
    desk::{about, about_comment, ask, comment, gone, refusal, say, show, titled, told},
    world::World,
};

/// Its author and time; the ticket counts it and stays as it was otherwise.
pub(crate) async fn a_comment_is_added_and_counted(place: Place) {
    let world = World::start(place).await;
    let ticket = titled(&world, "x").await;
    let before = show(&world, ticket).await;
    let said = say(&world, ticket, "2", " Works for me.\nReally. ").await;
    let bob = json!({"id": 2, "first_name": "Bob", "last_name": "Oz", "username": "bob"});
    let expected = json!({
        "comment_id": said["comment_id"], "ticket_id": ticket, "ticket_key": "PROJ-1", "author": bob,
        "message": "Works for me.\nReally.", "created_at": said["created_at"], "edited_at": null,
    });
    assert_eq!(said, expected);
    let mut data = expected.clone();
    data["comments"] = json!(1);
    let event = json!({"type": "comment_added", "data": data, "actor": bob});
    assert_eq!(told(&world).await.pop(), Some(event));
    let mut after = before.clone();
    after["comments"] = json!(1);
    assert_eq!(show(&world, ticket).await, after);
    say(&world, ticket, "1", "x").await;
    assert_eq!(show(&world, ticket).await["comments"], 2);
}

/// Only its author does, and everyone is told.
pub(crate) async fn its_author_edits_it(place: Place) {
    let world = World::start(place).await;
    let ticket = titled(&world, "x").await;
    let said = say(&world, ticket, "2", "frist").await;
    let edit =
        |by: &str, text: &str| about_comment("comments.update", &said, by).body(&json!({"message": text}));
    assert_eq!(refusal(&world, &edit("1", "first")).await.0, 403);
    assert_eq!(refusal(&world, &edit("1", "first").by(admin())).await.0, 403);
    assert_eq!(world.ask(&edit("2", "frist")).await.ok(), said);
    assert_eq!(told(&world).await.len(), 2);
    let edited = world.ask(&edit("2", "first")).await.ok();
    assert!(edited["edited_at"].as_str() > said["created_at"].as_str());
    let mut expected = said.clone();
    (expected["message"], expected["edited_at"]) = (json!("first"), edited["edited_at"].clone());
    assert_eq!(edited, expected);
    let event = told(&world).await.pop().unwrap();
    assert_eq!((&event["type"], &event["data"]), (&json!("comment_updated"), &edited));
    let page = world.ask(&about("comments.list", ticket, "3")).await.ok();
    assert_eq!(page, json!({"comments": [edited], "next": null}));
    assert_eq!(show(&world, ticket).await["comments"], 1);
}

/// Its author or an admin does; it is no longer counted.
pub(crate) async fn its_author_or_an_admin_deletes_it(place: Place) {
    let world = World::start(place).await;
    let ticket = titled(&world, "x").await;
    let (one, two) = (say(&world, ticket, "2", "one").await, say(&world, ticket, "2", "two").await);
    assert_eq!(refusal(&world, &about_comment("comments.delete", &one, "1")).await.0, 403);
    gone(world.ask(&about_comment("comments.delete", &one, "2")).await);
    let event = told(&world).await.pop().unwrap();
    let data =
        json!({"comment_id": one["comment_id"], "ticket_id": ticket, "ticket_key": "PROJ-1", "comments": 1});
    assert_eq!((&event["type"], &event["data"]), (&json!("comment_deleted"), &data));
    assert_eq!(event["actor"]["id"], 2);
    assert_eq!(refusal(&world, &about_comment("comments.delete", &one, "2")).await.0, 404);
    gone(world.ask(&about_comment("comments.delete", &two, "1").by(admin())).await);
    assert_eq!(show(&world, ticket).await["comments"], 0);
    let page = world.ask(&about("comments.list", ticket, "1")).await.ok();
    assert_eq!(page, json!({"comments": [], "next": null}));
}

/// 422, 400 and 404; nothing is written.
pub(crate) async fn what_is_no_comment_is_refused(place: Place) {
    let world = World::start(place).await;
    let (ticket, other) = (titled(&world, "x").await, titled(&world, "y").await);
    let said = say(&world, ticket, "1", "x").await;
    for (field, body) in [
        ("message", json!({})),
        ("message", json!({"message": ""})),
        ("message", json!({"message": " \n"})),
        ("message", json!({"message": 1})),
        ("message", json!({"message": null})),
        ("message", json!({"message": "a\0b"})),
        ("message", json!({"message": "é".repeat(5_001)})),
        ("author", json!({"message": "x", "author": 2})),
        ("body", json!("x")),
    ] {
        let edit = about_comment("comments.update", &said, "1");
        for ask in [about("comments.create", ticket, "1"), edit] {
            assert_eq!(refusal(&world, &ask.body(&body)).await, (422, field.to_owned()), "{body}");
        }
    }
    assert_eq!(refusal(&world, &about("comments.create", ticket, "1").bytes("x")).await.0, 400);
    let mine = said["comment_id"].to_string();
    for (ticket, comment) in [
        (other, mine.as_str()),
        (ticket, "999999"),
        (ticket, "0"),
        (ticket, "-1"),
        (ticket, "+1"),
        (ticket, &format!("0{mine}")),
        (ticket, "x"),
        (ticket, ""),
    ] {
        for route in ["comments.update", "comments.delete"] {
            let ask =
                about(route, ticket, "1").parameter("comment_id", comment).body(&json!({"message": "y"}));
            assert_eq!(refusal(&world, &ask).await.0, 404, "{comment}");
        }
    }
    assert_eq!(told(&world).await.len(), 3);
    assert_eq!(say(&world, ticket, "1", &"é".repeat(5_000)).await["message"], "é".repeat(5_000));
}

/// The oldest first, and each once.
pub(crate) async fn comments_are_read_page_by_page(place: Place) {
    let world = World::start(place).await;
    let (ticket, other) = (titled(&world, "x").await, titled(&world, "y").await);
    let mut said = Vec::new();
    for number in 0..7 {
        said.push(say(&world, ticket, "1", &number.to_string()).await);
        say(&world, other, "2", "meanwhile").await;
    }
    let list = |query: &[(&str, &str)]| {
        let ask = about("comments.list", ticket, "2");
        query.iter().fold(ask, |ask, (name, value)| ask.query(name, value))
    };
    let (mut walked, mut after) = (Vec::new(), "0".to_owned());
    for count in [3, 3, 1] {
        let page = world.ask(&list(&[("limit", "3"), ("after", &after)])).await.ok();
        let comments = page["comments"].as_array().unwrap();
        assert_eq!(comments.len(), count);
        walked.extend(comments.clone());
        after = page["next"].to_string();
    }
    assert_eq!((walked, after.as_str()), (said, "null"));
    for query in
        [("limit", "0"), ("limit", "101"), ("limit", "-1"), ("after", "x"), ("after", "9999999999999999999")]
    {
        assert_eq!(refusal(&world, &list(&[query])).await, (422, query.0.to_owned()));
    }
    assert_eq!(refusal(&world, &ask("comments.list", "1")).await.0, 404);
}

/// A page has as many as fit a message of the bus.
pub(crate) async fn pages_of_long_comments_stay_small(place: Place) {
    let world = World::start(place).await;
    let ticket = titled(&world, "x").await;
    let long = format!("x{}x", "\u{1}".repeat(4_998));
    for _ in 0..60 {
        assert_eq!(world.ask(&comment(ticket, "1", &long)).await.status, 201);
    }
    let (mut count, mut after) = (0, Value::from(0));
    while !after.is_null() {
        let ask = about("comments.list", ticket, "1").query("limit", 100).query("after", &after);
        let page = world.ask(&ask).await.ok();
        assert!(page.to_string().len() < 1_048_576);
        count += page["comments"].as_array().unwrap().len();
        after = page["next"].clone();
    }
    assert_eq!(count, 60);
}
