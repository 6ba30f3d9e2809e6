//! Tickets (S3-02): creating, showing, changing and deleting them.

use carillon_testkit::service::Place;
use serde_json::json;

use crate::{
    desk::{create, id},
    world::World,
};

/// Every field where the document has it.
pub(crate) async fn a_ticket_is_created_as_the_document_has_it(place: Place) {
    let world = World::start(place).await;
    let ticket = create(&world, "1", &json!({"title": "Fix login bug"})).await;
    assert_eq!(ticket["key"], "PROJ-1");
    assert!(id(&ticket) > 0);
}
