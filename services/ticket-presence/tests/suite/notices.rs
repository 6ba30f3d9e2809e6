//! Who is notified of what (S3-04): once each, and never the one who acted.

use carillon_testkit::service::Place;
use serde_json::json;

use crate::{
    desk::{about, change, create, id, titled},
    world::World,
};

/// The new assignee is, on creation and on a change.
pub(crate) async fn the_new_assignee_is_told(place: Place) {
    let world = World::start(place).await;
    let ticket = create(&world, "1", &json!({"title": "Fix login bug", "assignee": 2})).await;
    let other = titled(&world, "Other").await;
    world.ask(&change(other, "1", &json!({"assignee": "3"}))).await.ok();
    // Nothing new, oneself, nobody, and someone who had it before.
    world.ask(&change(other, "2", &json!({"assignee": 3, "priority": "low"}))).await.ok();
    world.ask(&change(other, "2", &json!({"assignee": 2}))).await.ok();
    world.ask(&change(other, "2", &json!({"assignee": null}))).await.ok();
    world.ask(&about("tickets.show", other, "2")).await.ok();
    let notices = world.notified().await;
    let told: Vec<_> = notices.iter().map(|it| (it.users.join(","), it.notification_type.as_str())).collect();
    assert_eq!(told, [("2".to_owned(), "ticket_assigned"), ("3".to_owned(), "ticket_assigned")]);
    assert_eq!(notices[0].title, "Ticket Assigned");
    assert_eq!(notices[0].message, "You were assigned to PROJ-1: Fix login bug");
    let members: serde_json::Value = serde_json::from_slice(&notices[0].members).unwrap();
    assert_eq!(members["id"], format!("ticket_{}_assigned", id(&ticket)));
    assert_eq!((&members["ticket_id"], &members["ticket_key"]), (&ticket["ticket_id"], &json!("PROJ-1")));
}
