//! Where the services' data is: a directory of `carillon up`, or databases of a cluster.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

use anyhow::Context;
use carillon_contract::ServiceName;

use crate::migrations::service_named;

/// Where every service's database is.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct DatabasesArgs {
    /// The database of all services.
    #[arg(
        long,
        env = "CARILLON_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true,
        help_heading = "A cluster"
    )]
    pub(crate) database_url: Option<String>,

    /// The database of one service, as chat=postgres://…, where they have several.
    #[arg(
        long = "database",
        value_name = "SERVICE=URL",
        value_parser = database,
        hide_env_values = true,
        help_heading = "A cluster"
    )]
    pub(crate) databases: Vec<(ServiceName, String)>,

    /// Where `carillon up` keeps its data.
    #[arg(long, env = "CARILLON_DATA_DIR", value_name = "DIRECTORY", help_heading = "One process")]
    pub(crate) data_dir: Option<PathBuf>,
}

impl DatabasesArgs {
    /// The database of a service, if one is named.
    pub(crate) fn of(&self, service: ServiceName) -> Option<String> {
        let own = self.databases.iter().find(|(of, _)| *of == service).map(|(_, url)| url.clone());
        let in_directory = || Some(database_in(self.data_dir.as_deref()?, service.as_str()));
        own.or_else(|| self.database_url.clone()).or_else(in_directory)
    }
}

/// The database of a service of `carillon up`: a file of its own.
pub(crate) fn database_in(directory: &Path, service: &str) -> String {
    format!("sqlite:{}", directory.join(service).with_extension("db").display())
}

/// Takes a data directory for as long as the file is held: two processes on one would not hear each other's events.
///
/// # Errors
/// A directory that isn't there, or that another process has.
pub(crate) fn lock(directory: &Path) -> anyhow::Result<File> {
    let path = directory.join("lock");
    let file = File::create(&path).with_context(|| format!("making {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            anyhow::bail!("another carillon uses {} (--data-dir)", directory.display())
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("locking {}", path.display())),
    }
}

fn database(text: &str) -> Result<(ServiceName, String), String> {
    let (name, url) = text.split_once('=').ok_or("a service's database is said as SERVICE=URL")?;
    Ok((service_named(name)?, url.to_owned()))
}
