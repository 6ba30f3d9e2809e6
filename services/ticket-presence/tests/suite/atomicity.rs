//! One transaction: a change is there with its event, its entry in the log and what it owes, or not at all.

use carillon_testkit::service::{Ask, Place, admin};
use serde_json::json;
use sqlx::AssertSqlSafe;

use crate::{
    board::Board,
    desk::{about, about_comment, ask, change, comment, create, creation, id, say, titled, told},
    world::World,
};

/// Has the database refuse rows of a table.
async fn refuse(world: &World, table: &str) {
    let refusal = if world.place.url.starts_with("sqlite") {
        format!("CREATE TRIGGER refusal BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'refused'); END")
    } else {
        format!(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$; \
             CREATE TRIGGER refusal BEFORE INSERT ON {table} EXECUTE FUNCTION refuse()"
        )
    };
    sqlx::raw_sql(AssertSqlSafe(refusal)).execute(&mut world.database().await).await.unwrap();
}

async fn allow(world: &World, table: &str) {
    let allowed = if world.place.url.starts_with("sqlite") {
        "DROP TRIGGER refusal".to_owned()
    } else {
        format!("DROP TRIGGER refusal ON {table}; DROP FUNCTION refuse()")
    };
    sqlx::raw_sql(AssertSqlSafe(allowed)).execute(&mut world.database().await).await.unwrap();
}

const TABLES: [&str; 8] = [
    "SELECT COUNT(*) FROM ticket",
    "SELECT COUNT(*) FROM ticket_label",
    "SELECT COUNT(*) FROM comment",
    "SELECT COUNT(*) FROM activity",
    "SELECT COUNT(*) FROM status",
    "SELECT COUNT(*) FROM event",
    "SELECT COUNT(*) FROM outbox",
    "SELECT COALESCE(CAST(SUM(last_number) AS BIGINT), 0) FROM project",
];

/// How much there is of everything.
async fn counts(world: &World) -> Vec<i64> {
    let mut counts = Vec::new();
    for statement in TABLES {
        counts.push(world.count(statement).await);
    }
    counts
}

/// A request of each kind that owes something, or tells something.
async fn changes(world: &World) -> Vec<Ask> {
    let (one, two) = (titled(world, "x").await, titled(world, "y").await);
    let said = [say(world, one, "1", "a").await, say(world, one, "1", "b").await];
    let status = |route: &str| ask(route, "1").by(admin());
    vec![
        creation("1", &json!({"title": "x", "assignee": 2, "labels": ["a"]})),
        change(one, "1", &json!({"labels": ["b", "c"], "assignee": 3})),
        comment(one, "2", "@carol"),
        about_comment("comments.update", &said[0], "1").body(&json!({"message": "@bob"})),
        about_comment("comments.delete", &said[1], "1"),
        about("tickets.delete", two, "1"),
        status("statuses.create").body(&json!({"name": "New"})),
        status("statuses.update").parameter("status_id", 2).body(&json!({"name": "Renamed"})),
        status("statuses.delete").parameter("status_id", 3),
    ]
}

/// Whichever step fails: nothing is left, no number is lost, and once it works it happens once.
pub(crate) async fn what_fails_half_way_leaves_nothing(place: Place) {
    let world = World::start(place).await;
    let changes = changes(&world).await;
    world.notified().await;
    for ask in changes {
        let (before, board) = (counts(&world).await, Board::listed(&world, 1).await);
        for table in ["event", "outbox"] {
            let owes = matches!(ask.0.route.as_str(), "projects.tickets.create" | "projects.tickets.update")
                || matches!(ask.0.route.as_str(), "projects.comments.create" | "projects.comments.update");
            if table == "outbox" && !owes {
                continue;
            }
            refuse(&world, table).await;
            let answer = world.ask(&ask).await;
            allow(&world, table).await;
            assert_eq!(answer.status, 500, "{ask:?} {answer:?}");
            assert_eq!(counts(&world).await, before, "{ask:?}");
            assert_eq!(Board::listed(&world, 1).await, board, "{ask:?}");
        }
        let answer = world.ask(&ask).await;
        assert!(matches!(answer.status, 200 | 201 | 204), "{ask:?} {answer:?}");
        assert_eq!(Board::replayed(&told(&world).await), Board::listed(&world, 1).await);
        world.notified().await;
    }
    assert_eq!(create(&world, "1", &json!({"title": "next"})).await["key"], "PROJ-4");
}

/// Of many in one transaction the one that fails fails alone.
pub(crate) async fn one_that_fails_takes_no_other_with_it(place: Place) {
    let world = World::start(place).await;
    titled(&world, "x").await;
    let refusal = if world.place.url.starts_with("sqlite") {
        "CREATE TRIGGER refusal BEFORE INSERT ON ticket WHEN NEW.title = 'bad' \
         BEGIN SELECT RAISE(ABORT, 'refused'); END"
    } else {
        "ALTER TABLE ticket ADD CONSTRAINT refusal CHECK (title <> 'bad')"
    };
    sqlx::raw_sql(refusal).execute(&mut world.database().await).await.unwrap();
    let asks: Vec<Ask> = (0..20)
        .map(|number| {
            creation("1", &json!({"title": if number % 5 == 2 { "bad" } else { "good" }, "assignee": 2}))
        })
        .collect();
    let answers = futures_util::future::join_all(asks.iter().map(|ask| world.ask(ask))).await;
    let statuses: Vec<u32> = answers.iter().map(|answer| answer.status).collect();
    let expected: Vec<u32> = (0..20).map(|number| if number % 5 == 2 { 500 } else { 201 }).collect();
    assert_eq!(statuses, expected);
    let mut keys: Vec<i64> = Board::listed(&world, 1)
        .await
        .0
        .values()
        .map(|ticket| ticket["key"].as_str().unwrap()[5..].parse().unwrap())
        .collect();
    keys.sort_unstable();
    assert_eq!(keys, (1..=17).collect::<Vec<_>>());
    assert_eq!(world.notified().await.len(), 16);
    assert!(answers.iter().filter(|answer| answer.status == 201).all(|answer| id(&answer.body) > 1));
}
