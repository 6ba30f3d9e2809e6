//! A text that no error and no log shows.

use std::{fmt, fs, path::Path, str::FromStr};

use anyhow::Context;

/// A token or a password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SecretText(String);

impl SecretText {
    /// The text of a file, without the white space around it.
    ///
    /// # Errors
    /// A file that can't be read, or is empty.
    pub(crate) fn from_file(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let text = text.trim();
        anyhow::ensure!(!text.is_empty(), "{} is empty", path.display());
        Ok(Self(text.to_owned()))
    }

    /// The text itself.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl FromStr for SecretText {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.trim().to_owned()))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretText(…)")
    }
}
