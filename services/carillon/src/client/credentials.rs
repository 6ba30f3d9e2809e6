//! Who asks.

use std::path::PathBuf;

use anyhow::Context;
use reqwest::Method;
use serde_json::json;

use super::{Address, Api, SecretText};

/// The password of the demo's users, which everyone knows.
const DEMO_PASSWORD: &str = "carillon";

/// As whom a command asks: with a token, or with a login of auth's. Without either it is anonymous.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct CredentialArgs {
    /// The token to ask with. In the environment it is in no list of processes.
    #[arg(long, env = "CARILLON_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub(crate) token: Option<SecretText>,

    /// A file that holds the token.
    #[arg(long, env = "CARILLON_TOKEN_FILE", value_name = "FILE", conflicts_with = "token")]
    pub(crate) token_file: Option<PathBuf>,

    /// Log in as this user first. The password is in the environment variable CARILLON_PASSWORD or in a
    /// file; on this machine it is the demo's if neither is there.
    #[arg(long, env = "CARILLON_LOGIN", value_name = "NAME", conflicts_with_all = ["token", "token_file"])]
    pub(crate) login: Option<String>,

    /// A file that holds the password.
    #[arg(long, env = "CARILLON_PASSWORD_FILE", value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}

impl CredentialArgs {
    /// The token to ask with, if any.
    ///
    /// # Errors
    /// A file that can't be read, or a login that is refused.
    pub(crate) async fn token(&self, address: &Address) -> anyhow::Result<Option<SecretText>> {
        match (&self.token, &self.token_file, &self.login) {
            (Some(token), ..) => Ok(Some(token.clone()).filter(|token| !token.as_str().is_empty())),
            (None, Some(file), _) => SecretText::from_file(file).context("--token-file").map(Some),
            (None, None, Some(name)) => log_in(address, name, &self.password(address)?).await.map(Some),
            (None, None, None) => Ok(None),
        }
    }

    fn password(&self, address: &Address) -> anyhow::Result<SecretText> {
        if let Some(file) = &self.password_file {
            return SecretText::from_file(file).context("--password-file");
        }
        match std::env::var("CARILLON_PASSWORD") {
            Ok(password) => Ok(password.into()),
            Err(_) if address.is_loopback() => Ok(DEMO_PASSWORD.to_owned().into()),
            Err(_) => {
                anyhow::bail!("--login needs a password: set CARILLON_PASSWORD, or say --password-file")
            }
        }
    }
}

/// A token of auth's for this user.
///
/// # Errors
/// A login that is refused.
pub(crate) async fn log_in(
    address: &Address,
    name: &str,
    password: &SecretText,
) -> anyhow::Result<SecretText> {
    let body = json!({"username": name, "password": password.as_str()});
    let reply = Api::new(address, None)?.call(Method::POST, "/api/auth/token/", Some(&body), None).await;
    let reply = reply.with_context(|| format!("logging in as {name}"))?;
    let token = reply["access"].as_str().context("the answer to the login has no token")?;
    Ok(token.to_owned().into())
}
