//! Tickets (S3-02): creating, showing and deleting them, and who may.

use carillon_testkit::service::{Ask, Place, admin, service};
use serde_json::{Value, json};

use crate::{
    desk::{about, ask, change, comment, create, creation, gone, id, refusal, say, show, titled, told},
    world::{World, person},
};

fn john() -> Value {
    json!({"id": 1, "first_name": "John", "last_name": "Doe", "username": "john"})
}

/// Every field where the document has it, and the same to everyone who listens.
pub(crate) async fn a_ticket_is_created_as_the_document_has_it(place: Place) {
    let world = World::start(place).await;
    let body = json!({
        "title": " Fix login bug ", "description": "It fails.\n\nSometimes.", "status": {"id": 2, "name": "x"},
        "priority": "urgent", "assignee": "2", "labels": ["ui", " ui ", "Größe"], "due_date": "2028-02-29",
    });
    let ticket = create(&world, "1", &body).await;
    let at = ticket["created_at"].clone();
    assert!(at.as_str().is_some_and(|at| at.starts_with("20") && at.ends_with('Z')), "{at}");
    let expected = json!({
        "ticket_id": ticket["ticket_id"], "key": "PROJ-1", "project_id": 1, "title": "Fix login bug",
        "description": "It fails.\n\nSometimes.", "status": {"id": 2, "name": "In Progress", "color": "#faad14"},
        "priority": "urgent", "reporter": john(), "labels": ["ui", "Größe"], "due_date": "2028-02-29",
        "assignee": {"id": 2, "first_name": "", "last_name": "", "username": "bob"},
        "comments": 0, "version": 1, "created_at": at, "updated_at": at,
    });
    assert_eq!(ticket, expected);
    assert_eq!(show(&world, id(&ticket)).await, ticket);
    let event =
        json!({"type": "ticket_update", "action": "created", "data": ticket, "changes": {}, "actor": john()});
    assert_eq!(told(&world).await, [event]);
}

/// A title is all it takes.
pub(crate) async fn what_is_not_said_has_a_default(place: Place) {
    let world = World::start(place).await;
    for (number, body) in [
        json!({"title": "x"}),
        json!({"title": "x".repeat(200), "assignee": null, "due_date": null, "labels": [], "description": ""}),
    ]
    .iter()
    .enumerate()
    {
        let ticket = create(&world, "2", body).await;
        assert_eq!(ticket["key"], format!("PROJ-{}", number + 1));
        assert_eq!(ticket["status"], json!({"id": 1, "name": "Open", "color": "#1890ff"}));
        assert_eq!((&ticket["priority"], &ticket["description"]), (&json!("medium"), &json!("")));
        assert_eq!((&ticket["assignee"], &ticket["due_date"]), (&Value::Null, &Value::Null));
        assert_eq!((&ticket["labels"], &ticket["reporter"]["username"]), (&json!([]), &json!("bob")));
    }
}

/// 422 names the field, on creation as on a change; 400 is for what is no JSON. Nothing is written.
pub(crate) async fn what_is_wrong_is_named(place: Place) {
    let world = World::start(place).await;
    let ticket = titled(&world, "First").await;
    let many: Vec<String> = (0..21).map(|number| number.to_string()).collect();
    for (field, value) in [
        ("title", json!("")),
        ("title", json!(" ")),
        ("title", json!("x".repeat(201))),
        ("title", json!("a\nb")),
        ("title", json!(7)),
        ("description", json!("x".repeat(20_001))),
        ("description", json!("\u{0}")),
        ("description", json!([])),
        ("status", json!("Nowhere")),
        ("status", json!(99)),
        ("status", json!(-1)),
        ("status", json!({"name": "Open"})),
        ("status", json!(true)),
        ("priority", json!("Low")),
        ("priority", json!(1)),
        ("assignee", json!(6)),
        ("assignee", json!("nobody")),
        ("assignee", json!("")),
        ("assignee", json!(1.5)),
        ("assignee", json!({"id": 2})),
        ("due_date", json!("2026-02-30")),
        ("due_date", json!("2026-01-31T00:00:00Z")),
        ("due_date", json!(20_260_131)),
        ("labels", json!("ui")),
        ("labels[1]", json!(["ui", 2])),
        ("labels", json!([""])),
        ("labels", json!(["x".repeat(51)])),
        ("labels", json!(["a\0b"])),
        ("labels", json!(many)),
        ("version", json!("1")),
    ] {
        let name = field.split('[').next().unwrap();
        let mut body = json!({"title": "Second"});
        body[name] = value.clone();
        for ask in [creation("1", &body), change(ticket, "1", &json!({ name: value }))] {
            assert_eq!(refusal(&world, &ask).await, (422, field.to_owned()), "{ask:?}");
        }
    }
    for (field, body) in [
        ("title", json!({"description": "no title"})),
        ("version", json!({"title": "Second", "version": 1})),
        ("body", json!([])),
        ("body", json!(null)),
    ] {
        assert_eq!(refusal(&world, &creation("1", &body)).await, (422, field.to_owned()), "{body}");
    }
    for field in ["reporter", "key", "comments", "created_at", "constructor"] {
        let body = json!({"title": "Second", field: 1});
        for ask in [creation("1", &body), change(ticket, "1", &body)] {
            assert_eq!(refusal(&world, &ask).await, (422, field.to_owned()), "{ask:?}");
        }
    }
    for body in ["", "{", "{\"title\":\"x\"} y", "\u{1}"] {
        for ask in [ask("tickets.create", "1").bytes(body), about("tickets.update", ticket, "1").bytes(body)]
        {
            assert_eq!(refusal(&world, &ask).await.0, 400, "{body:?}");
        }
    }
    let no_text = ask("tickets.create", "1").bytes("{\"title\":\"\\ud800\"}");
    assert_eq!(refusal(&world, &no_text).await, (422, "title".to_owned()));
    let key = creation("1", &json!({"title": "Second"})).key(&"k".repeat(256));
    assert_eq!(refusal(&world, &key).await.0, 400);
    assert_eq!(told(&world).await.len(), 1);
    assert_eq!(create(&world, "1", &json!({"title": "Second"})).await["key"], "PROJ-2");
}

/// Each route that needs a project, with what it needs otherwise.
fn every_route(ticket: i64) -> Vec<Ask> {
    let title = json!({"title": "x"});
    let comment_id = |ask: Ask| ask.parameter("comment_id", 1);
    vec![
        ask("show", "1"),
        ask("tickets.list", "1"),
        creation("1", &title),
        about("tickets.show", ticket, "1"),
        change(ticket, "1", &title),
        about("tickets.delete", ticket, "1"),
        about("tickets.activity", ticket, "1"),
        about("comments.list", ticket, "1"),
        comment(ticket, "1", "x"),
        comment_id(about("comments.update", ticket, "1").body(&json!({"message": "x"}))),
        comment_id(about("comments.delete", ticket, "1")),
        ask("statuses.list", "1"),
    ]
}

/// 403 and 404 on every route; what is written is for users.
pub(crate) async fn only_members_get_in(place: Place) {
    let world = World::start(place).await;
    let ticket = titled(&world, "First").await;
    for ask in every_route(ticket) {
        for identity in [person("6"), person("nobody"), service("s1", "events:publish")] {
            assert_eq!(refusal(&world, &ask.clone().by(identity)).await.0, 403, "{ask:?}");
        }
        let unknown = ask.clone().parameter("project_id", "9");
        assert_eq!(refusal(&world, &unknown).await.0, 404, "{ask:?}");
        assert_eq!(refusal(&world, &unknown.by(admin())).await.0, 404, "{ask:?}");
        let mut nobody = ask.clone();
        nobody.0.identity = None;
        assert_eq!(refusal(&world, &nobody).await.0, 401, "{ask:?}");
    }
    // A token that says that it is a service's stands for no user, whatever else it says.
    let odd = carillon_contract::messages::Identity { service: true, ..person("1") };
    assert_eq!(refusal(&world, &creation("1", &json!({"title": "x"})).by(odd)).await.0, 403);
    assert_eq!(told(&world).await.len(), 1);
}

/// An admin works wherever there is a project.
pub(crate) async fn admins_who_are_no_members_may(place: Place) {
    let world = World::start(place).await;
    let ticket = world.ask(&creation("1", &json!({"title": "x"})).by(admin())).await;
    assert_eq!((ticket.status, &ticket.body["reporter"]["id"]), (201, &json!(4)));
    for ask in
        every_route(id(&ticket.body)).into_iter().filter(|ask| ask.0.route != "projects.tickets.delete")
    {
        let answer = world.ask(&ask.clone().by(admin())).await;
        let about_comment = ask.0.parameters.contains_key("comment_id");
        assert!(about_comment || matches!(answer.status, 200 | 201), "{ask:?} {answer:?}");
    }
    // To be an admin is not to be a member.
    let assign = change(id(&ticket.body), "1", &json!({"assignee": 4}));
    assert_eq!(refusal(&world, &assign).await, (422, "assignee".to_owned()));
    gone(world.ask(&about("tickets.delete", id(&ticket.body), "1").by(admin())).await);
}

/// 404 for what is no ticket of the project, for what is no id, and for what is another's.
pub(crate) async fn what_is_not_there_is_not_found(place: Place) {
    let world = World::start(place).await;
    let ticket = titled(&world, "First").await;
    let theirs = creation("6", &json!({"title": "Theirs"})).parameter("project_id", 2);
    let theirs = world.ask(&theirs).await;
    assert_eq!(theirs.body["key"], "P2-1");
    let ids = [id(&theirs.body).to_string(), (ticket + 1_000).to_string()];
    let no_ids = ["0", "-1", "+1", "01", " 1", "1.0", "", "PROJ-1", "9223372036854775808", "1\0", "１"];
    for id in ids.iter().map(String::as_str).chain(no_ids) {
        for ask in every_route(ticket) {
            if ask.0.parameters.contains_key("ticket_id") {
                let ask = ask.parameter("ticket_id", id);
                assert_eq!(refusal(&world, &ask).await.0, 404, "{ask:?}");
                assert_eq!(refusal(&world, &ask.by(admin())).await.0, 404);
            }
        }
    }
    assert_eq!(refusal(&world, &ask("tickets.nowhere", "1")).await.0, 404);
    assert_eq!(told(&world).await.len(), 1);
    assert_eq!(show(&world, ticket).await["title"], "First");
}

/// With all that belongs to it, and its number with it.
pub(crate) async fn its_reporter_or_an_admin_deletes_it(place: Place) {
    let world = World::start(place).await;
    let ticket = create(&world, "1", &json!({"title": "One", "assignee": 2, "labels": ["ui"]})).await;
    say(&world, id(&ticket), "2", "Why?").await;
    let other = titled(&world, "Two").await;
    assert_eq!(refusal(&world, &about("tickets.delete", id(&ticket), "2")).await.0, 403);
    gone(world.ask(&about("tickets.delete", id(&ticket), "1")).await);
    gone(world.ask(&about("tickets.delete", other, "2").by(admin())).await);
    for route in ["tickets.show", "tickets.activity", "comments.list", "tickets.delete"] {
        assert_eq!(refusal(&world, &about(route, id(&ticket), "1")).await.0, 404, "{route}");
    }
    for count in [
        "SELECT COUNT(*) FROM ticket",
        "SELECT COUNT(*) FROM ticket_label",
        "SELECT COUNT(*) FROM comment",
        "SELECT COUNT(*) FROM activity",
    ] {
        assert_eq!(world.count(count).await, 0, "{count}");
    }
    let events = told(&world).await;
    let deleted = &events[3];
    assert_eq!((&deleted["type"], &deleted["action"]), (&json!("ticket_update"), &json!("deleted")));
    assert_eq!(
        (&deleted["data"]["ticket_id"], &deleted["data"]["comments"]),
        (&ticket["ticket_id"], &json!(1))
    );
    assert_eq!((deleted["actor"].clone(), &events[4]["actor"]["id"]), (john(), &json!(4)));
    assert_eq!(create(&world, "1", &json!({"title": "Three"})).await["key"], "PROJ-3");
}
