//! A certificate of an authority of its own, for the loopback interface.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio_rustls::rustls::ClientConfig;

use crate::authority::Authority;

/// How long it is valid, in days.
const DAYS: u64 = 30;

/// Files of a certificate and its key, and whom to trust to believe it.
#[derive(Debug)]
pub(super) struct Certificate {
    pub(super) file: PathBuf,
    pub(super) key: PathBuf,
    authority: Authority,
}

impl Certificate {
    /// Makes one, in files of this directory.
    pub(super) fn create(directory: &Path) -> anyhow::Result<Self> {
        let authority = Authority::new()?;
        let [file, key] = authority.issue("nginx.test", DAYS)?.write(directory)?;
        Ok(Self { file, key, authority })
    }

    /// A client that believes this authority, and no other.
    pub(super) fn trust(&self) -> anyhow::Result<Arc<ClientConfig>> {
        self.authority.trust()
    }
}
