//! Who is in a project, as clients are told.

use std::collections::{BTreeMap, BTreeSet};

use carillon_contract::{Channel, Id};
use carillon_presence::{Cursor, Member, members_after, positions, size};
use carillon_service::time::timestamp;
use carillon_store::{Snapshot, StoreError};
use serde_json::{Value, json};

use super::{Attendance, place};
use crate::people;

/// The most bytes of users that are told at once, so that they fit a message of the bus.
const MAX_BYTES: usize = 500_000;

/// Which of them are wanted: those who came first first.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Where the page before ended.
    pub(super) after: Option<Cursor>,
    pub(super) limit: i64,
}

/// Those who are there, in one state of the database.
#[derive(Debug)]
pub(super) struct Present {
    /// How many there are in all.
    pub(super) count: i64,
    pub(super) users: Vec<Value>,
    /// After whom to go on, if there are more.
    pub(super) next: Option<Cursor>,
}

/// The tickets of each user.
type Tickets = BTreeMap<String, BTreeSet<Id>>;

impl Attendance {
    /// Who is in a project, which tickets they view, and where they are typing.
    pub(super) async fn present(
        &self,
        snapshot: &mut Snapshot,
        scope: &Channel,
        page: Page,
    ) -> Result<Present, StoreError> {
        let topic = scope.as_str();
        let mut found = members_after(snapshot, topic, page.after.as_ref(), page.limit + 1).await?;
        let has_more = found.len() > usize::try_from(page.limit).unwrap_or_default();
        if has_more {
            found.pop();
        }
        let viewing = viewing(snapshot, topic, &found).await?;
        let typing = self.typing(scope).await;
        let (mut users, mut bytes) = (Vec::new(), 0);
        for member in &found {
            let user = object(member, viewing.get(&member.member), typing.get(&member.member))?;
            bytes += user.to_string().len();
            if bytes > MAX_BYTES && !users.is_empty() {
                break;
            }
            users.push(user);
        }
        let last = found.get(users.len().saturating_sub(1)).filter(|_| has_more || users.len() < found.len());
        let next = last.map(Cursor::after);
        Ok(Present { count: size(snapshot, topic).await?, users, next })
    }

    async fn typing(&self, scope: &Channel) -> Tickets {
        let mut tickets = Tickets::new();
        for typist in self.typists.typing_below(&place::prefix(scope)).await {
            tickets.entry(typist.user).or_default().extend(ticket(&typist.topic));
        }
        tickets
    }
}

async fn viewing(snapshot: &mut Snapshot, scope: &str, members: &[Member]) -> Result<Tickets, StoreError> {
    let members: Vec<&str> = members.iter().map(|member| member.member.as_str()).collect();
    let viewing = positions(snapshot, scope, &members).await?;
    let tickets = |topics: BTreeSet<String>| topics.iter().filter_map(|topic| ticket(topic)).collect();
    Ok(viewing.into_iter().map(|(user, topics)| (user, tickets(topics))).collect())
}

fn ticket(topic: &str) -> Option<Id> {
    place::read(topic)?.1
}

fn object(
    member: &Member,
    viewing: Option<&BTreeSet<Id>>,
    typing: Option<&BTreeSet<Id>>,
) -> Result<Value, StoreError> {
    let person = people::read(&member.detail)?;
    Ok(json!({
        "user_id": person.id,
        "username": person.display_name(),
        "first_name": person.first_name,
        "last_name": person.last_name,
        "since": timestamp(member.since),
        "viewing": viewing.cloned().unwrap_or_default(),
        "typing": typing.cloned().unwrap_or_default(),
    }))
}
