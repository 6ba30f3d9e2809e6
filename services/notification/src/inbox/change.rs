//! Marking notifications as read, and removing them.

use carillon_contract::{
    Channel,
    messages::{Event, Variant},
};
use carillon_store::{NewEvent, StoreError, Transaction, now};
use serde_json::json;
use sqlx::Row;

use super::{Counts, Inboxes, Reference, State};

/// A change that a user makes to the own inbox.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// One notification is read.
    Read(Reference),
    /// All are read, or those up to and with this one: what came later stays unread.
    ReadAll(Option<Reference>),
    /// One is removed.
    Remove(Reference),
}

/// What a change came to.
#[derive(Debug)]
pub(crate) struct Changed {
    /// How many notifications are not what they were.
    pub(crate) changed: u64,
    pub(crate) counts: Counts,
    pub(crate) version: i64,
    /// The new count, to be published.
    pub(crate) event: Option<Event>,
}

impl Inboxes {
    /// Makes a change once for each `cause`. `None` if there is no such notification.
    pub(crate) async fn change(
        &self,
        user: &str,
        change: &Change,
        cause: &str,
    ) -> Result<Option<Changed>, StoreError> {
        let mut tx = self.database.begin().await?;
        let before = self.lock(&mut tx, user).await?;
        let mut state = before.clone();
        let Some(changed) = state.apply(&mut tx, change, cause).await? else { return Ok(None) };
        if changed == 0 {
            tx.commit().await?;
            return Ok(Some(state.changed(0, None)));
        }
        state.version += 1;
        State::save(&mut tx, [&state]).await?;
        let appended = self.log.append(&mut tx, &[state.count_event(cause)?]).await?;
        let appended = appended.into_iter().next().ok_or_else(|| StoreError::other("an event got lost"))?;
        if appended.duplicate {
            // Done before, and its answer was lost: what has come since is none of its business.
            drop(tx);
            return Ok(Some(before.changed(0, Some(appended.event))));
        }
        tx.commit().await?;
        Ok(Some(state.changed(changed, Some(appended.event))))
    }
}

impl State {
    /// Changes the rows and the counts, and tells how many rows.
    async fn apply(
        &mut self,
        tx: &mut Transaction,
        change: &Change,
        cause: &str,
    ) -> Result<Option<u64>, StoreError> {
        match change {
            Change::Read(reference) => self.read_one(tx, reference).await,
            Change::ReadAll(None) => self.read_through(tx, 0, i64::MAX).await.map(Some),
            Change::ReadAll(Some(reference)) => self.read_up_to(tx, reference).await,
            Change::Remove(reference) => self.remove(tx, reference, cause).await,
        }
    }

    async fn read_one(
        &mut self,
        tx: &mut Transaction,
        reference: &Reference,
    ) -> Result<Option<u64>, StoreError> {
        let sequences = reference.resolve(tx, &self.user).await?;
        let mut changed = 0;
        for sequence in &sequences {
            changed += self.read_through(tx, *sequence, *sequence).await?;
        }
        Ok((!sequences.is_empty()).then_some(changed))
    }

    async fn read_up_to(
        &mut self,
        tx: &mut Transaction,
        reference: &Reference,
    ) -> Result<Option<u64>, StoreError> {
        let through = match reference.as_sequence() {
            Some(sequence) => Some(sequence),
            None => reference.resolve(tx, &self.user).await?.into_iter().max(),
        };
        match through {
            Some(through) => self.read_through(tx, 0, through).await.map(Some),
            None => Ok(None),
        }
    }

    async fn read_through(&mut self, tx: &mut Transaction, first: i64, last: i64) -> Result<u64, StoreError> {
        let sql = "UPDATE notification SET read_at = $4
                   WHERE user_id = $1 AND sequence BETWEEN $2 AND $3 AND read_at = 0 AND removed_by = ''";
        let query = sqlx::query(sql).bind(self.user.clone()).bind(first).bind(last).bind(now());
        let changed = query.execute(&mut **tx).await?.rows_affected();
        self.counts.unread -= i64::try_from(changed).unwrap_or_default();
        Ok(changed)
    }

    async fn remove(
        &mut self,
        tx: &mut Transaction,
        reference: &Reference,
        cause: &str,
    ) -> Result<Option<u64>, StoreError> {
        let sequences = reference.resolve(tx, &self.user).await?;
        if sequences.is_empty() {
            return Ok(self.was_removed_by(tx, cause).await?.then_some(0));
        }
        for sequence in &sequences {
            self.remove_one(tx, *sequence, cause).await?;
        }
        Ok(u64::try_from(sequences.len()).ok())
    }

    async fn remove_one(
        &mut self,
        tx: &mut Transaction,
        sequence: i64,
        cause: &str,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE notification SET removed_by = $3, body = ''
                   WHERE user_id = $1 AND sequence = $2 AND removed_by = '' RETURNING read_at";
        let query = sqlx::query(sql).bind(self.user.clone()).bind(sequence).bind(cause.to_owned());
        for row in query.fetch_all(&mut **tx).await? {
            self.counts.total -= 1;
            self.counts.unread -= i64::from(row.try_get::<i64, _>("read_at")? == 0);
        }
        Ok(())
    }

    /// Whether this very request has removed something before: it then asks again because its
    /// answer was lost.
    async fn was_removed_by(&self, tx: &mut Transaction, cause: &str) -> Result<bool, StoreError> {
        let sql = "SELECT 1 AS found FROM notification WHERE user_id = $1 AND removed_by = $2 LIMIT 1";
        let query = sqlx::query(sql).bind(self.user.clone()).bind(cause.to_owned());
        Ok(query.fetch_optional(&mut **tx).await?.is_some())
    }

    fn count_event(&self, cause: &str) -> Result<NewEvent, StoreError> {
        let frame = json!({"type": "unread_count", "count": self.counts.unread, "version": self.version});
        Ok(NewEvent::new(user_channel(&self.user)?, cause, vec![Variant::json(frame.to_string())]))
    }

    fn changed(&self, changed: u64, event: Option<Event>) -> Changed {
        Changed { changed, counts: self.counts, version: self.version, event }
    }
}

/// The channel of a user whose id has been checked where it came in.
pub(crate) fn user_channel(user: &str) -> Result<Channel, StoreError> {
    Channel::user(user).map_err(StoreError::other)
}
