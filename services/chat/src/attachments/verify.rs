//! Looking at what was uploaded, before a message may carry it.

use carillon_blob::BlobError;
use carillon_service::Failure;
use carillon_store::{StoreError, now};

use super::{
    Attachment, Attachments,
    attachment::{Verdict, find},
    content, unknown,
};
use crate::reply::Refusal;

impl Attachments {
    /// Whether a message of this user may carry these, as far as their contents go. What is found out is kept,
    /// so that [`super::claim`] needs not look. It reads the blob store: never in a transaction.
    ///
    /// # Errors
    /// A database or a blob store that can't be reached. An attachment that is refused is no error.
    pub(crate) async fn verify(&self, ids: &[String], user: &str) -> Result<Result<(), Refusal>, Failure> {
        if ids.is_empty() {
            return Ok(Ok(()));
        }
        let most = usize::try_from(self.settings.attachments_per_message).unwrap_or(usize::MAX);
        if ids.len() > most {
            let message = format!("A message has at most {most} attachments");
            return Ok(Err(Refusal::new("invalid_attachments", message)));
        }
        let wanted: Vec<&str> = ids.iter().map(String::as_str).collect();
        let mut snapshot = self.database.snapshot().await?;
        let found = find(&mut snapshot, &wanted, "").await?;
        drop(snapshot);
        for id in ids {
            let own = found.get(id).filter(|found| found.user == user && !found.is_gone(now()));
            let Some(attachment) = own else { return Ok(Err(unknown(id))) };
            if let Some(refusal) = self.judge(attachment).await? {
                return Ok(Err(refusal));
            }
        }
        Ok(Ok(()))
    }

    async fn judge(&self, attachment: &Attachment) -> Result<Option<Refusal>, Failure> {
        let verdict = match attachment.verdict {
            Verdict::Unknown => match self.look(attachment).await? {
                Some(is_genuine) => self.keep(&attachment.id, is_genuine).await?,
                None => {
                    let message = format!("{} has not been uploaded", attachment.name);
                    return Ok(Some(Refusal::new("attachment_missing", message)));
                }
            },
            verdict => verdict,
        };
        if verdict == Verdict::Genuine {
            return Ok(None);
        }
        let message = format!("{} is not of the type {}", attachment.name, attachment.content_type);
        Ok(Some(Refusal::new("attachment_type", message)))
    }

    /// Whether the blob is what it was said to be. `None`: it isn't there.
    async fn look(&self, attachment: &Attachment) -> Result<Option<bool>, Failure> {
        let Some(blobs) = &self.blobs else { return Ok(None) };
        let beginning = blobs.store.beginning(&attachment.key, content::BEGINNING).await.map_err(away)?;
        Ok(beginning.map(|(size, beginning)| {
            size == attachment.size && content::matches(&attachment.content_type, &beginning)
        }))
    }

    /// A blob never changes, and so doesn't what was found out about it.
    async fn keep(&self, id: &str, is_genuine: bool) -> Result<Verdict, Failure> {
        let verdict = if is_genuine { 1_i64 } else { 2 };
        let mut tx = self.database.begin().await?;
        let query = sqlx::query("UPDATE attachment SET verdict = $2 WHERE id = $1").bind(id).bind(verdict);
        query.execute(&mut *tx).await.map_err(StoreError::from)?;
        tx.commit().await?;
        Ok(if is_genuine { Verdict::Genuine } else { Verdict::Wrong })
    }
}

fn away(error: BlobError) -> Failure {
    tracing::warn!(%error, "an attachment could not be looked at");
    Failure::Unavailable("the store of files can't be reached".to_owned())
}
