//! What auth owes notification.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use carillon_bus::{Handler, Refusal, RefusalKind};
use carillon_contract::{
    Method, ServiceName,
    messages::{PublishEventReply, PublishEventRequest},
};
use prost::Message;
use serde_json::{Value, json};

use crate::{
    database::Fresh,
    world::{World, back_end, until},
};

/// Stands in for notification: it refuses the first request, and keeps what it is told.
#[derive(Default, Clone)]
struct Notification {
    told: Arc<Mutex<Vec<PublishEventRequest>>>,
}

impl Handler for Notification {
    async fn handle(&self, method: &str, payload: Bytes) -> Result<Bytes, Refusal> {
        assert_eq!(method, PublishEventRequest::NAME);
        let request = PublishEventRequest::decode(payload).expect("a request");
        let mut told = self.told.lock().expect("not poisoned");
        told.push(request);
        if told.len() == 1 {
            return Err(Refusal::new(RefusalKind::Unavailable, "starting"));
        }
        Ok(PublishEventReply { offset: 1 }.encode_to_vec().into())
    }
}

pub(crate) async fn an_organisation_hears_of_its_members_once_notification_is_back(fresh: Fresh) {
    let world = World::start(fresh).await;
    let replace = |members: Value| {
        world
            .ask("auth.orgs.members.replace")
            .identity(back_end("memberships:write"))
            .parameter("org_id", "acme")
            .body(&json!({ "members": members }))
    };
    replace(json!([2, "eve"])).expect(200).await;
    // Whoever joins a project is none of an organisation's concern.
    let project = world.admin("auth.projects.members.add").parameter("project_id", "1");
    project.parameter("user_id", "3").expect(204).await;
    let notification = Notification::default();
    let server = world.bus.serve(ServiceName::Notification, 8, notification.clone()).await.expect("served");
    until("three deliveries", async || notification.told.lock().expect("not poisoned").len() >= 3).await;
    world.admin("auth.users.delete").parameter("user_id", "2").expect(204).await;
    until("the last delivery", async || notification.told.lock().expect("not poisoned").len() >= 4).await;
    server.stop().await;

    // The last one waited for nothing; what was refused may have let others go ahead.
    let mut told = notification.told.lock().expect("not poisoned").clone();
    let refused = told.remove(0);
    assert!(told.contains(&refused), "what was refused is told again, under the same cause");
    let mut events: Vec<_> = told
        .iter()
        .map(|request| format!("{} {} {}", request.org, request.event_type, data(request)["user_id"]))
        .collect();
    events.sort();
    assert_eq!(events, ["acme member.joined \"eve\"", "acme member.left 1", "acme member.left 2"]);
    told.sort_by(|one, other| one.cause.cmp(&other.cause));
    told.dedup_by(|one, other| one.cause == other.cause);
    assert_eq!(told.len(), 3, "each has a cause of its own");
}

fn data(request: &PublishEventRequest) -> Value {
    serde_json::from_slice(&request.data).expect("JSON")
}
