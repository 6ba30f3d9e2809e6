//! What only SQLite has to tell.

use std::path::PathBuf;

use sqlx::AnyConnection;
use url::Url;

use super::{Inspection, text};
use crate::StoreError;

pub(super) async fn look(
    connection: &mut AnyConnection,
    url: &Url,
    found: &mut Inspection,
) -> Result<(), StoreError> {
    found.version = text(connection, "SELECT sqlite_version()").await?;
    found.major = found.version.split('.').next().and_then(|word| word.parse().ok()).unwrap_or(0);
    found.encoding = text(connection, "SELECT encoding FROM pragma_encoding").await?;
    found.journal = Some(text(connection, "PRAGMA journal_mode").await?);
    found.file = Some(PathBuf::from(url.path()));
    Ok(())
}
