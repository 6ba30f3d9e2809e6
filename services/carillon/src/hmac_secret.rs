//! The secret of HMAC tokens, where a command makes some.

use std::path::PathBuf;

use anyhow::Context;
use carillon_token::{ConfigError, Secret};

/// Where it is: the names are those of gateways.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct HmacSecretArgs {
    /// The secret of HMAC tokens, such as Django's SECRET_KEY, as gateways have it.
    #[arg(
        long,
        env = "CARILLON_JWT_SECRET",
        value_name = "SECRET",
        hide_env_values = true,
        value_parser = secret,
        conflicts_with = "jwt_secret_file"
    )]
    jwt_secret: Option<Secret>,

    /// A file that holds that secret.
    #[arg(long, env = "CARILLON_JWT_SECRET_FILE", value_name = "FILE")]
    jwt_secret_file: Option<PathBuf>,
}

impl HmacSecretArgs {
    /// The secret, if there is one.
    ///
    /// # Errors
    /// A file that can't be read, or holds none.
    pub(crate) fn read(&self) -> anyhow::Result<Option<Secret>> {
        match (&self.jwt_secret, &self.jwt_secret_file) {
            (Some(secret), _) => Ok(Some(secret.clone())),
            (None, Some(file)) => Secret::from_file(file).context("--jwt-secret-file").map(Some),
            (None, None) => Ok(None),
        }
    }
}

fn secret(text: &str) -> Result<Secret, ConfigError> {
    Secret::new(text)
}
