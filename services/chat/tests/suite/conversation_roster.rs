//! Who takes part in a conversation, and its name; and notices to those who are away.

use carillon_contract::messages::{Identity, Notice};
use carillon_testkit::service::{Ask, Notification, Place, admin, json_of, until};
use serde_json::{Value, json};

use crate::{
    talk::{ask, at, channel, connection, conversation, enter, refusal, refused, said, say, told},
    world::World,
};

fn change(route: &str, conversation: i64, by: &str, user: &str) -> Ask {
    ask(&format!("participants.{route}"), conversation, by).parameter("user_id", user)
}

/// Any participant renames it and adds others, who have nothing unread to begin with.
pub(crate) async fn names_and_participants_change(place: Place) {
    let world = World::start(place).await;
    let id = conversation(&world, &["1", "2"]).await;
    say(&world, &at(id, "1"), 1, "before").await;
    let mut listener = world.listen(&channel(id)).await;
    let rename = |name: Value| ask("rename", id, "2").body(&json!({"name": name}));
    for _ in 0..2 {
        assert_eq!(world.ask(&rename(json!("Lunch"))).await.ok()["name"], "Lunch");
    }
    let frame = listener.json().await;
    assert_eq!(frame["type"], "conversation_updated");
    assert_eq!(
        (&frame["conversation"], &frame["by"]["id"]),
        (&json!({"id": id, "name": "Lunch"}), &json!(2))
    );
    assert_eq!(world.ask(&rename(Value::Null)).await.ok()["name"], Value::Null);
    assert_eq!(listener.json().await["conversation"]["name"], Value::Null);
    for body in [json!({}), json!({"name": "n".repeat(101)})] {
        let refused = world.ask(&ask("rename", id, "2").body(&body)).await;
        assert_eq!((refused.status, &refused.body["field"]), (422, &json!("name")));
    }
    for _ in 0..2 {
        assert_eq!(world.ask(&change("add", id, "2", "3")).await.status, 204);
    }
    let frame = listener.json().await;
    assert_eq!((&frame["type"], &frame["by"]["id"]), (&json!("participant_added"), &json!(2)));
    assert_eq!(
        (&frame["participant"]["id"], &frame["participant"]["status"]),
        (&json!(3), &json!("offline"))
    );
    assert_eq!(enter(&world, &at(id, "3"), &[]).await[0]["conversation"]["unread_count"], 0);
    assert_eq!(world.ask(&change("add", id, "2", "a\0b")).await.status, 422);
    assert_eq!(told(&world, id).await.len(), 4);
    let many: Vec<u64> = (2..=1_000).collect();
    let create = Ask::new("chat.conversations.create").by(crate::talk::somebody("1"));
    let full = world.ask(&create.body(&json!({"participants": many}))).await.body["id"].as_i64().unwrap();
    assert_eq!(world.ask(&change("add", full, "1", "2000")).await.status, 409);
}

/// The creator or an admin removes others: their connections end, and nothing that they say is heard.
pub(crate) async fn one_who_is_removed_is_out(place: Place) {
    let world = World::start(place).await;
    let id = conversation(&world, &["1", "2", "3"]).await;
    enter(&world, &at(id, "3"), &[]).await;
    assert_eq!(world.ask(&change("remove", id, "2", "3")).await.status, 403);
    assert_eq!(world.ask(&change("remove", id, "1", "9")).await.status, 404);
    let mut listener = world.listen(&channel(id)).await;
    let remove = change("remove", id, "1", "3");
    for _ in 0..2 {
        // Also when the gateway repeats it.
        assert_eq!(world.ask(&remove).await.status, 204);
    }
    let event = listener.next().await;
    let frame = json_of(&event, "");
    assert_eq!((&frame["type"], &frame["user_id"]), (&json!("participant_removed"), &json!(3)));
    assert_eq!((&frame["user"]["first_name"], &frame["by"]["id"]), (&json!("Bo"), &json!(1)));
    let dismissal = event.dismissal.expect("a dismissal");
    assert_eq!((dismissal.user.as_str(), dismissal.code), ("3", 4004));
    assert_eq!(refusal(&world, &at(id, "3")).await, (4004, dismissal.reason));
    assert_eq!(refused(&world, &at(id, "3"), 1, &said("still here")).await, "not_a_participant");
    // It is not there any more, so nobody thinks that it reads along.
    world.ask(&change("add", id, "2", "3")).await;
    assert_eq!(listener.json().await["participant"]["status"], "online");
    let admin = Identity { user: "2".to_owned(), ..admin() };
    assert_eq!(world.ask(&change("remove", id, "2", "3").by(admin)).await.status, 204);
}

/// Anyone leaves, also the creator; a repeated request changes nothing.
pub(crate) async fn anyone_leaves(place: Place) {
    let world = World::start(place).await;
    let id = conversation(&world, &["1", "2"]).await;
    let leave = ask("leave", id, "1");
    for _ in 0..2 {
        assert_eq!(world.ask(&leave).await.status, 204);
    }
    assert_eq!(world.ask(&ask("leave", id, "1")).await.status, 404);
    assert_eq!(world.ask(&change("remove", id, "2", "2")).await.status, 204);
    let frames = told(&world, id).await;
    assert_eq!(frames.iter().map(|frame| frame["user_id"].clone()).collect::<Vec<_>>(), [1, 2]);
}

/// S4-05: who is away gets a notification; the author, and who has the conversation open, does not.
pub(crate) async fn participants_who_are_away_are_notified(place: Place) {
    let world = World::start(place).await;
    let notification = Notification::default();
    let _server = notification.serve(&world.bus).await;
    let id = conversation(&world, &["1", "2", "3", "x-4"]).await;
    enter(&world, &at(id, "2"), &[]).await;
    let text = format!("{}\n{}", "Hello!", "x".repeat(200));
    let message = say(&world, &at(id, "1"), 1, &text).await;
    say(&world, &at(id, "1"), 1, &text).await;
    world.close(&at(id, "2"), false).await;
    enter(&world, &connection(id, "3", "tab"), &[]).await;
    let second = say(&world, &at(id, "3"), 1, "mine").await;
    until("both are delivered", async || notification.told().len() >= 2).await;
    let mut notices = notification.told();
    notices.sort_by_key(|notice| notice.cause.clone());
    let users = |notice: &Notice| {
        let mut users = notice.users.clone();
        users.sort();
        users
    };
    assert_eq!(notices.iter().map(users).collect::<Vec<_>>(), [vec!["3", "x-4"], vec!["1", "2", "x-4"]]);
    assert_eq!(notices[0].title, "New Message");
    assert_eq!(notices[0].message, "You have a new message from John Doe");
    assert_eq!(notices[0].notification_type, "message");
    let data: Value = serde_json::from_slice(&notices[0].data).unwrap();
    assert_eq!((&data["conversation_id"], &data["sender_id"]), (&json!(id), &json!(1)));
    assert_eq!(
        (&data["message_id"], notices[1].cause.as_str()),
        (&json!(message), format!("message:{second}").as_str())
    );
    assert!(data["excerpt"].as_str().unwrap().starts_with("Hello! xxx"));
}
