//! A blob is there as a whole or not at all, and never changes.

use std::{path::Path, time::Duration};

use bytes::Bytes;
use carillon_blob::{BlobError, BlobStore, Key};
use futures_util::TryStreamExt;
use tempfile::TempDir;

/// Larger than what is written at a time, several times.
const LARGE: usize = 1_000_000;

struct Bed {
    store: BlobStore,
    directory: TempDir,
}

impl Bed {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let store = BlobStore::open(&directory.path().display().to_string()).expect("a store");
        Self { store, directory }
    }

    async fn put(&self, key: &Key, content: &[u8]) -> Result<(), BlobError> {
        let mut upload = self.store.upload(key, content.len() as u64);
        for piece in content.chunks(70_000) {
            upload.write(Bytes::copy_from_slice(piece)).await?;
        }
        upload.finish().await
    }

    async fn get(&self, key: &Key, range: Option<std::ops::Range<u64>>) -> Option<Vec<u8>> {
        let reading = self.store.read(key, range).await.expect("a store")?;
        let pieces: Vec<Bytes> = reading.bytes.try_collect().await.expect("read");
        Some(pieces.concat())
    }

    /// Waits until no file is left in the store.
    async fn is_empty(&self) {
        let mut look = tokio::time::interval(Duration::from_millis(5));
        let empty = async {
            while files(self.directory.path()) > 0 {
                look.tick().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), empty).await.expect("nothing left behind");
    }
}

fn files(directory: &Path) -> usize {
    let entries = std::fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry"));
    entries.map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { 1 }).sum()
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|index| (index * 7 % 251) as u8).collect()
}

#[tokio::test]
async fn what_was_stored_is_read_whole_in_part_and_then_not_any_more() {
    let bed = Bed::new();
    for size in [0, 1, 262_143, 262_144, 262_145, LARGE] {
        let (key, content) = (Key::random(), content(size));
        assert_eq!(bed.store.size(&key).await.expect("a store"), None);
        bed.put(&key, &content).await.expect("stored");
        assert_eq!(bed.store.size(&key).await.expect("a store"), Some(size as u64));
        assert!(bed.get(&key, None).await.is_some_and(|read| read == content));
        let (known, beginning) = bed.store.beginning(&key, 100).await.expect("a store").expect("a blob");
        assert_eq!((known, &beginning[..]), (size as u64, &content[..size.min(100)]));
        if size > 10 {
            assert_eq!(bed.get(&key, Some(3..9)).await.expect("a blob"), content[3..9]);
        }
        bed.store.delete(&key).await.expect("removed");
        bed.store.delete(&key).await.expect("removed before");
        assert_eq!(bed.get(&key, None).await, None);
        assert_eq!(bed.store.beginning(&key, 1).await.expect("a store"), None);
    }
    bed.is_empty().await;
}

#[tokio::test]
async fn a_blob_never_changes() {
    let bed = Bed::new();
    for size in [10, LARGE] {
        let key = Key::random();
        bed.put(&key, &content(size)).await.expect("stored");
        assert!(matches!(bed.put(&key, &vec![0; size]).await, Err(BlobError::Exists)));
        assert_eq!(bed.get(&key, None).await.expect("a blob"), content(size));
        bed.store.delete(&key).await.expect("removed");
    }
    bed.is_empty().await;
}

/// The one that is slower must not replace what may have been looked at meanwhile.
#[tokio::test]
async fn of_two_uploads_at_once_one_is_kept() {
    let bed = Bed::new();
    for size in [10, LARGE] {
        let key = Key::random();
        let mut uploads = [bed.store.upload(&key, size as u64), bed.store.upload(&key, size as u64)];
        for (number, upload) in (1..).zip(&mut uploads) {
            upload.write(vec![number; size].into()).await.expect("written");
        }
        let [first, second] = uploads;
        first.finish().await.expect("stored");
        assert!(matches!(second.finish().await, Err(BlobError::Exists)));
        assert_eq!(bed.get(&key, None).await.expect("a blob"), vec![1; size]);
        bed.store.delete(&key).await.expect("removed");
    }
    bed.is_empty().await;
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing() {
    let bed = Bed::new();
    for size in [10, LARGE] {
        let key = Key::random();
        let mut upload = bed.store.upload(&key, LARGE as u64 * 2);
        upload.write(content(size).into()).await.expect("written");
        assert_eq!(bed.store.size(&key).await.expect("a store"), None);
        drop(upload);
        bed.is_empty().await;
        bed.put(&key, b"again").await.expect("stored");
        bed.store.delete(&key).await.expect("removed");
    }
}

#[tokio::test]
async fn more_or_less_than_was_announced_is_refused() {
    let bed = Bed::new();
    for size in [10, LARGE] {
        let key = Key::random();
        let mut upload = bed.store.upload(&key, size as u64);
        upload.write(content(size).into()).await.expect("written");
        assert!(matches!(upload.write("x".into()).await, Err(BlobError::TooLarge { .. })));
        drop(upload);
        let mut upload = bed.store.upload(&key, size as u64);
        upload.write(content(size - 1).into()).await.expect("written");
        assert!(matches!(upload.finish().await, Err(BlobError::TooShort { .. })));
        assert_eq!(bed.store.size(&key).await.expect("a store"), None);
    }
    bed.is_empty().await;
}

#[tokio::test]
async fn what_a_crash_left_is_removed_once_it_is_old() {
    let bed = Bed::new();
    let key = Key::random();
    bed.put(&key, b"kept").await.expect("stored");
    let staging = bed.directory.path().join("staging");
    std::fs::create_dir_all(&staging).expect("a directory");
    std::fs::write(staging.join("complete-but-not-published"), "x").expect("a file");
    std::fs::write(staging.join("half#1"), "x").expect("a file");
    assert_eq!(bed.store.remove_abandoned(Duration::from_secs(3600)).await.expect("a store"), 0);
    assert_eq!(bed.store.remove_abandoned(Duration::ZERO).await.expect("a store"), 2);
    assert_eq!(bed.get(&key, None).await.expect("a blob"), b"kept");
    assert_eq!(files(bed.directory.path()), 1);
}
