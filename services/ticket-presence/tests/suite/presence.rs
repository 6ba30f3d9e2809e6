//! Who is in a project (S3-03).

use std::collections::BTreeMap;

use carillon_contract::messages::{EnterRequest, Event, RenewRequest};
use carillon_testkit::service::{Place, admin, json_of, service, until, user};
use carillon_ticket_presence::SettingsArgs;
use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::{
    attendance::{enter, present, say, story, tab, tab_of, viewers, viewing},
    desk::{ask, titled},
    world::{World, accepted, channel, person, refused},
};

/// Document 3's frame, with those who are there.
pub(crate) async fn a_newcomer_is_told_who_is_there(place: Place) {
    let world = World::start(place).await;
    let ticket = titled(&world, "A ticket").await;
    let first = tab("2", "a tab");
    let mut greeting = enter(&world, &first).await;
    let since = greeting[0]["present"][0]["since"].take();
    assert!(since.as_str().is_some_and(|since| since.ends_with('Z')), "{since}");
    let bob = json!({
        "user_id": 2, "username": "bob", "first_name": "Bob", "last_name": "Oz", "since": null,
        "viewing": [], "typing": [],
    });
    let status = json!({
        "type": "user_status", "action": "joined", "user_id": 2, "username": "bob", "first_name": "Bob",
        "last_name": "Oz", "count": 1, "present": [bob],
    });
    assert_eq!(greeting, [status]);
    say(&world, &first, 1, &viewing(ticket)).await;
    let accept = accepted(world.open_session(&tab_of("project", "1", person("1"), "a tab"), &[]).await);
    let frames: Vec<Value> =
        accept.greeting.iter().map(|frame| serde_json::from_slice(frame).unwrap()).collect();
    assert_eq!((frames.len(), &frames[0]["message"]), (2, &json!("Connected to project")));
    let told = &frames[1];
    assert_eq!((&told["action"], &told["user_id"], &told["count"]), (&json!("joined"), &json!(1), &json!(2)));
    assert_eq!(viewers(told), [(2, vec![json!(ticket)]), (1, vec![])]);
    let heads: Vec<_> = accept.channels.iter().map(|head| (head.channel.as_str(), head.offset)).collect();
    let places = [("project.1.tickets", 1), ("project.1.presence", 3), ("project.1.events", 0)];
    assert_eq!(heads, places);
    // Whoever listens to the tickets alone is not there.
    enter(&world, &tab_of("tickets", "1", person("3"), "a tab")).await;
    assert_eq!(story(&world).await, format!("+2 2>{ticket} +1"));
}

pub(crate) async fn two_tabs_are_one_user(place: Place) {
    let world = World::start(place).await;
    let (one, other) = (tab("1", "one"), tab_of("project", "1", person("1"), "other"));
    let mut live = world.listen(&channel("1", "presence")).await;
    enter(&world, &one).await;
    let told = live.json().await;
    assert_eq!((&told["action"], &told["count"], told.get("present")), (&json!("joined"), &json!(1), None));
    assert_eq!(enter(&world, &other).await[1]["count"], 1);
    enter(&world, &tab("2", "a tab")).await;
    assert_eq!(live.json().await["count"], 2);
    world.close(&one, false).await;
    world.close(&one, false).await;
    world.close(&other, false).await;
    let left = json!({
        "type": "user_status", "action": "left", "user_id": 1, "username": "john", "first_name": "John",
        "last_name": "Doe", "count": 1,
    });
    assert_eq!(live.json().await, left);
    assert_eq!(story(&world).await, "+1 +2 -1");
}

/// Its client may be back within a few seconds, and keeps what it viewed until then.
pub(crate) async fn a_tab_that_vanishes_is_waited_for(place: Place) {
    let world = World::start(place).await;
    enter(&world, &tab("2", "a tab")).await;
    let vanished = tab("1", "before");
    enter(&world, &vanished).await;
    say(&world, &vanished, 1, &viewing("T")).await;
    world.close(&vanished, true).await;
    assert_eq!(story(&world).await, "+2 +1 1>\"T\"");
    let back = tab("1", "after");
    assert_eq!(viewers(&enter(&world, &back).await[0]), [(2, vec![]), (1, vec![json!("T")])]);
    until("it has not come back to its ticket", async || story(&world).await.ends_with("1<\"T\"")).await;
    assert_eq!(story(&world).await, "+2 +1 1>\"T\" 1<\"T\"");
    world.close(&back, true).await;
    until("it has left", async || story(&world).await.ends_with("-1")).await;
}

/// A gateway that renews finds out that its connections were counted out, and enters them again.
pub(crate) async fn whoever_is_entered_again_is_back_at_its_ticket(place: Place) {
    let world = World::start(place).await;
    let (session, unseen) = (tab("1", "a tab"), tab_of("tickets", "1", person("2"), "a tab"));
    enter(&world, &session).await;
    enter(&world, &unseen).await;
    say(&world, &session, 3, &viewing("T")).await;
    let renewal = RenewRequest { gateway: session.gateway.clone() };
    let before = world.call(&renewal).await.unwrap().generation;
    assert_eq!(world.call(&renewal).await.unwrap().generation, before);
    let mut database = world.database().await;
    sqlx::query("UPDATE presence_lease SET expires_at = 1").execute(&mut database).await.unwrap();
    until("it has left", async || story(&world).await.ends_with("-1")).await;
    assert_eq!(present(&world, &[]).await.ok()["count"], 0);
    assert_ne!(world.call(&renewal).await.unwrap().generation, before);
    let sessions = vec![session.clone(), unseen];
    for _ in 0..2 {
        world.call(&EnterRequest { sessions: sessions.clone() }).await.unwrap();
    }
    assert_eq!(story(&world).await, "+1 1>\"T\" 1<\"T\" -1 +1 1>\"T\"");
    say(&world, &session, 2, &viewing("late")).await;
    assert_eq!(viewers(&present(&world, &[]).await.ok()), [(1, vec![json!("T")])]);
    database.close().await.unwrap();
}

/// 4003 and 4004, and nobody has come.
pub(crate) async fn whoever_is_turned_away_was_not_there(place: Place) {
    let world = World::start(place).await;
    for endpoint in ["presence", "project"] {
        for (project, identity, code) in [
            ("1", person("6"), 4003),
            ("1", service("s1", "events:publish"), 4003),
            ("9", person("1"), 4004),
            ("9", admin(), 4004),
        ] {
            let session = tab_of(endpoint, project, identity, "a tab");
            assert_eq!(refused(world.open_session(&session, &[]).await).0, code, "{session:?}");
            world.close(&session, false).await;
        }
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM presence_topic").await, 0);
    enter(&world, &tab_of("presence", "1", admin(), "another tab")).await;
    assert_eq!(story(&world).await, "+4");
}

pub(crate) async fn who_is_there_is_listed_page_by_page(place: Place) {
    let world = World::start(place).await;
    for user in ["3", "1", "5", "2"] {
        enter(&world, &tab(user, "a tab")).await;
    }
    let (mut after, mut users) = (None::<String>, Vec::new());
    loop {
        let query: Vec<_> = after.iter().map(|after| ("after", after.as_str())).collect();
        let page = present(&world, &[&query[..], &[("limit", "2")]].concat()).await.ok();
        assert_eq!(page["count"], 4);
        users.extend(viewers(&page).into_iter().map(|(user, _)| user));
        match page["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(users, [3, 1, 5, 2]);
    assert!(present(&world, &[("limit", "4")]).await.ok()["next"].is_null());
    for query in [
        ("limit", "0"),
        ("limit", "1001"),
        ("limit", "x"),
        ("after", "x"),
        ("after", "1"),
        ("after", "1.\u{0}"),
    ] {
        let answer = present(&world, &[query]).await;
        assert_eq!((answer.status, &answer.body["field"]), (422, &json!(query.0)), "{query:?}");
    }
    assert_eq!(world.ask(&ask("presence", "6")).await.status, 403);
    assert_eq!(world.ask(&ask("presence", "1").parameter("project_id", 9)).await.status, 404);
    let elsewhere = world.ask(&ask("presence", "1").parameter("project_id", 2)).await.ok();
    assert_eq!(elsewhere, json!({"count": 0, "present": [], "next": null}));
}

/// Whatever they do at once, what is told adds up to what the API says, and both to who is there.
pub(crate) async fn a_crowd_is_told_as_it_is(place: Place) {
    const USERS: u64 = 20;
    let replicas = if place.url.starts_with("postgres") { 2 } else { 1 };
    let world = World::start_with(place, replicas, SettingsArgs::default()).await;
    world.auth.add("1", (100..100 + USERS).map(|user| user.to_string()));
    let tabs = (100..100 + USERS).flat_map(|user| (0..3).map(move |tab| (user, tab)));
    // Each user's tabs view different tickets, and then some close: all of every fourth user's.
    join_all(tabs.map(async |(number, name)| {
        let session = tab_of("presence", "1", user(&number.to_string()), &name.to_string());
        enter(&world, &session).await;
        for frame in 1..=4 {
            say(&world, &session, frame, &viewing(number % 3 + name + frame)).await;
        }
        if number % 4 == 0 || name == 2 {
            world.close(&session, false).await;
        }
    }))
    .await;
    let expected: Vec<(u64, Vec<Value>)> = (100..100 + USERS)
        .filter(|user| user % 4 > 0)
        .map(|user| (user, vec![json!(user % 3 + 4), json!(user % 3 + 5)]))
        .collect();
    let told = world.history(&channel("1", "presence")).await;
    assert_eq!(replayed(&told), expected);
    let page = present(&world, &[("limit", "1000")]).await.ok();
    assert_eq!(page["count"], expected.len());
    let mut listed = viewers(&page);
    listed.sort_by_key(|(user, _)| *user);
    assert_eq!(listed, expected);
}

/// Who is there and views what, from what was told alone.
fn replayed(told: &[Event]) -> Vec<(u64, Vec<Value>)> {
    let mut there: BTreeMap<u64, Vec<Value>> = BTreeMap::new();
    for event in told {
        let frame = json_of(event, "");
        let user = frame["user_id"].as_u64().unwrap();
        match (frame["type"].as_str().unwrap(), frame["action"].as_str().unwrap()) {
            ("user_status", "joined") => assert_eq!(there.insert(user, Vec::new()), None, "{frame}"),
            ("user_status", _) => assert_eq!(there.remove(&user), Some(Vec::new()), "{frame}"),
            (_, "started") => there.get_mut(&user).unwrap().push(frame["ticket_id"].clone()),
            _ => {
                let tickets = there.get_mut(&user).unwrap();
                let place = tickets.iter().position(|ticket| *ticket == frame["ticket_id"]);
                tickets.remove(place.unwrap_or_else(|| panic!("{frame}")));
            }
        }
        assert!(frame["type"] == "ticket_viewing" || frame["count"] == there.len(), "{frame}");
    }
    let sorted = |mut tickets: Vec<Value>| {
        tickets.sort_by_key(|ticket| ticket.as_u64());
        tickets
    };
    there.into_iter().map(|(user, tickets)| (user, sorted(tickets))).collect()
}
