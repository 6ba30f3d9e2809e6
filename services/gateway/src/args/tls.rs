//! Options of TLS.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::bail;
use clap::Args;

use crate::tls::{Certificate, Files, Reload};

/// With what the gateway speaks TLS itself (S4-09).
#[derive(Debug, Clone, Default, Args)]
#[group(id = "gateway-tls")]
pub struct TlsArgs {
    /// A certificate in PEM, its issuers' behind it: `--listen` then speaks TLS, 1.2 or 1.3. Another one is used as soon
    /// as it is in the files.
    #[arg(long, env = "CARILLON_TLS_CERTIFICATE", value_name = "FILE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,

    /// Its private key in PEM, without a password.
    #[arg(long, env = "CARILLON_TLS_KEY", value_name = "FILE", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,

    /// Address and port for TLS, beside `--listen`, which then speaks none.
    #[arg(long, env = "CARILLON_TLS_LISTEN", value_name = "ADDRESS", requires = "tls_certificate")]
    pub tls_listen: Option<SocketAddr>,
}

impl TlsArgs {
    /// Whether the address and port of `--listen` speak TLS.
    pub fn is_everywhere(&self) -> bool {
        self.tls_certificate.is_some() && self.tls_listen.is_none()
    }

    /// The certificate that a gateway would start with, if it speaks TLS.
    ///
    /// # Errors
    /// Files that can't be used.
    pub fn certificate(&self) -> anyhow::Result<Option<Certificate>> {
        Ok(self.load()?.map(|(_, certificate)| certificate))
    }

    pub(crate) fn load(&self) -> anyhow::Result<Option<(Reload, Certificate)>> {
        self.files()?.map(Reload::first).transpose()
    }

    /// Where the certificate is, if there is one.
    ///
    /// # Errors
    /// Half of what is needed.
    pub(crate) fn files(&self) -> anyhow::Result<Option<Files>> {
        match (&self.tls_certificate, &self.tls_key) {
            (Some(certificate), Some(key)) => {
                Ok(Some(Files { certificate: certificate.clone(), key: key.clone() }))
            }
            (None, None) if self.tls_listen.is_none() => Ok(None),
            _ => bail!("--tls-certificate and --tls-key go together, and --tls-listen with them"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use carillon_testkit::Authority;
    use clap::Parser;
    use tempfile::TempDir;

    use super::*;

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        tls: TlsArgs,
    }

    fn parsed(options: &[&str]) -> Result<TlsArgs, clap::Error> {
        CommandLine::try_parse_from([&["gateway"], options].concat()).map(|line| line.tls)
    }

    #[test]
    fn certificate_and_key_go_together() {
        let (certificate, key) = (["--tls-certificate", "a"], ["--tls-key", "b"]);
        let listen = ["--tls-listen", "127.0.0.1:8443"];
        for half in [&certificate[..], &key, &listen, &[listen, key].concat()] {
            assert!(parsed(half).is_err(), "{half:?}");
        }
        let both = parsed(&[certificate, key].concat()).expect("options");
        assert!(both.is_everywhere() && both.files().is_ok_and(|files| files.is_some()));
        let beside = parsed(&[certificate, key, listen].concat()).expect("options");
        assert!(!beside.is_everywhere());
        assert!(parsed(&[]).is_ok_and(|none| none.files().is_ok_and(|files| files.is_none())));
    }

    #[test]
    fn s4_09_files_that_can_not_be_used_are_said_by_name() {
        let (directory, authority) =
            (TempDir::new().expect("a directory"), Authority::new().expect("an authority"));
        let [certificate, key] = authority
            .issue("gateway.test", 30)
            .expect("a certificate")
            .write(directory.path())
            .expect("files");
        let other = authority.issue("gateway.test", 30).expect("a certificate").key;
        let told = |certificate: &str, key: &str| {
            let options = ["--tls-certificate", certificate, "--tls-key", key];
            parsed(&options).expect("options").certificate().map_err(|error| format!("{error:#}"))
        };
        let [certificate, key] = [certificate, key].map(|path| path.display().to_string());
        assert!(told(&certificate, &key).is_ok_and(|found| found.is_some()));
        for (from, to, what) in [
            ("/nowhere/tls.crt", &*key, "reading /nowhere/tls.crt (--tls-certificate): No such file"),
            (&*certificate, "/nowhere/tls.key", "reading /nowhere/tls.key (--tls-key): No such file"),
            (&key, &key, "(--tls-certificate): there is no certificate in PEM"),
            (&certificate, &certificate, "(--tls-key): there is no private key in PEM"),
        ] {
            let error = told(from, to).expect_err("a reason");
            assert!(error.contains(what), "{error}");
        }
        fs::write(&key, other).expect("written");
        let error = told(&certificate, &key).expect_err("a reason");
        assert!(error.contains("don't make a pair") && error.contains("KeyMismatch"), "{error}");
    }
}
