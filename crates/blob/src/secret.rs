//! The secret that grants are signed with.

use std::{fmt, fs, path::Path, sync::Arc};

use anyhow::Context;

/// Bytes that a secret has at least: as many as the signature.
pub const MIN_SECRET: usize = 32;

/// A secret shared by those who sign grants and those who verify them. Its `Debug` output says nothing
/// about it. How long it is, is judged by [`crate::Signer::new`] rather than while options are read, whose
/// error messages repeat what they could not read.
#[derive(Clone, PartialEq, Eq)]
pub struct BlobSecret(Arc<[u8]>);

impl BlobSecret {
    /// A secret from its bytes.
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Self(bytes.as_ref().into())
    }

    /// A secret from a mounted file, without the newline that ends it.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn from_file(path: &Path) -> anyhow::Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        Ok(Self::new(bytes.strip_suffix(b"\r").unwrap_or(bytes)))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for BlobSecret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for BlobSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BlobSecret(…)")
    }
}
