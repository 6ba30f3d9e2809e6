//! Where `carillon up` keeps files, unless it was told.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::Context;
use carillon_blob::{BlobArgs, BlobSecret};

/// Fills in what was left open: a directory and a secret among the other data.
///
/// # Errors
/// A secret that can't be kept.
pub(crate) fn kept_in(data: &Path, args: &mut BlobArgs) -> anyhow::Result<()> {
    if args.blob_store.is_none() {
        let directory = data.join("blobs");
        let directory = directory.to_str().context("the data directory's name is not UTF-8 (--data-dir)")?;
        args.blob_store = Some(directory.to_owned());
    }
    if args.blob_secret.is_none() && args.blob_secret_file.is_none() {
        args.blob_secret = Some(secret(&data.join("blob-secret"))?);
    }
    Ok(())
}

/// The secret that an earlier start made, or a new one, which only the owner of the data can read.
fn secret(path: &Path) -> anyhow::Result<BlobSecret> {
    match BlobSecret::from_file(path) {
        Ok(secret) => return Ok(secret),
        Err(error) if !is_missing(&error) => return Err(error),
        Err(_) => {}
    }
    let text = format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>());
    // Under its name once it is whole: half a secret would stop every later start.
    let partial = path.with_extension("new");
    let _ = fs::remove_file(&partial);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial);
    file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&partial, path))
        .with_context(|| format!("keeping a secret in {}", path.display()))?;
    Ok(BlobSecret::new(text))
}

fn is_missing(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<std::io::Error>();
    error.is_some_and(|error| error.kind() == ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_secret_is_made_once_and_for_the_owners_eyes() {
        let data = tempfile::tempdir().expect("a directory");
        let secret_of = || {
            let mut args = BlobArgs::default();
            kept_in(data.path(), &mut args).expect("kept");
            assert!(args.open().expect("blobs").is_some());
            args.blob_secret.expect("a secret")
        };
        assert!(secret_of() == secret_of());
        let kept = fs::metadata(data.path().join("blob-secret")).expect("a file");
        assert_eq!(kept.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_was_configured_stays() {
        let data = tempfile::tempdir().expect("a directory");
        let mut args = BlobArgs { blob_store: Some("s3://bucket".to_owned()), ..BlobArgs::default() };
        args.blob_secret = Some(BlobSecret::new("configured"));
        kept_in(data.path(), &mut args).expect("kept");
        assert_eq!(args.blob_store.as_deref(), Some("s3://bucket"));
        assert!(args.blob_secret == Some(BlobSecret::new("configured")));
        assert!(!data.path().join("blob-secret").exists());
    }
}
