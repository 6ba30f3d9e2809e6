//! A blob on its way into the store.

use bytes::Bytes;
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutMode, PutPayload, WriteMultipart, path::Path};
use tokio::runtime::Handle;

use crate::{
    BlobError, BlobStore, Key,
    store::{path, staged},
};

/// A blob that is being stored, piece by piece. Nobody sees any of it before [`Upload::finish`] returns; if it is
/// dropped before, nothing of it stays.
pub struct Upload {
    store: BlobStore,
    key: Key,
    size: u64,
    written: u64,
    /// What has come and is not written yet.
    pieces: Vec<Bytes>,
    pending: usize,
    staged: Option<Staged>,
}

/// A blob that is larger than what is written at a time.
struct Staged {
    path: Path,
    parts: WriteMultipart,
}

impl Upload {
    pub(crate) fn new(store: BlobStore, key: Key, size: u64) -> Self {
        Self { store, key, size, written: 0, pieces: Vec::new(), pending: 0, staged: None }
    }

    /// Takes the next piece, and waits until the store keeps up.
    ///
    /// # Errors
    /// More bytes than were announced, or a store that can't be reached.
    pub async fn write(&mut self, piece: Bytes) -> Result<(), BlobError> {
        let written = self.written + piece.len() as u64;
        if written > self.size {
            return Err(BlobError::TooLarge { size: self.size });
        }
        self.written = written;
        self.pending += piece.len();
        self.pieces.push(piece);
        if self.pending < self.store.part { Ok(()) } else { self.flush().await }
    }

    /// Makes the blob visible, as a whole. Goes on to its end even if the caller doesn't wait for it.
    ///
    /// # Errors
    /// [`BlobError::Exists`] if there is such a blob by now, fewer bytes than were announced, or a store that
    /// can't be reached. Nothing is kept then.
    pub async fn finish(self) -> Result<(), BlobError> {
        let finished = tokio::spawn(self.complete()).await;
        finished.map_err(|error| BlobError::Store(error.to_string()))?
    }

    async fn complete(mut self) -> Result<(), BlobError> {
        if self.written < self.size {
            return Err(BlobError::TooShort { written: self.written, size: self.size });
        }
        if self.staged.is_none() {
            return self.put().await;
        }
        self.flush().await?;
        match self.staged.take() {
            Some(staged) => publish(&self.store, &self.key, staged).await,
            None => Ok(()),
        }
    }

    /// Hands over what has come. At most one part is under way while the next is collected.
    async fn flush(&mut self) -> Result<(), BlobError> {
        let staged = match self.staged.take() {
            Some(staged) => staged,
            None => stage(&self.store, &self.key).await?,
        };
        let staged = self.staged.insert(staged);
        staged.parts.wait_for_capacity(1).await?;
        for piece in self.pieces.drain(..) {
            staged.parts.put(piece);
        }
        self.pending = 0;
        Ok(())
    }

    /// The whole of a small blob at once.
    async fn put(&mut self) -> Result<(), BlobError> {
        let payload: PutPayload = std::mem::take(&mut self.pieces).into_iter().collect();
        let path = path(&self.key);
        self.store.store.put_opts(&path, payload, PutMode::Create.into()).await?;
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(Staged { parts, .. }) = self.staged.take() else { return };
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Err(error) = parts.abort().await {
                tracing::warn!(%error, "an upload that was given up left something behind");
            }
        });
    }
}

async fn stage(store: &BlobStore, key: &Key) -> Result<Staged, BlobError> {
    let path = staged(key);
    let upload = store.store.put_multipart(&path).await?;
    Ok(Staged { path, parts: WriteMultipart::new_with_chunk_size(upload, store.part) })
}

/// Gives a blob its name, unless another has it: whoever checked that one must be able to rely on it.
async fn publish(store: &BlobStore, key: &Key, staged: Staged) -> Result<(), BlobError> {
    let Staged { path: from, parts } = staged;
    parts.finish().await?;
    let published = store.store.copy_if_not_exists(&from, &path(key)).await;
    if let Err(error) = store.store.delete(&from).await {
        tracing::warn!(%error, "an upload's staged copy stays until it is swept");
    }
    Ok(published?)
}
