//! How to reach NATS.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use async_nats::{
    ConnectOptions, ServerAddr,
    rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use percent_encoding::percent_decode_str;

use crate::{ConnectError, Limits};

/// A dead link is noticed when two pings in a row have no answer.
const PING: Duration = Duration::from_secs(5);

/// How long one attempt to connect may take.
const CONNECT: Duration = Duration::from_secs(3);

/// The longest pause between two attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The pause before the second attempt to connect; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Where NATS is, and as whom to connect.
#[derive(Clone)]
pub struct NatsOptions {
    /// Addresses (`nats://host:4222`, `tls://host:4222`), separated by commas. A user and
    /// password, or a token in the user's place, may stand in them; so they are secret.
    pub servers: String,
    /// The name of the service, which NATS shows its operators. Replies arrive below
    /// `_INBOX_<name>.`, so that NATS accounts can separate services.
    pub name: String,
    /// The user to connect as.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<String>,
    /// A token to connect with.
    pub token: Option<String>,
    /// A credentials file (JWT and seed).
    pub credentials_file: Option<PathBuf>,
    /// Certificates of authorities to trust instead of the system's (PEM). With these the connection is by TLS,
    /// whatever the addresses say.
    pub certificate_authorities: Option<PathBuf>,
    /// The certificate to show to servers that ask for one, for TLS.
    pub client_certificate: Option<ClientCertificate>,
    /// The bounds of the bus.
    pub limits: Limits,
}

/// A certificate of one's own, and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The file of the certificate, with those that lead to its authority (PEM).
    pub certificate: PathBuf,
    /// The file of its private key (PEM).
    pub key: PathBuf,
}

impl NatsOptions {
    /// Options without credentials.
    pub fn new(servers: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            servers: servers.into(),
            name: name.into(),
            user: None,
            password: None,
            token: None,
            credentials_file: None,
            certificate_authorities: None,
            client_certificate: None,
            limits: Limits::default(),
        }
    }

    /// Where replies arrive.
    pub(super) fn inbox_prefix(&self) -> Result<String, ConnectError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if self.name.is_empty() || !self.name.bytes().all(plain) {
            return Err(ConnectError::Invalid(format!("{:?} is no name for a service", self.name)));
        }
        Ok(carillon_contract::inbox(&self.name))
    }

    /// The servers, and everything that the client has to know about them.
    pub(super) async fn client_options(&self) -> Result<(Vec<ServerAddr>, ConnectOptions), ConnectError> {
        let mut options = ConnectOptions::new()
            .name(&self.name)
            .ping_interval(PING)
            .connection_timeout(CONNECT)
            .subscription_capacity(self.limits.queue)
            .max_reconnects(None)
            .reconnect_delay_callback(pause)
            // Subjects are valid by their type.
            .skip_subject_validation(true);
        let mut servers = Vec::new();
        for text in self.servers.split(',').map(str::trim).filter(|text| !text.is_empty()) {
            let (server, login) = parse(text)?;
            options = login.apply(options);
            servers.push(server);
        }
        if servers.is_empty() {
            return Err(ConnectError::Invalid("no address of a NATS server".to_owned()));
        }
        Ok((servers, self.log_in(self.encrypt(options)?).await?))
    }

    /// The files are read for each connection, so that renewed ones count. What can't be read now is told now.
    fn encrypt(&self, mut options: ConnectOptions) -> Result<ConnectOptions, ConnectError> {
        if let Some(file) = &self.certificate_authorities {
            certificates_in(file)?;
            options = options.add_root_certificates(file.clone()).require_tls(true);
        }
        if let Some(ClientCertificate { certificate, key }) = &self.client_certificate {
            certificates_in(certificate)?;
            PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, &error))?;
            options = options.add_client_certificate(certificate.clone(), key.clone()).require_tls(true);
        }
        Ok(options)
    }

    async fn log_in(&self, options: ConnectOptions) -> Result<ConnectOptions, ConnectError> {
        let login = match (&self.user, &self.token) {
            (Some(user), _) => Login::User(user.clone(), self.password.clone().unwrap_or_default()),
            (None, Some(token)) => Login::Token(token.clone()),
            (None, None) => Login::Nobody,
        };
        let options = login.apply(options);
        let Some(file) = &self.credentials_file else { return Ok(options) };
        let text = tokio::fs::read_to_string(file).await.map_err(ConnectError::Credentials)?;
        options.credentials(&text).map_err(ConnectError::Credentials)
    }
}

impl fmt::Debug for NatsOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Everything else is secret, or may hold a secret.
        formatter
            .debug_struct("NatsOptions")
            .field("name", &self.name)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

enum Login {
    Nobody,
    User(String, String),
    Token(String),
}

impl Login {
    fn apply(self, options: ConnectOptions) -> ConnectOptions {
        match self {
            Self::Nobody => options,
            Self::User(user, password) => options.user_and_password(user, password),
            Self::Token(token) => options.token(token),
        }
    }
}

/// Takes the login out of an address: the client would ignore it there, and log it.
fn parse(text: &str) -> Result<(ServerAddr, Login), ConnectError> {
    // The text stays out of the error, since it may hold a password.
    let invalid = || ConnectError::Invalid("an address of a NATS server cannot be read".to_owned());
    let server: ServerAddr = text.parse().map_err(|_| invalid())?;
    let login = match (server.username(), server.password()) {
        (None, _) => Login::Nobody,
        (Some(token), None) => Login::Token(decode(token)),
        (Some(user), Some(password)) => Login::User(decode(user), decode(password)),
    };
    let mut url = server.into_inner();
    url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| invalid())?;
    Ok((ServerAddr::from_url(url).map_err(|_| invalid())?, login))
}

fn certificates_in(file: &Path) -> Result<(), ConnectError> {
    let found: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match found.map_err(|error| unreadable(file, &error))?.is_empty() {
        true => Err(ConnectError::Invalid(format!("{}: it holds no certificate (PEM)", file.display()))),
        false => Ok(()),
    }
}

fn unreadable(file: &Path, error: &dyn fmt::Display) -> ConnectError {
    ConnectError::Invalid(format!("{}: {error}", file.display()))
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The pause before an attempt to connect, at random so that not all processes come at once.
fn pause(attempt: usize) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(u32::MAX).min(10);
    let longest = (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE);
    longest.mul_f64(rand::random_range(0.5..1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_second() {
        assert!(pause(1) <= FIRST_PAUSE);
        for attempt in [6, 100, usize::MAX] {
            assert!((LONGEST_PAUSE / 2..=LONGEST_PAUSE).contains(&pause(attempt)));
        }
    }

    #[test]
    fn a_login_is_taken_out_of_an_address() {
        let (server, login) = parse("nats://me:s%40cret@example.com:4333").expect("an address");
        assert_eq!(server.as_url_str(), "nats://example.com:4333");
        assert!(matches!(login, Login::User(user, password) if user == "me" && password == "s@cret"));
        let (_, login) = parse("tls://token@example.com").expect("an address");
        assert!(matches!(login, Login::Token(token) if token == "token"));
        let (server, login) = parse("localhost").expect("an address");
        assert_eq!((server.host(), server.port()), ("localhost", 4222));
        assert!(matches!(login, Login::Nobody));
    }

    #[tokio::test]
    async fn what_cannot_work_is_refused_without_showing_it() {
        for servers in ["", "http://me:secret@example.com", "nats://me:secret@:x"] {
            let error = NatsOptions::new(servers, "test").client_options().await.expect_err("an error");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        assert!(NatsOptions::new("localhost", "a.b").inbox_prefix().is_err());
        let mut options = NatsOptions::new("localhost", "test");
        options.credentials_file = Some("/nonexistent".into());
        assert!(matches!(options.client_options().await, Err(ConnectError::Credentials(_))));
        let no_certificate = tempfile::NamedTempFile::new().expect("a file");
        for file in [no_certificate.path(), Path::new("/nonexistent")] {
            let mut options = NatsOptions::new("tls://localhost", "test");
            options.certificate_authorities = Some(file.into());
            let error = options.client_options().await.expect_err("an error").to_string();
            assert!(error.contains(&file.display().to_string()), "{error}");
        }
    }
}
