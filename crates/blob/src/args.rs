//! The options of whoever signs grants or honours them.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::{BlobSecret, BlobStore, Signer};

/// Where files are kept, and what their addresses are signed with. The gateways and the services that have
/// files need the same.
#[derive(Debug, Clone, Default, Args)]
pub struct BlobArgs {
    /// Where files are kept: a directory, or s3://, gs:// or az:// with a bucket. With more than one replica
    /// it must be one that all of them share. Without this there are no files.
    #[arg(long, env = "CARILLON_BLOB_STORE", value_name = "LOCATION")]
    pub blob_store: Option<String>,

    /// Secret of at least 32 bytes that the addresses of files are signed with.
    #[arg(
        long,
        env = "CARILLON_BLOB_SECRET",
        value_name = "SECRET",
        hide_env_values = true,
        conflicts_with = "blob_secret_file"
    )]
    pub blob_secret: Option<BlobSecret>,

    /// A file that holds that secret.
    #[arg(long, env = "CARILLON_BLOB_SECRET_FILE", value_name = "FILE")]
    pub blob_secret_file: Option<PathBuf>,
}

/// Where files are kept, and who signs their addresses.
#[derive(Debug, Clone)]
pub struct Blobs {
    /// Where they are kept.
    pub store: BlobStore,
    /// Who signs their addresses.
    pub signer: Signer,
}

impl BlobArgs {
    /// What these options say; `None` if there are to be no files.
    ///
    /// # Errors
    /// A store that can't be opened, or a secret that is missing or too short.
    pub fn open(&self) -> anyhow::Result<Option<Blobs>> {
        let Some(location) = &self.blob_store else { return Ok(None) };
        let secret = match (&self.blob_secret, &self.blob_secret_file) {
            (Some(secret), _) => secret.clone(),
            (None, Some(file)) => BlobSecret::from_file(file).context("--blob-secret-file")?,
            (None, None) => anyhow::bail!("--blob-store needs a secret (--blob-secret)"),
        };
        let signer = Signer::new(&secret).context("--blob-secret")?;
        let store = BlobStore::open(location).context("--blob-store")?;
        Ok(Some(Blobs { store, signer }))
    }
}
