//! Storing updates: those of many typists share a transaction.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use carillon_contract::{Channel, messages::Variant};
use carillon_service::Outgoing;
use carillon_store::{Batch, Log, NewEvent, StoreError, Transaction, now, values};
use sqlx::{AssertSqlSafe, Row as _};
use yrs::updates::encoder::Encode as _;

use super::{message, update::Extent};

/// An update that is to be stored.
#[derive(Debug, Clone)]
pub(crate) struct Edit {
    pub(crate) document: String,
    pub(crate) channel: Channel,
    /// Unique in the channel: the same again is the same update.
    pub(crate) cause: String,
    /// Whose it is: it has it already.
    pub(crate) connection: String,
    pub(crate) content: Bytes,
    pub(crate) extent: Extent,
}

/// What became of it.
#[derive(Clone)]
pub(crate) enum Outcome {
    /// It would make the document too large.
    TooLarge,
    /// `outgoing` is to be published.
    Stored { outgoing: Arc<Outgoing>, is_loose: bool },
}

/// Stores edits and appends their events.
pub(crate) struct Writing {
    pub(crate) log: Log,
    /// The largest document.
    pub(crate) document_bytes: i64,
    /// A document with more updates, or more bytes of them, since its compaction is to be compacted.
    pub(crate) loose_updates: i64,
    pub(crate) loose_bytes: i64,
}

/// A document's row. It is locked.
#[derive(Debug)]
struct Sums {
    last_number: i64,
    compacted: i64,
    bytes: i64,
    loose_bytes: i64,
}

impl Batch for Writing {
    type Item = Edit;
    type Output = Outcome;

    async fn apply(&self, tx: &mut Transaction, edits: &[&Edit]) -> Result<Vec<Outcome>, StoreError> {
        let mut documents = lock(tx, edits).await?;
        let fitting = self.fitting(&documents, edits);
        let fitted = edits.iter().enumerate().zip(&fitting).filter(|(_, fits)| **fits);
        let events: Vec<_> = fitted.map(|((index, edit), _)| event(edit).of_item(index)).collect();
        let appended = self.log.append(tx, &events).await?;
        let mut outcomes = appended.iter();
        let mut fresh = Vec::new();
        for (edit, _) in edits.iter().zip(&fitting).filter(|(_, fits)| **fits) {
            if outcomes.next().is_some_and(|appended| !appended.duplicate)
                && let Some(sums) = documents.get_mut(edit.document.as_str())
            {
                sums.add(edit.content.len());
                fresh.push((sums.last_number, *edit));
            }
        }
        insert(tx, &fresh).await?;
        update_sums(tx, &documents).await?;
        Ok(self.outcomes(&documents, edits, &fitting, Arc::new(Outgoing::of(appended))))
    }
}

impl Writing {
    /// Which edits fit into their documents, those before them in the batch being there.
    fn fitting(&self, documents: &BTreeMap<&str, Sums>, edits: &[&Edit]) -> Vec<bool> {
        let mut bytes: BTreeMap<&str, i64> =
            documents.iter().map(|(document, sums)| (*document, sums.bytes)).collect();
        let fits = |edit: &&Edit| {
            let Some(bytes) = bytes.get_mut(edit.document.as_str()) else { return false };
            let more = length(edit.content.len());
            let fits = *bytes + more <= self.document_bytes;
            *bytes += if fits { more } else { 0 };
            fits
        };
        edits.iter().map(fits).collect()
    }

    fn outcomes(
        &self,
        documents: &BTreeMap<&str, Sums>,
        edits: &[&Edit],
        fitting: &[bool],
        outgoing: Arc<Outgoing>,
    ) -> Vec<Outcome> {
        let is_loose = |edit: &Edit| {
            documents.get(edit.document.as_str()).is_some_and(|sums| {
                sums.last_number - sums.compacted > self.loose_updates || sums.loose_bytes > self.loose_bytes
            })
        };
        let outcome = |(edit, fits): (&&Edit, &bool)| match fits {
            true => Outcome::Stored { outgoing: outgoing.clone(), is_loose: is_loose(edit) },
            false => Outcome::TooLarge,
        };
        edits.iter().zip(fitting).map(outcome).collect()
    }
}

impl Sums {
    fn add(&mut self, bytes: usize) {
        self.last_number += 1;
        self.bytes += length(bytes);
        self.loose_bytes += length(bytes);
    }
}

fn event(edit: &Edit) -> NewEvent {
    let frame = message::update(&edit.content);
    let mut event = NewEvent::new(edit.channel.clone(), edit.cause.clone(), vec![Variant::binary(frame)]);
    event.except_connection = edit.connection.clone();
    event
}

/// Locks the documents until the transaction ends, in their order, and makes those that are new.
async fn lock<'a>(tx: &mut Transaction, edits: &[&'a Edit]) -> Result<BTreeMap<&'a str, Sums>, StoreError> {
    let names: BTreeMap<&str, ()> = edits.iter().map(|edit| (edit.document.as_str(), ())).collect();
    let names: Vec<&str> = names.into_keys().collect();
    let mut documents = BTreeMap::new();
    for names in names.chunks(values::MAX_ROWS) {
        let sql = format!(
            "INSERT INTO document (name, last_number, compacted, bytes, loose_bytes, created_at, updated_at) \
             VALUES {} ON CONFLICT (name) DO UPDATE SET updated_at = excluded.updated_at \
             RETURNING name, last_number, compacted, bytes, loose_bytes",
            values::rows(names.len(), 7)
        );
        let at = now();
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(names.len()));
        let query = names.iter().fold(query, |query, name| {
            query.bind(*name).bind(0_i64).bind(0_i64).bind(0_i64).bind(0_i64).bind(at).bind(at)
        });
        for row in query.fetch_all(&mut **tx).await? {
            let name: String = row.try_get(0)?;
            let sums = Sums {
                last_number: row.try_get(1)?,
                compacted: row.try_get(2)?,
                bytes: row.try_get(3)?,
                loose_bytes: row.try_get(4)?,
            };
            let name = names.iter().find(|known| **known == name);
            documents.extend(name.map(|name| (*name, sums)));
        }
    }
    Ok(documents)
}

async fn insert(tx: &mut Transaction, edits: &[(i64, &Edit)]) -> Result<(), StoreError> {
    for edits in edits.chunks(values::MAX_ROWS) {
        let sql = format!(
            "INSERT INTO document_update (document, number, content, inserted, deleted) VALUES {}",
            values::rows(edits.len(), 5)
        );
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(edits.len()));
        let query = edits.iter().fold(query, |query, (number, edit)| {
            query
                .bind(edit.document.as_str())
                .bind(*number)
                .bind(&*edit.content)
                .bind(edit.extent.inserted.encode_v1())
                .bind(edit.extent.deleted.encode_v1())
        });
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

async fn update_sums(tx: &mut Transaction, documents: &BTreeMap<&str, Sums>) -> Result<(), StoreError> {
    let documents: Vec<_> = documents.iter().collect();
    for documents in documents.chunks(values::MAX_ROWS) {
        let sql = format!(
            "UPDATE document SET last_number = CAST(sums.column2 AS BIGINT), \
             bytes = CAST(sums.column3 AS BIGINT), loose_bytes = CAST(sums.column4 AS BIGINT) \
             FROM (VALUES {}) AS sums WHERE document.name = sums.column1",
            values::rows(documents.len(), 4)
        );
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(documents.len()));
        let query = documents.iter().fold(query, |query, (name, sums)| {
            query.bind(**name).bind(sums.last_number).bind(sums.bytes).bind(sums.loose_bytes)
        });
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

/// As a BIGINT. Nothing that is in memory is longer.
pub(crate) fn length(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
