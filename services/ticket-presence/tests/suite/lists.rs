//! Lists of tickets: filters, orders and pages.

use std::collections::BTreeSet;

use carillon_testkit::service::{Ask, Place, json_of};
use serde_json::{Value, json};

use crate::{
    board::Board,
    desk::{ask, change, comment, create, id, refusal, show, titled, told},
    world::{World, channel},
};

fn list(query: &[(&str, &str)]) -> Ask {
    query.iter().fold(ask("tickets.list", "1"), |ask, (name, value)| ask.query(name, value))
}

async fn tickets(world: &World, query: &[(&str, &str)]) -> Vec<Value> {
    world.ask(&list(query)).await.ok()["tickets"].as_array().unwrap().clone()
}

/// The titles of a list, one after the other.
async fn titles(world: &World, query: &[(&str, &str)]) -> String {
    let titles = tickets(world, query).await;
    titles.iter().map(|ticket| ticket["title"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

/// Tickets whose titles are letters, in the order of their creation.
async fn lettered(world: &World, bodies: &[Value]) {
    for (letter, body) in ('a'..).zip(bodies) {
        let mut body = body.clone();
        body["title"] = json!(letter.to_string());
        create(world, "1", &body).await;
    }
}

/// One value or several, and all filters together.
pub(crate) async fn filters_choose(place: Place) {
    let world = World::start(place).await;
    let bodies = [
        json!({"status": 1, "assignee": 1, "priority": "low", "labels": ["ui"]}),
        json!({"status": 2, "assignee": 2, "priority": "high", "labels": ["ui", "api"]}),
        json!({"status": 3, "priority": "urgent", "labels": ["api"]}),
        json!({"status": 2, "assignee": 1, "priority": "medium"}),
    ];
    lettered(&world, &bodies).await;
    create(&world, "2", &json!({"title": "e"})).await;
    let elsewhere =
        ask("tickets.create", "6").parameter("project_id", 2).body(&json!({"title": "elsewhere"}));
    assert_eq!(world.ask(&elsewhere).await.status, 201);
    for (query, expected) in [
        (vec![], "e d c b a"),
        (vec![("status", "2")], "d b"),
        (vec![("status", "In Review,2")], "d c b"),
        (vec![("status", " open , in review ,")], "e c a"),
        (vec![("status", "4")], ""),
        (vec![("assignee", "me")], "d a"),
        (vec![("assignee", "none")], "e c"),
        (vec![("assignee", "2,none")], "e c b"),
        (vec![("assignee", "99")], ""),
        (vec![("reporter", "me")], "d c b a"),
        (vec![("reporter", "2")], "e"),
        (vec![("priority", "low,urgent")], "c a"),
        (vec![("label", "ui")], "b a"),
        (vec![("label", "ui,api")], "b"),
        (vec![("label", "UI")], ""),
        (vec![("label", "nothing")], ""),
        (vec![("status", "1,2"), ("assignee", "me"), ("priority", "low")], "a"),
        (vec![("status", ""), ("q", "")], "e d c b a"),
    ] {
        assert_eq!(titles(&world, &query).await, expected, "{query:?}");
    }
    let many = vec!["1"; 21].join(",");
    for (name, value) in [
        ("status", "Nowhere"),
        ("status", "9"),
        ("priority", "Low"),
        ("assignee", many.as_str()),
        ("label", many.as_str()),
        ("label", "a\0b"),
        ("assignee", "\0"),
        ("q", "a\0"),
        ("limit", "0"),
        ("limit", "201"),
        ("limit", "-1"),
        ("limit", "1.5"),
        ("sort", "colour"),
        ("sort", "-"),
        ("sort", "--key"),
        ("sort", "Key"),
    ] {
        assert_eq!(refusal(&world, &list(&[(name, value)])).await, (422, name.to_owned()), "{value:?}");
    }
}

/// A part of the key or the title, in whatever case; what a pattern would mean is looked for as it is.
pub(crate) async fn a_search_finds_what_was_typed(place: Place) {
    let world = World::start(place).await;
    for title in ["100% done", "100 done", "snake_case", "snakeXcase", "ÄRGER mit ß", "back\\slash", "x"] {
        create(&world, "1", &json!({"title": title, "description": "secret"})).await;
    }
    for (text, expected) in [
        ("100%", "100% done"),
        ("%", "100% done"),
        ("_", "snake_case"),
        ("SNAKE_", "snake_case"),
        ("ärger", "ÄRGER mit ß"),
        ("\\", "back\\slash"),
        ("proj-7", "x"),
        ("PROJ-7", "x"),
        ("secret", ""),
        ("'; DROP TABLE ticket; --", ""),
    ] {
        assert_eq!(titles(&world, &[("q", text)]).await, expected, "{text}");
    }
    assert_eq!(tickets(&world, &[("q", "DONE")]).await.len(), 2);
    // What is renamed is found by its new title alone.
    let found = id(&tickets(&world, &[("q", "snakex")]).await[0]);
    world.ask(&change(found, "1", &json!({"title": "kebab"}))).await.ok();
    assert_eq!(
        (titles(&world, &[("q", "kebab")]).await, titles(&world, &[("q", "snakex")]).await),
        ("kebab".to_owned(), String::new())
    );
    world.ask(&list(&[("q", &"x".repeat(10_000))])).await.ok();
}

/// Each order both ways, with equal keys in the order of their numbers; pages have each ticket once.
pub(crate) async fn every_order_is_walked_page_by_page(place: Place) {
    let world = World::start(place).await;
    let bodies: Vec<Value> = (0..23)
        .map(|number| {
            let due = [Value::Null, json!("2026-03-01"), json!("2026-01-31"), json!("9999-12-31")];
            let priority = ["low", "high", "urgent"][number % 3];
            json!({"priority": priority, "due_date": due[number % 4]})
        })
        .collect();
    lettered(&world, &bodies).await;
    // Titles that are equal, or have what cursors are made of; and some are changed again.
    for (number, title) in [(3, "a"), (5, "a.b"), (7, "'"), (9, "5.5"), (11, "a"), (2, "Größe, \"ja\"")] {
        let found = tickets(&world, &[("q", &format!("proj-{number}"))]).await;
        let found = found.iter().find(|it| it["key"] == format!("PROJ-{number}")).unwrap();
        world.ask(&change(id(found), "1", &json!({ "title": title }))).await.ok();
    }
    let number = |ticket: &Value| ticket["key"].as_str().unwrap()[5..].parse::<i64>().unwrap();
    let priority = |ticket: &Value| {
        ["low", "medium", "high", "urgent"].iter().position(|it| ticket["priority"] == *it).unwrap()
    };
    let text = |ticket: &Value, name: &str| ticket[name].as_str().map(str::to_owned);
    let due = |ticket: &Value| text(ticket, "due_date").unwrap_or_else(|| "9999-12-31".to_owned());
    let all = Board::listed(&world, 1).await;
    for sort in ["key", "created_at", "updated_at", "priority", "due_date", "title"] {
        let mut expected: Vec<Value> = all.0.values().cloned().collect();
        expected.sort_by_key(|it| match sort {
            "updated_at" => (text(it, "updated_at"), 0, number(it)),
            "priority" => (None, priority(it), number(it)),
            "due_date" => (Some(due(it)), 0, number(it)),
            "title" => (text(it, "title"), 0, number(it)),
            _ => (None, 0, number(it)),
        });
        for sort in [sort.to_owned(), format!("-{sort}")] {
            for limit in ["1", "5", "23", "200"] {
                assert_eq!(
                    walk(&world, &[("sort", &sort), ("limit", limit)]).await,
                    expected,
                    "{sort} {limit}"
                );
            }
            expected.reverse();
        }
    }
    let walked = walk(&world, &[("sort", "-priority"), ("limit", "2"), ("priority", "high")]).await;
    assert_eq!(walked.len(), 8);
    for (sort, cursor) in [
        ("key", "x"),
        ("key", "1"),
        ("key", "x."),
        ("key", "99999999999999999999."),
        ("updated_at", "1.x"),
        ("priority", "1."),
        ("title", "1"),
        ("title", "1.\0"),
    ] {
        let query = [("sort", sort), ("cursor", cursor)];
        assert_eq!(refusal(&world, &list(&query)).await, (422, "cursor".to_owned()), "{cursor}");
    }
}

/// Every page of a list, in order.
async fn walk(world: &World, query: &[(&str, &str)]) -> Vec<Value> {
    let (mut walked, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.ask(&list(query).query("cursor", &cursor)).await.ok();
        walked.extend(page["tickets"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return walked,
        }
    }
}

/// A page has as many tickets as fit a message of the bus, and at least one.
pub(crate) async fn pages_of_long_tickets_stay_small(place: Place) {
    let world = World::start(place).await;
    for _ in 0..12 {
        create(&world, "1", &json!({"title": "x", "description": "\u{1}".repeat(20_000)})).await;
    }
    let (mut found, mut cursor, mut pages) = (BTreeSet::new(), String::new(), 0);
    loop {
        let page = world.ask(&list(&[("limit", "200"), ("cursor", &cursor)])).await.ok();
        assert!(page.to_string().len() < 1_048_576);
        found.extend(page["tickets"].as_array().unwrap().iter().map(id));
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        next.clone_into(&mut cursor);
    }
    assert_eq!((found.len(), pages), (12, 2));
}

/// `since` is where the events begin that the list doesn't have.
pub(crate) async fn a_list_says_what_comes_after_it(place: Place) {
    let world = World::start(place).await;
    let since = |page: &Value| {
        let (epoch, offset) = page["since"].as_str().unwrap().split_once('.').unwrap();
        (epoch.to_owned(), offset.parse::<u64>().unwrap())
    };
    let (epoch, nothing) = since(&world.ask(&list(&[])).await.ok());
    assert_eq!(nothing, 0);
    let ticket = titled(&world, "x").await;
    titled(&world, "y").await;
    let page = world.ask(&list(&[("limit", "1"), ("q", "nothing at all")])).await.ok();
    assert_eq!((page["tickets"].clone(), since(&page)), (json!([]), (epoch.clone(), 2)));
    let listed = world.ask(&list(&[])).await.ok();
    let mut board: Vec<Value> =
        vec![json!({"type": "ticket_update", "action": "created", "data": show(&world, ticket).await})];
    world.ask(&change(ticket, "1", &json!({"title": "z"}))).await.ok();
    world.ask(&comment(ticket, "2", "x")).await;
    let events = world.history(&channel("1", "tickets")).await;
    assert!(events.iter().all(|event| event.epoch == epoch));
    let after = events.iter().filter(|event| event.offset > since(&listed).1).map(|event| json_of(event, ""));
    board.extend(after);
    assert_eq!(Board::replayed(&board).0[&ticket], show(&world, ticket).await);
    assert_eq!(told(&world).await.len(), 4);
}
