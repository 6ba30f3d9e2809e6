//! Where blobs are kept.

use std::{
    fmt,
    future::ready,
    ops::Range,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    GetOptions, GetRange, ObjectStore, ObjectStoreExt,
    path::{Path, PathPart},
};

use crate::{BlobError, Key, Upload, location::Location};

/// Where uploads are until they are complete.
const STAGING: &str = "staging";

/// Blobs in a directory or a bucket. A blob is there as a whole or not at all, and never changes.
#[derive(Clone)]
pub struct BlobStore {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) part: usize,
    directory: Option<PathBuf>,
}

/// A blob, or a part of it, as it comes.
pub struct Reading {
    /// Which of its bytes these are.
    pub range: Range<u64>,
    /// The bytes.
    pub bytes: BoxStream<'static, Result<Bytes, BlobError>>,
}

impl BlobStore {
    /// Opens a directory (`DIRECTORY`, `file:///DIRECTORY`), made if it isn't there, or a bucket (`s3://`,
    /// `gs://`, `az://`), with what the environment says about it (`AWS_…`, `GOOGLE_…`, `AZURE_…`).
    ///
    /// # Errors
    /// A directory that can't be made, or a URL of another kind.
    pub fn open(location: &str) -> anyhow::Result<Self> {
        let Location { store, part, directory } = Location::open(location)?;
        Ok(Self { store, part, directory })
    }

    /// Begins to store a blob of exactly this size.
    pub fn upload(&self, key: &Key, size: u64) -> Upload {
        Upload::new(self.clone(), key.clone(), size)
    }

    /// How large a blob is, if it is there.
    ///
    /// # Errors
    /// A store that can't be reached.
    pub async fn size(&self, key: &Key) -> Result<Option<u64>, BlobError> {
        let found = present(self.store.head(&path(key)).await)?;
        Ok(found.map(|blob| blob.size))
    }

    /// A blob, or some of it: a range that is not empty and begins inside.
    ///
    /// # Errors
    /// A store that can't be reached.
    pub async fn read(&self, key: &Key, range: Option<Range<u64>>) -> Result<Option<Reading>, BlobError> {
        let range = range.map(GetRange::Bounded);
        let options = GetOptions { range, ..GetOptions::default() };
        let found = present(self.store.get_opts(&path(key), options).await)?;
        Ok(found.map(|blob| Reading {
            range: blob.range.clone(),
            bytes: blob.into_stream().map_err(BlobError::from).boxed(),
        }))
    }

    /// The size of a blob, and as much of its beginning as there is of so many bytes.
    ///
    /// # Errors
    /// A store that can't be reached.
    pub async fn beginning(&self, key: &Key, bytes: u64) -> Result<Option<(u64, Bytes)>, BlobError> {
        let Some(size) = self.size(key).await? else { return Ok(None) };
        let end = size.min(bytes);
        if end == 0 {
            return Ok(Some((size, Bytes::new())));
        }
        let beginning = present(self.store.get_range(&path(key), 0..end).await)?;
        Ok(beginning.map(|bytes| (size, bytes)))
    }

    /// Removes a blob. One that isn't there is no error: whoever removes it a second time need not know.
    ///
    /// # Errors
    /// A store that can't be reached.
    pub async fn delete(&self, key: &Key) -> Result<(), BlobError> {
        present(self.store.delete(&path(key)).await).map(drop)
    }

    /// Removes what uploads left behind that a crash cut off, older than this; how much it was. Parts of
    /// uploads to a bucket that were never put together are its lifecycle rules' to remove.
    ///
    /// # Errors
    /// A store that can't be reached.
    pub async fn remove_abandoned(&self, age: Duration) -> Result<usize, BlobError> {
        let before = SystemTime::now() - age;
        let staged = self.store.list(Some(&Path::from(STAGING)));
        let old = staged.try_filter(|found| ready(SystemTime::from(found.last_modified) < before));
        let old: Vec<_> = old.map_ok(|found| found.location).try_collect().await?;
        for location in &old {
            present(self.store.delete(location).await)?;
        }
        let Some(directory) = self.directory.clone() else { return Ok(old.len()) };
        let files = tokio::task::spawn_blocking(move || abandoned_files(&directory, before));
        let files = files.await.map_err(|error| BlobError::Store(error.to_string()))?;
        files.map(|files| old.len() + files).map_err(|error| BlobError::Store(error.to_string()))
    }
}

impl fmt::Debug for BlobStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "BlobStore({})", self.store)
    }
}

/// Where a blob is: not all in one directory, which some file systems don't like.
pub(crate) fn path(key: &Key) -> Path {
    Path::from_iter([PathPart::from(&key.as_str()[..2]), PathPart::from(key.as_str())])
}

/// Where a blob is until all of it has come.
pub(crate) fn staged(key: &Key) -> Path {
    let name = format!("{key}-{}", Key::random());
    Path::from_iter([PathPart::from(STAGING), PathPart::from(name)])
}

/// What isn't there is no error.
fn present<T>(found: Result<T, object_store::Error>) -> Result<Option<T>, BlobError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Removes half-written files, which the store has under names with a `#` and doesn't list.
fn abandoned_files(directory: &std::path::Path, before: SystemTime) -> std::io::Result<usize> {
    let mut removed = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            removed += abandoned_files(&entry.path(), before)?;
        } else if entry.file_name().to_string_lossy().contains('#') && entry.metadata()?.modified()? < before
        {
            std::fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    /// A store without files: what a bucket has in common with a directory.
    #[tokio::test]
    async fn a_bucket_keeps_blobs_whole_and_as_they_were() {
        let store = BlobStore { store: Arc::new(InMemory::new()), part: 5, directory: None };
        for content in ["four", "five!", "more than one part"] {
            let (key, size) = (Key::random(), content.len() as u64);
            let put = async |content: &'static str| {
                let mut upload = store.upload(&key, size);
                upload.write(content.into()).await?;
                upload.finish().await
            };
            assert!(matches!(put(&content[1..]).await, Err(BlobError::TooShort { .. })));
            assert_eq!(store.size(&key).await.expect("a store"), None);
            put(content).await.expect("stored");
            assert!(matches!(put(content).await, Err(BlobError::Exists)));
            let (found, beginning) = store.beginning(&key, 3).await.expect("a store").expect("a blob");
            assert_eq!((found, &beginning[..]), (size, &content.as_bytes()[..3]));
            let staged = store.store.list(Some(&Path::from(STAGING))).try_collect::<Vec<_>>();
            assert!(staged.await.expect("a list").is_empty());
        }
        assert_eq!(store.remove_abandoned(Duration::ZERO).await.expect("a store"), 0);
    }
}
