//! Where blobs are kept: a directory, or a bucket by its URL.

use std::{env, path::PathBuf, sync::Arc};

use anyhow::Context;
use object_store::{ObjectStore, local::LocalFileSystem};
use url::Url;

/// Bytes that are written to a disk at a time.
const FILE_PART: usize = 256 * 1024;

/// Bytes that are sent to a bucket at a time: S3 takes no smaller part, but the last.
const BUCKET_PART: usize = 5 * 1024 * 1024;

/// A store, and how it likes to be written to.
pub(crate) struct Location {
    pub(crate) store: Arc<dyn ObjectStore>,
    /// How much is written at a time.
    pub(crate) part: usize,
    /// The directory, if it is one.
    pub(crate) directory: Option<PathBuf>,
}

impl Location {
    /// Opens a directory (`DIRECTORY`, `file:///DIRECTORY`), made if it isn't there, or a bucket
    /// (`s3://`, `gs://`, `az://`).
    ///
    /// # Errors
    /// A directory that can't be made, or a URL of another kind.
    pub(crate) fn open(location: &str) -> anyhow::Result<Self> {
        if !location.contains("://") {
            return Self::directory(location.into());
        }
        let url = Url::parse(location).context("not a URL")?;
        match url.scheme() {
            "file" => match url.to_file_path() {
                Ok(directory) => Self::directory(directory),
                Err(()) => anyhow::bail!("a file URL needs an absolute path: file:///DIRECTORY"),
            },
            "s3" | "gs" | "az" => Self::bucket(&url),
            scheme => anyhow::bail!("{scheme}:// is none of file://, s3://, gs:// and az://"),
        }
    }

    fn directory(directory: PathBuf) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&directory).with_context(|| format!("making {}", directory.display()))?;
        // What was stored is there after a power failure: an upload is acknowledged like anything else.
        let store = LocalFileSystem::new_with_prefix(&directory)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), part: FILE_PART, directory: Some(directory) })
    }

    fn bucket(url: &Url) -> anyhow::Result<Self> {
        // Credentials, regions and endpoints come from the environment, by the names that the provider's
        // own tools have.
        const PREFIXES: [&str; 3] = ["AWS_", "GOOGLE_", "AZURE_"];
        let texts = env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let environment = texts.filter(|(name, _)| PREFIXES.iter().any(|prefix| name.starts_with(prefix)));
        // S3 has no copy that refuses to overwrite, but a multipart one has.
        let options = [("aws_copy_if_not_exists".to_owned(), "multipart".to_owned())];
        let (store, path) = object_store::parse_url_opts(url, options.into_iter().chain(environment))?;
        let store = Arc::new(object_store::prefix::PrefixStore::new(store, path));
        Ok(Self { store, part: BUCKET_PART, directory: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_opened_by_their_url() {
        for url in ["s3://bucket", "s3://bucket/some/prefix", "gs://bucket/prefix"] {
            let location = Location::open(url).unwrap_or_else(|error| panic!("{url}: {error:#}"));
            assert_eq!((location.part, location.directory), (BUCKET_PART, None));
        }
        for wrong in ["ftp://host/x", "s3://", "file://relative/path", "http://host"] {
            assert!(Location::open(wrong).is_err(), "{wrong}");
        }
    }
}
