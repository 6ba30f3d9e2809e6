//! A board, as a client keeps it: what it is told, applied in order, and what the API lists.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{desk::ask, world::World};

/// The tickets of a project, by id.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Board(pub(crate) BTreeMap<i64, Value>);

impl Board {
    /// An empty one to which all of this has happened.
    pub(crate) fn replayed<'a>(frames: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut board = Self::default();
        frames.into_iter().for_each(|frame| board.apply(frame));
        board
    }

    /// As the API lists it, page by page.
    pub(crate) async fn listed(world: &World, project: u64) -> Self {
        let mut board = Self::default();
        let mut cursor = String::new();
        loop {
            let list = ask("tickets.list", "1").parameter("project_id", project).query("limit", 200);
            let page = world.ask(&list.query("cursor", &cursor)).await.ok();
            for ticket in page["tickets"].as_array().expect("tickets") {
                let id = ticket["ticket_id"].as_i64().expect("an id");
                assert_eq!(board.0.insert(id, ticket.clone()), None, "{ticket} is listed twice");
            }
            let Some(next) = page["next"].as_str() else { return board };
            next.clone_into(&mut cursor);
        }
    }

    fn apply(&mut self, frame: &Value) {
        let data = &frame["data"];
        match (frame["type"].as_str().expect("a type"), frame["action"].as_str().unwrap_or_default()) {
            ("ticket_update", "deleted") => drop(self.0.remove(&id(data)).expect("a ticket to delete")),
            ("ticket_update", action) => self.put(data, action),
            ("comment_added" | "comment_deleted", _) => {
                self.0.get_mut(&id(data)).expect("a ticket")["comments"] = data["comments"].clone();
            }
            ("status_update", "updated") => {
                let shown = json!({"id": data["id"], "name": data["name"], "color": data["color"]});
                let having = self.0.values_mut().filter(|ticket| ticket["status"]["id"] == data["id"]);
                having.for_each(|ticket| ticket["status"] = shown.clone());
            }
            _ => {}
        }
    }

    /// Each version follows the one before.
    fn put(&mut self, ticket: &Value, action: &str) {
        let before = self.0.insert(id(ticket), ticket.clone());
        let version = ticket["version"].as_i64().expect("a version");
        match before {
            None => assert_eq!((action, version), ("created", 1), "{ticket}"),
            Some(before) => {
                assert_eq!(action, "updated");
                assert_eq!(before["version"], version - 1, "{ticket}");
                assert_eq!(before["comments"], ticket["comments"], "{ticket}");
            }
        }
    }
}

fn id(data: &Value) -> i64 {
    data["ticket_id"].as_i64().expect("a ticket's id")
}
