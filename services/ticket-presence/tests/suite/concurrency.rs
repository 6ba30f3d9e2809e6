//! Many at once: keys without gaps or doubles, and one order of all that happens.

use std::collections::BTreeSet;

use carillon_testkit::service::{Ask, Place, admin};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::{
    board::Board,
    desk::{about, about_comment, ask, change, comment, creation, id, told},
    world::{World, channel},
};

const WRITERS: usize = 20;
const EACH: usize = 10;

pub(crate) async fn keys_have_no_gaps_or_doubles(place: Place) {
    keys(&World::start(place).await).await;
}

pub(crate) async fn two_replicas_give_out_each_key_once(place: Place) {
    keys(&World::start_with(place, 2, Default::default()).await).await;
}

/// Creations in two projects, some of which are refused or repeated: the keys of each are 1, 2, 3, …
async fn keys(world: &World) {
    let make = |project: usize, writer: usize, number: usize| {
        let user = if project == 1 { ["1", "2", "3"][writer % 3] } else { ["1", "6"][writer % 2] };
        let body = match number % 5 {
            3 => json!({"title": "refused", "status": "Nowhere"}),
            _ => json!({"title": format!("{writer}.{number}"), "labels": ["a", "b"], "assignee": user}),
        };
        let ask = creation(user, &body).parameter("project_id", project);
        let key = format!("{project}.{writer}.{number}");
        if number.is_multiple_of(2) { ask.key(&key) } else { ask }
    };
    let write = async |project: usize, writer: usize| {
        let mut keys = Vec::new();
        for number in 0..EACH {
            let ask = make(project, writer, number);
            let (first, second) = join(world.ask(&ask), world.ask(&ask)).await;
            assert_eq!((first.status, &first.body), (second.status, &second.body));
            match number % 5 {
                3 => assert_eq!(first.status, 422),
                _ => keys.push(first.body["key"].as_str().expect("a key").to_owned()),
            }
        }
        keys
    };
    for (project, prefix) in [(1, "PROJ"), (2, "P2")] {
        let (mine, _) = join(
            join_all((0..WRITERS).map(|writer| write(project, writer))),
            join_all((0..3).map(|writer| write(3 - project, 100 * project + writer))),
        )
        .await;
        let mine: BTreeSet<String> = mine.into_iter().flatten().collect();
        let listed = Board::listed(world, project as u64).await;
        let all: BTreeSet<String> =
            listed.0.values().map(|ticket| ticket["key"].as_str().unwrap().to_owned()).collect();
        assert_eq!(mine.len(), WRITERS * EACH * 4 / 5);
        assert!(mine.is_subset(&all));
        let expected: BTreeSet<String> = (1..=all.len()).map(|number| format!("{prefix}-{number}")).collect();
        assert_eq!(all, expected);
        assert_eq!(listed.0.len(), all.len());
        let events = world.told(&channel(&project.to_string(), "tickets")).await;
        assert_eq!(Board::replayed(&events), listed);
    }
}

pub(crate) async fn a_replayed_board_is_the_board(place: Place) {
    everything(&World::start(place).await).await;
}

pub(crate) async fn two_replicas_tell_one_story(place: Place) {
    everything(&World::start_with(place, 2, Default::default()).await).await;
}

/// What somebody does, of many who do the same at the same time.
async fn busy(world: &World, writer: usize) {
    let user = ["1", "2", "3", "5"][writer % 4];
    let title = |text: &str| json!({"title": format!("{text} {writer}")});
    let mut mine = Vec::new();
    for _ in 0..5 {
        mine.push(id(&world.ask(&creation(user, &title("new"))).await.body));
        for ticket in &mine {
            world
                .ask(&change(*ticket, user, &json!({"priority": "high", "status": writer % 4 + 1})))
                .await
                .ok();
        }
        // Everyone changes the same ones.
        for ticket in 1..=3 {
            let answer = world.ask(&change(ticket, user, &title("shared"))).await;
            assert!(matches!(answer.status, 200 | 404), "{answer:?}");
            let said = world.ask(&comment(ticket, user, "@bob @carol")).await;
            if said.status == 201 && writer.is_multiple_of(2) {
                let gone = world.ask(&about_comment("comments.delete", &said.body, user)).await;
                assert!(matches!(gone.status, 204 | 404), "{gone:?}");
            }
        }
    }
    world.ask(&about("tickets.delete", mine[0], user)).await;
    let rename = json!({"name": format!("Done by {writer}")});
    let rename = ask("statuses.update", user).by(admin()).parameter("status_id", 4).body(&rename);
    world.ask(&rename).await.ok();
}

async fn everything(world: &World) {
    for number in 0..3 {
        world.ask(&creation("1", &json!({"title": number.to_string()}))).await;
    }
    let deletion = async { world.ask(&about("tickets.delete", 2, "1")).await };
    join(join_all((0..WRITERS).map(|writer| busy(world, writer))), deletion).await;
    let (events, listed) = (told(world).await, Board::listed(world, 1).await);
    assert_eq!(Board::replayed(&events), listed);
    let key = |ticket: &Value| ticket["key"].as_str().unwrap()[5..].parse::<i64>().unwrap();
    let made: Vec<i64> =
        events.iter().filter(|event| event["action"] == "created").map(|event| key(&event["data"])).collect();
    assert_eq!(made, (1..=3 + 5 * WRITERS as i64).collect::<Vec<_>>());
    // Nothing is left of what was deleted.
    let lost = "SELECT COUNT(*) FROM activity WHERE NOT EXISTS (SELECT 1 FROM ticket WHERE id = ticket_id)";
    assert_eq!(world.count(lost).await, 0);
    for ticket in listed.0.keys() {
        let page = world.ask(&about("tickets.activity", *ticket, "1").query("limit", 100)).await.ok();
        let numbers =
            page["activity"].as_array().unwrap().iter().map(|entry| entry["number"].as_i64().unwrap());
        assert!(numbers.eq(1..=page["activity"].as_array().unwrap().len() as i64));
        let said = world.ask(&about("comments.list", *ticket, "1").query("limit", 100)).await.ok();
        let count = said["comments"].as_array().unwrap().len();
        assert!(count == 100 || listed.0[ticket]["comments"] == count, "{ticket}");
    }
}

/// Of many who have seen the same version one changes the ticket; the others are told how it is now.
pub(crate) async fn of_many_with_the_same_version_one_wins(place: Place) {
    let world = World::start_with(place, 2, Default::default()).await;
    let ticket = id(&world.ask(&creation("1", &json!({"title": "x"}))).await.body);
    let asks: Vec<Ask> = (0..20)
        .map(|number| change(ticket, "1", &json!({"title": number.to_string(), "version": 1})))
        .collect();
    let answers = join_all(asks.iter().map(|ask| world.ask(ask))).await;
    let won: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(won.len(), 1);
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 409 && answer.body["ticket"] == won[0].body).count(),
        19
    );
    assert_eq!(told(&world).await.len(), 2);
}
