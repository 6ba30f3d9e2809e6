//! Who is where: presence at every endpoint of this service, and how it is announced.

use carillon_contract::{
    Channel, Person,
    messages::{PresenceReply, PresenceRequest},
};
use carillon_instruments::Registry;
use carillon_presence::{
    Announcer, Cursor, CursorError, Entry, Member, Presence, Transition, members_after, size,
};
use carillon_service::{Failure, Publisher, time::timestamp};
use carillon_store::{Database, Log, NewEvent, StoreError, Transaction};
use serde::Deserialize;
use serde_json::{Value, json};

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

/// A page of those who are at a channel.
pub(crate) async fn list(database: &Database, request: PresenceRequest) -> Result<PresenceReply, Failure> {
    let after = Some(&*request.after).filter(|after| !after.is_empty()).map(str::parse).transpose();
    let after = after.map_err(|error: CursorError| Failure::Malformed(error.to_string()))?;
    let mut snapshot = database.snapshot().await?;
    let limit = i64::from(request.limit);
    let mut members = members_after(&mut snapshot, &request.channel, after.as_ref(), limit + 1).await?;
    let count = size(&mut snapshot, &request.channel).await?;
    let has_more = members.len() > request.limit as usize;
    members.truncate(request.limit as usize);
    Ok(PresenceReply {
        count: u64::try_from(count).unwrap_or_default(),
        members: members.iter().map(|member| present(member).to_string().into()).collect(),
        next: members
            .last()
            .filter(|_| has_more)
            .map(|last| Cursor::after(last).to_string())
            .unwrap_or_default(),
    })
}

/// Someone who is there, as others are told who ask.
fn present(member: &Member) -> Value {
    let since = timestamp(member.since);
    let Some(person) = person(&member.detail) else { return json!({"user_id": null, "since": since}) };
    json!({
        "user_id": person.id,
        "username": person.display_name(),
        "first_name": person.first_name,
        "last_name": person.last_name,
        "since": since,
    })
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
