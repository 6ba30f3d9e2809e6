//! Changing a conversation's name, and who takes part in it.

use carillon_contract::{
    Id,
    messages::{Dismissal, Variant},
};
use carillon_service::{Publisher, http::Problem};
use carillon_store::{Database, Log, NewEvent, StoreError, Transaction, now};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row as _};

use super::{
    MAX_PARTICIPANTS, NOT_A_PARTICIPANT,
    caller::Caller,
    channel, create,
    overview::name,
    participant::{self, Participant},
};
use crate::attendance::Attendance;

/// With what those are closed who take part no longer: document 4's code.
const ACCESS_DENIED: u32 = 4004;

/// See the module.
pub(super) struct Roster {
    pub(super) database: Database,
    pub(super) log: Log,
    pub(super) publisher: Publisher,
    pub(super) attendance: Attendance,
}

/// What is to be changed.
pub(super) struct Order {
    pub(super) conversation: i64,
    pub(super) by: Caller,
    /// The same again is the same change.
    pub(super) cause: String,
    pub(super) step: Step,
}

pub(super) enum Step {
    /// Empty: it has no name any more.
    Rename(String),
    Add(Id),
    /// Oneself, or another one.
    Remove(Id),
}

/// The row of a conversation that is locked.
struct Locked {
    name: String,
    created_by: String,
    last_message: i64,
}

impl Roster {
    /// Changes it, and tells everyone who is there. What is so already is not told.
    pub(super) async fn carry_out(&self, order: &Order) -> Result<(), Problem> {
        let mut tx = self.database.begin().await?;
        let channel = channel(order.conversation)?;
        let locked = self.lock(&mut tx, order.conversation).await?;
        let locked = locked.ok_or_else(|| Problem::not_found(NOT_A_PARTICIPANT))?;
        let cause = format!("roster:{}", order.cause);
        if !self.log.known(&mut tx, &[(channel.as_str(), &cause)]).await?.is_empty() {
            return Ok(());
        }
        if participant::find(&mut tx, order.conversation, order.by.user()).await?.is_none() {
            return Err(Problem::not_found(NOT_A_PARTICIPANT));
        }
        let told = match &order.step {
            Step::Rename(to) => rename(&mut tx, order, &locked, to).await?,
            Step::Add(user) => add(&mut tx, order, &locked, user).await?,
            Step::Remove(user) => remove(&mut tx, order, &locked, user).await?,
        };
        let Some((frame, dismissal)) = told else { return Ok(()) };
        let mut events = match &order.step {
            Step::Remove(user) => self.attendance.end(&mut tx, &[(channel.as_str(), user.as_str())]).await?,
            Step::Rename(_) | Step::Add(_) => Vec::new(),
        };
        let event = NewEvent::new(channel, cause, vec![Variant::json(frame.to_string())]);
        events.push(NewEvent { dismissal, ..event });
        let appended = self.log.append(&mut tx, &events).await?;
        tx.commit().await?;
        let events: Vec<_> = appended.into_iter().map(|appended| appended.event).collect();
        self.publisher.publish(&events).await;
        Ok(())
    }

    async fn lock(&self, tx: &mut Transaction, conversation: i64) -> Result<Option<Locked>, StoreError> {
        let sql = format!(
            "SELECT name, created_by, last_message FROM conversation WHERE id = $1{}",
            self.database.for_update()
        );
        let row = sqlx::query(AssertSqlSafe(sql)).bind(conversation).fetch_optional(&mut **tx).await?;
        let locked = |row: sqlx::any::AnyRow| {
            Ok(Locked { name: row.try_get(0)?, created_by: row.try_get(1)?, last_message: row.try_get(2)? })
        };
        row.map(locked).transpose()
    }
}

/// What everyone is told, and who is sent away. `None`: nothing has changed.
type Told = Option<(Value, Option<Dismissal>)>;

async fn rename(tx: &mut Transaction, order: &Order, locked: &Locked, to: &str) -> Result<Told, StoreError> {
    if locked.name == to {
        return Ok(None);
    }
    let query = sqlx::query("UPDATE conversation SET name = $2 WHERE id = $1");
    query.bind(order.conversation).bind(to).execute(&mut **tx).await?;
    let frame = json!({
        "type": "conversation_updated",
        "conversation": {"id": order.conversation, "name": name(to)},
        "by": order.by.person,
    });
    Ok(Some((frame, None)))
}

/// Any participant may add another one, who has nothing unread to begin with.
async fn add(tx: &mut Transaction, order: &Order, locked: &Locked, user: &Id) -> Result<Told, Problem> {
    if participant::find(tx, order.conversation, user.as_str()).await?.is_some() {
        return Ok(None);
    }
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM participant WHERE conversation_id = $1")
        .bind(order.conversation)
        .fetch_one(&mut **tx)
        .await
        .map_err(StoreError::from)?;
    if count >= MAX_PARTICIPANTS {
        return Err(Problem::conflict("a conversation has at most 1,000 participants"));
    }
    let people = create::people(tx, &[user.clone()].into()).await?;
    create::add(tx, order.conversation, &people, locked.last_message, now()).await?;
    let participant = |person| Participant { person, is_online: false, read_up_to: locked.last_message };
    let mut added: Vec<_> = people.into_iter().map(participant).collect();
    participant::look_who_is_online(tx, added.iter_mut()).await?;
    let frame = json!({
        "type": "participant_added",
        "participant": added.first().map(Participant::object),
        "by": order.by.person,
    });
    Ok(Some((frame, None)))
}

/// Anyone may leave; others are removed by the creator or an admin.
async fn remove(tx: &mut Transaction, order: &Order, locked: &Locked, user: &Id) -> Result<Told, Problem> {
    let is_own = order.by.user() == user.as_str();
    if !is_own && !order.by.is_admin && order.by.user() != locked.created_by {
        return Err(Problem::forbidden("only the creator of a conversation or an admin removes others"));
    }
    let Some(person) = participant::find(tx, order.conversation, user.as_str()).await? else {
        return Err(Problem::not_found("there is no such participant"));
    };
    sqlx::query("DELETE FROM participant WHERE conversation_id = $1 AND user_id = $2")
        .bind(order.conversation)
        .bind(user.as_str())
        .execute(&mut **tx)
        .await
        .map_err(StoreError::from)?;
    let frame = json!({
        "type": "participant_removed",
        "user_id": user,
        "user": person,
        "by": order.by.person,
    });
    let reason = NOT_A_PARTICIPANT.to_owned();
    Ok(Some((frame, Some(Dismissal { user: user.to_string(), code: ACCESS_DENIED, reason }))))
}
