//! Who is where: presence at every endpoint of this service, and how it is announced.

use carillon_contract::{Channel, Person};
use carillon_presence::{Announcer, Entry, Presence, Transition};
use carillon_service::{Failure, Publisher};
use carillon_store::{Database, Log, NewEvent, StoreError, Transaction};
use prometheus::Registry;
use serde::Deserialize;
use serde_json::json;

use crate::{collaboration, conversations, counters, rooms, visitor::Visitor};

/// Presence in rooms, announced as each kind of room does.
pub(crate) type Attendance = Presence<Announcements>;

/// The topic of a user's being online, beside those of the channels.
const ONLINE: &str = "online";

/// The presence of this service.
pub(crate) fn start(
    database: &Database,
    log: &Log,
    publisher: &Publisher,
    registry: &Registry,
) -> anyhow::Result<Attendance> {
    let presence = Presence::new(database.clone(), log.clone(), publisher.clone(), Announcements)?;
    presence.register_metrics(registry)?;
    Ok(presence)
}

/// What counts a connection in: its room, and for a conversation that its user is online.
pub(crate) fn entries(visitor: &Visitor) -> Result<Vec<Entry>, Failure> {
    let detail = json!({"person": visitor.person()}).to_string();
    let entry = |topic: String| Entry {
        topic,
        member: visitor.member(),
        connection: visitor.connection.clone(),
        lease: visitor.lease.clone(),
        detail: detail.clone(),
    };
    let mut entries = vec![entry(visitor.channel()?.to_string())];
    if let (Some(user), "conversation") = (visitor.user(), visitor.endpoint.name) {
        entries.push(entry(online_topic(user)));
    }
    Ok(entries)
}

/// The person of a member's detail. `None` for an anonymous client.
pub(crate) fn person(detail: &str) -> Option<Person> {
    #[derive(Deserialize)]
    struct Detail {
        person: Option<Person>,
    }
    serde_json::from_str::<Detail>(detail).ok().and_then(|detail| detail.person)
}

/// The topic in which a user alone is, for as long as it is online.
pub(crate) fn online_topic(user: &str) -> String {
    format!("{ONLINE}.{user}")
}

/// Announces each kind of room's comings and goings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Announcements;

impl Announcer for Announcements {
    async fn announce(
        &self,
        tx: &mut Transaction,
        transitions: &[Transition],
    ) -> Result<Vec<NewEvent>, StoreError> {
        let mut events = Vec::new();
        let (mut online, mut counted) = (Vec::new(), Vec::new());
        for transition in transitions {
            if transition.topic.starts_with("online.") {
                online.push(transition);
                continue;
            }
            let channel: Channel = transition.topic.parse().map_err(StoreError::other)?;
            match channel.kind() {
                "room" => events.push(rooms::announcement(channel, transition)),
                "collaboration" => events.push(collaboration::announcement(channel, transition)),
                "counter" => counted.push(transition),
                _ => {}
            }
        }
        events.extend(counters::announcements(&counted)?);
        if !online.is_empty() {
            events.extend(conversations::status_announcements(tx, &online).await?);
        }
        Ok(events)
    }
}
