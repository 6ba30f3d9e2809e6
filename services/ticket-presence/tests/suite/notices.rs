//! Who is notified of what (S3-04): once each, and never the one who acted.

use carillon_contract::messages::{Identity, Notice};
use carillon_testkit::service::{Place, user};
use serde_json::{Value, json};

use crate::{
    desk::{about, about_comment, change, comment, create, creation, id, say, titled},
    world::{World, person},
};

/// Whom a notice reaches, and of what kind it is.
fn gist(notices: &[Notice]) -> Vec<(String, &str)> {
    let gist = |notice: &'_ Notice| {
        let mut users = notice.users.clone();
        users.sort();
        users.join(",")
    };
    notices.iter().map(|notice| (gist(notice), notice.notification_type.as_str())).collect()
}

fn members(notice: &Notice) -> Value {
    serde_json::from_slice(&notice.members).unwrap()
}

fn expected(gist: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
    gist.iter().map(|(users, kind)| ((*users).to_owned(), *kind)).collect()
}

/// The new assignee is, on creation and on a change; with document 3's members.
pub(crate) async fn the_new_assignee_is_told(place: Place) {
    let world = World::start(place).await;
    let ticket = create(&world, "1", &json!({"title": "Fix login bug", "assignee": 2})).await;
    let other = titled(&world, "Other").await;
    world.ask(&change(other, "1", &json!({"assignee": "3"}))).await.ok();
    // Nothing new, oneself, nobody, and one who looks at it.
    world.ask(&change(other, "2", &json!({"assignee": 3, "priority": "low"}))).await.ok();
    world.ask(&change(other, "2", &json!({"assignee": 2}))).await.ok();
    world.ask(&change(other, "2", &json!({"assignee": null}))).await.ok();
    world.ask(&about("tickets.show", other, "2")).await.ok();
    create(&world, "2", &json!({"title": "Mine", "assignee": 2})).await;
    let notices = world.notified().await;
    assert_eq!(gist(&notices), expected(&[("2", "ticket_assigned"), ("3", "ticket_assigned")]));
    assert_eq!((notices[0].title.as_str(), notices[0].priority.as_str()), ("Ticket Assigned", ""));
    assert_eq!(notices[0].message, "You were assigned to PROJ-1: Fix login bug");
    let john = json!({"id": 1, "first_name": "John", "last_name": "Doe", "username": "john"});
    let expected = json!({
        "id": format!("ticket_{}_assigned", id(&ticket)), "ticket_id": id(&ticket), "ticket_key": "PROJ-1",
        "project_id": 1, "actor": john,
    });
    assert_eq!(members(&notices[0]), expected);
    assert_ne!(notices[0].cause, notices[1].cause);
}

/// In a description: members, in whatever case, once, and only those who were not mentioned before.
pub(crate) async fn whoever_is_mentioned_is_told(place: Place) {
    let world = World::start(place).await;
    let text = "@bob, @Bob. and (@BOB)! Not bob@carol.example, @eve, @nobody, @john, @.";
    let ticket = id(&create(&world, "1", &json!({"title": "x", "description": text})).await);
    let notices = world.notified().await;
    assert_eq!(gist(&notices), expected(&[("2", "ticket_mentioned")]));
    assert_eq!(notices[0].title, "You Were Mentioned");
    assert_eq!(notices[0].message, "john mentioned you in PROJ-1: x");
    assert_eq!(members(&notices[0])["id"], format!("ticket_{ticket}_mentioned"));
    let describe = |by: &str, text: &str| change(ticket, by, &json!({"description": text}));
    world.ask(&describe("1", "@bob and @dora, ask @carol")).await.ok();
    world.ask(&describe("1", "@dora and @carol")).await.ok();
    world.ask(&describe("3", "@carol @john")).await.ok();
    // A title mentions nobody.
    world.ask(&change(ticket, "1", &json!({"title": "@bob"}))).await.ok();
    let notices = world.notified().await;
    assert_eq!(gist(&notices[1..]), expected(&[("3,5", "ticket_mentioned"), ("1", "ticket_mentioned")]));
}

/// The reporter of a ticket is told of a comment, and whoever is mentioned in it; each for one reason.
pub(crate) async fn comments_notify_the_reporter_and_whoever_they_mention(place: Place) {
    let world = World::start(place).await;
    let ticket = titled(&world, "x").await;
    say(&world, ticket, "1", "mine").await;
    let said = say(&world, ticket, "2", "hers: @carol, not a@dora").await;
    say(&world, ticket, "2", "@john @bob").await;
    let edit = about_comment("comments.update", &said, "2").body(&json!({"message": "@carol @dora @john"}));
    world.ask(&edit).await.ok();
    world.ask(&about_comment("comments.delete", &said, "2")).await;
    let notices = world.notified().await;
    let kinds = [
        ("3", "ticket_mentioned"),
        ("1", "comment_added"),
        ("1", "ticket_mentioned"),
        ("1,5", "ticket_mentioned"),
    ];
    assert_eq!(gist(&notices), expected(&kinds));
    assert_eq!(
        (notices[1].title.as_str(), notices[1].message.as_str()),
        ("New Comment", "bob commented on PROJ-1: x")
    );
    let comment = &said["comment_id"];
    assert_eq!(members(&notices[0])["id"], format!("comment_{comment}_mentioned"));
    let told = members(&notices[1]);
    assert_eq!((&told["id"], &told["comment_id"]), (&json!(format!("comment_{comment}_added")), comment));
    assert_eq!((&told["ticket_id"], &told["ticket_key"]), (&json!(ticket), &json!("PROJ-1")));
}

/// Who is assigned a ticket and mentioned in it is told that it was assigned.
pub(crate) async fn one_reason_is_enough(place: Place) {
    let world = World::start(place).await;
    let body = json!({"title": "x", "assignee": 2, "description": "@bob @carol"});
    let ticket = id(&create(&world, "1", &body).await);
    let both = json!({"assignee": 5, "description": "@bob @carol @Dora"});
    world.ask(&change(ticket, "1", &both)).await.ok();
    let kinds = [("2", "ticket_assigned"), ("3", "ticket_mentioned"), ("5", "ticket_assigned")];
    assert_eq!(gist(&world.notified().await), expected(&kinds));
}

/// What the notification service does not take is owed until it does, and owed once.
pub(crate) async fn a_service_that_is_away_is_told_later(place: Place) {
    let mut world = World::start(place).await;
    world.notification.refuse(usize::MAX);
    let ticket = id(&create(&world, "1", &json!({"title": "x", "assignee": 2})).await);
    say(&world, ticket, "2", "x").await;
    assert_eq!(world.count("SELECT COUNT(*) FROM outbox").await, 2);
    // Nothing is lost with the replica that owed it.
    world.stop(0).await;
    assert_eq!(world.notification.told(), []);
    world.notification.refuse(1);
    world.add_replica(Default::default()).await;
    let mut notices = world.notified().await;
    notices.sort_by_key(|notice| notice.users.clone());
    assert_eq!(gist(&notices), expected(&[("1", "comment_added"), ("2", "ticket_assigned")]));
}

/// Auth knows no names of another issuer's users: their tokens told them.
pub(crate) async fn users_of_another_issuer_are_known_from_their_tokens(place: Place) {
    let world = World::start(place).await;
    let zoe = Identity { username: "Zoe".to_owned(), first_name: "Zoë".to_owned(), ..user("keycloak:z-1") };
    world.auth.add("1", [zoe.user.clone()]);
    // Not before she was here.
    create(&world, "1", &json!({"title": "x", "description": "@zoe"})).await;
    assert_eq!(world.notified().await, []);
    let hers = world.ask(&creation("1", &json!({"title": "y"})).by(zoe.clone())).await;
    let name = json!({"id": "keycloak:z-1", "first_name": "Zoë", "last_name": "", "username": "Zoe"});
    assert_eq!(hers.body["reporter"], name);
    let ticket = create(&world, "1", &json!({"title": "z", "assignee": "keycloak:z-1"})).await;
    assert_eq!(ticket["assignee"], name);
    say(&world, id(&ticket), "2", "ask @zoe").await;
    let kinds =
        [("keycloak:z-1", "ticket_assigned"), ("keycloak:z-1", "ticket_mentioned"), ("1", "comment_added")];
    assert_eq!(gist(&world.notified().await), expected(&kinds));
    // A name that a token no longer tells is nobody's, and who is no member any more is not mentioned.
    let renamed = Identity { username: "zora".to_owned(), ..zoe.clone() };
    world.ask(&comment(id(&ticket), "1", "hello").by(renamed)).await;
    say(&world, id(&ticket), "1", "@zoe").await;
    let count = world.notified().await.len();
    say(&world, id(&ticket), "1", "@zora").await;
    assert_eq!(world.notified().await.len(), count + 1);
    world.auth.set(|state| assert!(state.members.get_mut("1").unwrap().remove("keycloak:z-1")));
    say(&world, id(&ticket), "1", "@zora").await;
    assert_eq!(world.notified().await.len(), count + 1);
}

/// Users of two issuers may have one name: whoever mentions it, means either.
pub(crate) async fn namesakes_are_told_alike(place: Place) {
    let world = World::start(place).await;
    let other = Identity { username: "BOB".to_owned(), ..user("keycloak:b") };
    world.auth.add("1", [other.user.clone()]);
    let ticket = titled(&world, "x").await;
    world.ask(&about("tickets.show", ticket, "1").by(other)).await.ok();
    say(&world, ticket, "1", "@bob").await;
    assert_eq!(gist(&world.notified().await), expected(&[("2,keycloak:b", "ticket_mentioned")]));
}

/// What a token says of its user is shortened to what the notification service takes.
pub(crate) async fn the_longest_texts_fit_a_notification(place: Place) {
    let world = World::start(place).await;
    let actor = Identity { username: "\u{1F600}".repeat(6_000), ..person("1") };
    let ticket = creation("1", &json!({"title": "\"".repeat(200), "description": "@bob", "assignee": 3}));
    assert_eq!(world.ask(&ticket.by(actor)).await.status, 201);
    for notice in world.notified().await {
        assert!(notice.message.chars().count() <= 5_000 && notice.title.chars().count() <= 200, "{notice:?}");
        let bytes = notice.title.len() + notice.message.len() + notice.members.len();
        assert!(bytes < 64 * 1_024, "{bytes}");
    }
}
