//! As whom a process logs in to NATS, and whom it trusts there.

use std::{fs, path::PathBuf};

use anyhow::Context;
use carillon_bus::{ClientCertificate, NatsOptions};
use clap::Args;

/// As whom to log in to NATS, and whom to trust there.
#[derive(Debug, Clone, Default, Args)]
pub struct NatsLoginArgs {
    /// The user to log in to NATS as.
    #[arg(long, env = "CARILLON_NATS_USER", value_name = "NAME")]
    pub nats_user: Option<String>,

    /// The user's password.
    #[arg(
        long,
        env = "CARILLON_NATS_PASSWORD",
        value_name = "PASSWORD",
        hide_env_values = true,
        requires = "nats_user"
    )]
    pub nats_password: Option<String>,

    /// A file whose first line is that password.
    #[arg(
        long,
        env = "CARILLON_NATS_PASSWORD_FILE",
        value_name = "FILE",
        requires = "nats_user",
        conflicts_with = "nats_password"
    )]
    pub nats_password_file: Option<PathBuf>,

    /// A NATS credentials file (JWT and seed), if the servers ask for one.
    #[arg(long, env = "CARILLON_NATS_CREDENTIALS", value_name = "FILE")]
    pub nats_credentials: Option<PathBuf>,

    /// Certificates of the authorities that NATS servers have theirs from (PEM), instead of those that this machine
    /// trusts. With this, connections are encrypted whatever the URLs say.
    #[arg(long, env = "CARILLON_NATS_CA", value_name = "FILE")]
    pub nats_ca: Option<PathBuf>,

    /// A certificate to show to NATS servers that ask for one (PEM).
    #[arg(long, env = "CARILLON_NATS_CERTIFICATE", value_name = "FILE", requires = "nats_key")]
    pub nats_certificate: Option<PathBuf>,

    /// The private key of that certificate (PEM).
    #[arg(long, env = "CARILLON_NATS_KEY", value_name = "FILE", requires = "nats_certificate")]
    pub nats_key: Option<PathBuf>,
}

impl NatsLoginArgs {
    /// The options of a process of this name, which reaches the servers at `url`.
    ///
    /// # Errors
    /// A password file that can't be read.
    pub fn options(&self, url: &str, name: &str) -> anyhow::Result<NatsOptions> {
        let mut options = NatsOptions::new(url, name);
        options.user.clone_from(&self.nats_user);
        options.password = self.password()?;
        options.credentials_file.clone_from(&self.nats_credentials);
        options.certificate_authorities.clone_from(&self.nats_ca);
        options.client_certificate = match (self.nats_certificate.clone(), self.nats_key.clone()) {
            (Some(certificate), Some(key)) => Some(ClientCertificate { certificate, key }),
            _ => None,
        };
        Ok(options)
    }

    fn password(&self) -> anyhow::Result<Option<String>> {
        let Some(file) = &self.nats_password_file else { return Ok(self.nats_password.clone()) };
        let text =
            fs::read_to_string(file).with_context(|| format!("{} (--nats-password-file)", file.display()))?;
        Ok(Some(text.lines().next().unwrap_or_default().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_first_line_of_its_file() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), "s@cret\nmore").expect("written");
        let mut login = NatsLoginArgs { nats_user: Some("chat".to_owned()), ..NatsLoginArgs::default() };
        login.nats_password_file = Some(file.path().to_owned());
        let options = login.options("nats://localhost", "chat").expect("options");
        assert_eq!((options.user.as_deref(), options.password.as_deref()), (Some("chat"), Some("s@cret")));
        login.nats_password_file = Some("/nonexistent".into());
        let error = login.options("nats://localhost", "chat").expect_err("no file").to_string();
        assert!(error.contains("/nonexistent (--nats-password-file)"), "{error}");
    }
}
