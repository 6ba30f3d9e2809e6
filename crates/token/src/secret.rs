//! A secret shared with an issuer, such as a Django `SECRET_KEY`.

use std::{env, ffi::OsString, fmt, fs, path::Path, sync::Arc};

use crate::ConfigError;

/// Shorter secrets are found by trying. Django's own are 50 characters.
const MIN_LENGTH: usize = 16;

/// An HMAC secret. Its `Debug` output says nothing about it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<[u8]>);

impl Secret {
    /// A secret from its bytes.
    ///
    /// # Errors
    /// [`ConfigError::ShortSecret`] under 16 bytes, [`ConfigError::SecretIsKey`] for a PEM or JWK.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let bytes = bytes.as_ref();
        if bytes.len() < MIN_LENGTH {
            return Err(ConfigError::ShortSecret { minimum: MIN_LENGTH, length: bytes.len() });
        }
        if is_key(bytes) {
            return Err(ConfigError::SecretIsKey);
        }
        Ok(Self(bytes.into()))
    }

    /// A secret from a mounted file, without the newline that ends it.
    ///
    /// # Errors
    /// As [`Secret::new`], or [`ConfigError::SecretFile`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let bytes = fs::read(path)
            .map_err(|source| ConfigError::SecretFile { path: path.display().to_string(), source })?;
        Self::new(without_newline(&bytes))
    }

    /// A secret from the environment: `variable` holds it, or `variable_FILE` the path of its file.
    /// `None` if neither is set, or set to nothing.
    ///
    /// # Errors
    /// As [`Secret::from_file`], or [`ConfigError::SecretVariable`] if both are set.
    pub fn from_environment(variable: &str) -> Result<Option<Self>, ConfigError> {
        Self::from_variables(variable, env::var_os(variable), env::var_os(format!("{variable}_FILE")))
    }

    fn from_variables(
        variable: &str,
        text: Option<OsString>,
        path: Option<OsString>,
    ) -> Result<Option<Self>, ConfigError> {
        let set = |value: Option<OsString>| value.filter(|value| !value.is_empty());
        match (set(text), set(path)) {
            (None, None) => Ok(None),
            (None, Some(path)) => Self::from_file(Path::new(&path)).map(Some),
            (Some(text), None) => {
                let text = text.to_str().ok_or_else(|| ConfigError::SecretVariable(variable.to_owned()))?;
                Self::new(text).map(Some)
            }
            (Some(_), Some(_)) => Err(ConfigError::SecretVariable(variable.to_owned())),
        }
    }

    /// How many bytes it has.
    #[expect(clippy::len_without_is_empty, reason = "none is empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

fn without_newline(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

fn is_key(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    text.starts_with(b"-----BEGIN ")
        || (text.starts_with(b"{") && text.windows(5).any(|word| word == b"\"kty\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_shown() {
        let secret = Secret::new("a secret that must not be seen").expect("a secret");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[test]
    fn what_can_be_guessed_or_is_public_is_refused() {
        assert!(matches!(Secret::new("123456789012345"), Err(ConfigError::ShortSecret { length: 15, .. })));
        assert!(Secret::new("1234567890123456").is_ok());
        for key in ["-----BEGIN PUBLIC KEY-----\nMIIB", "{\"kty\": \"RSA\", \"n\": \"abc\"}"] {
            assert!(matches!(Secret::new(key), Err(ConfigError::SecretIsKey)), "{key}");
        }
    }

    #[test]
    fn a_file_loses_one_newline_only() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("secret");
        for (content, expected) in [
            ("0123456789abcdef\n", "0123456789abcdef"),
            ("0123456789abcdef\r\n", "0123456789abcdef"),
            ("0123456789abcdef\n\n", "0123456789abcdef\n"),
            (" 0123456789abcdef", " 0123456789abcdef"),
        ] {
            fs::write(&path, content).expect("written");
            assert_eq!(Secret::from_file(&path).expect("a secret").as_bytes(), expected.as_bytes());
        }
        let (text, file) = (OsString::from("fedcba9876543210"), OsString::from(&path));
        let read = |text: Option<&OsString>, file: Option<&OsString>| {
            Secret::from_variables("X", text.cloned(), file.cloned())
        };
        let empty = OsString::new();
        assert_eq!(read(None, Some(&empty)).expect("no secret"), None);
        assert!(read(Some(&text), Some(&empty)).expect("a secret").is_some_and(|s| s.0.starts_with(b"fed")));
        assert!(read(None, Some(&file)).expect("a secret").is_some_and(|s| s.0.starts_with(b" 012")));
        assert!(matches!(read(Some(&text), Some(&file)), Err(ConfigError::SecretVariable(_))));
        let missing = Secret::from_file(directory.path().join("missing"));
        assert!(matches!(missing, Err(ConfigError::SecretFile { .. })));
    }
}
