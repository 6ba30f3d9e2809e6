//! Attachments in the transactions of messages.

use std::collections::{HashMap, HashSet};

use carillon_store::{StoreError, Transaction, now, values};
use sqlx::AssertSqlSafe;

use super::{
    Attachment,
    attachment::{Verdict, find},
    unknown,
};
use crate::reply::Refusal;

/// Attachments that a message wants to carry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim<'a> {
    /// In the message's order.
    pub(crate) ids: &'a [String],
    /// Who sends the message.
    pub(crate) user: &'a str,
}

/// Which attachments each of these messages may carry, after [`super::Attachments::verify`] has looked at them.
/// Locks their rows, in the order of their ids, so that they stay as they are until [`carry`]. Of a message that
/// is stored already, so that this is its retry, nothing must be asked.
///
/// `for_update` is [`carillon_store::Database::for_update`].
pub(crate) async fn claim(
    tx: &mut Transaction,
    claims: &[Claim<'_>],
    for_update: &str,
) -> Result<Vec<Result<Vec<Attachment>, Refusal>>, StoreError> {
    let ids: Vec<&str> = claims.iter().flat_map(|claim| claim.ids).map(String::as_str).collect();
    let found = find(tx, &ids, for_update).await?;
    let (mut taken, now) = (HashSet::new(), now());
    Ok(claims.iter().map(|claim| granted(claim, &found, &mut taken, now)).collect())
}

fn granted<'a>(
    claim: &Claim<'a>,
    found: &HashMap<String, Attachment>,
    taken: &mut HashSet<&'a str>,
    now: i64,
) -> Result<Vec<Attachment>, Refusal> {
    let mut carried = Vec::new();
    let mut names = HashSet::new();
    for id in claim.ids {
        let own = found.get(id).filter(|found| found.user == claim.user && !found.is_gone(now));
        let attachment = own.ok_or_else(|| unknown(id))?;
        if attachment.message != 0 || taken.contains(id.as_str()) || !names.insert(id.as_str()) {
            let message = format!("{} is in another message", attachment.name);
            return Err(Refusal::new("attachment_taken", message));
        }
        if attachment.verdict != Verdict::Genuine {
            let message = format!("{} has not been uploaded", attachment.name);
            return Err(Refusal::new("attachment_missing", message));
        }
        carried.push(attachment.clone());
    }
    taken.extend(names);
    Ok(carried)
}

/// Has messages carry what they claimed: each a message, its conversation, and its attachments.
pub(crate) async fn carry(
    tx: &mut Transaction,
    carried: &[(i64, i64, &[Attachment])],
) -> Result<(), StoreError> {
    let rows = carried.iter().flat_map(|(message, conversation, attachments)| {
        attachments.iter().map(move |attachment| (attachment.id.as_str(), *message, *conversation))
    });
    let rows: Vec<_> = rows.collect();
    for rows in rows.chunks(values::MAX_ROWS) {
        let sql = format!(
            "UPDATE attachment SET message_id = CAST(carried.column2 AS BIGINT), \
             conversation_id = CAST(carried.column3 AS BIGINT), remove_at = 0 \
             FROM (VALUES {}) AS carried WHERE attachment.id = carried.column1",
            values::rows(rows.len(), 3)
        );
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(rows.len()));
        let query = rows.iter().fold(query, |query, (id, message, conversation)| {
            query.bind(*id).bind(*message).bind(*conversation)
        });
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

/// Gives up what a message carries, which is being deleted: nobody gets it from now on, and a sweep removes it.
pub(crate) async fn discard(tx: &mut Transaction, message: i64) -> Result<(), StoreError> {
    // A message that is 0 would be all that no message carries.
    let sql = "UPDATE attachment SET remove_at = $2 WHERE message_id = $1 AND message_id > 0";
    sqlx::query(sql).bind(message).bind(now()).execute(&mut **tx).await?;
    Ok(())
}
