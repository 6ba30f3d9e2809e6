//! Where files are kept.

use carillon_blob::{BlobError, BlobStore, Key};
use tokio::time::timeout;

use super::{Args, report::Row};

const GROUP: &str = "files";

/// What is written, read and removed again.
const CONTENT: &[u8] = b"carillon check";

pub(super) async fn rows(args: &Args) -> Vec<Row> {
    let mut blobs = args.gateway.blobs.clone();
    if blobs.blob_store.is_none() && args.is_one_process() {
        blobs.blob_store =
            args.databases.data_dir.as_ref().map(|data| data.join("blobs").display().to_string());
        blobs.blob_secret_file = args.databases.data_dir.as_ref().map(|data| data.join("blob-secret"));
    }
    if blobs.blob_store.is_none() {
        return vec![Row::skipped(
            GROUP,
            "store",
            "there is none (--blob-store): messages have no attachments",
        )];
    }
    let opened = match blobs.open() {
        Ok(opened) => opened,
        Err(error) => {
            return vec![Row::failed(
                GROUP,
                "store",
                format!("{error:#}"),
                "--blob-store and --blob-secret, alike for gateways and chat",
            )];
        }
    };
    let Some(opened) = opened else { return Vec::new() };
    let location = blobs.blob_store.unwrap_or_default();
    let mut rows = vec![match timeout(args.timeout, round(&opened.store)).await {
        Ok(Ok(())) => Row::ok(GROUP, "store", format!("{location}: written, read and removed")),
        Ok(Err(error)) => Row::failed(
            GROUP,
            "store",
            format!("{location}: {error}"),
            "its rights, or its credentials in the environment",
        ),
        Err(_) => Row::failed(
            GROUP,
            "store",
            format!("{location}: no answer within {:?}", args.timeout),
            "its endpoint and region",
        ),
    }];
    let is_directory = !location.contains("://") || location.starts_with("file://");
    if is_directory && !args.is_one_process() {
        let mend = "a file system that all machines share, or a bucket";
        rows.push(Row::warning(
            GROUP,
            "shared",
            "a directory: right if gateways and chat are on one machine, or share it",
            mend,
        ));
    }
    rows
}

async fn round(store: &BlobStore) -> Result<(), BlobError> {
    let key = Key::random();
    let mut upload = store.upload(&key, CONTENT.len() as u64);
    upload.write(CONTENT.into()).await?;
    upload.finish().await?;
    let read = store.beginning(&key, CONTENT.len() as u64).await;
    store.delete(&key).await?;
    match read? {
        Some((_, bytes)) if bytes == CONTENT => Ok(()),
        _ => Err(BlobError::Store("what was written is not what was read".to_owned())),
    }
}
