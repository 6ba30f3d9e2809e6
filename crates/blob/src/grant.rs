//! The permission to move one blob once, in one direction.

use std::{fmt, str::FromStr, time::Duration};

use url::form_urlencoded;

use crate::{Denied, Key};

/// Where the door to blobs is.
pub const PATH: &str = "/blobs/";

/// How long an address to upload to works, where its owner has no other wish.
pub const UPLOAD: Duration = Duration::from_secs(15 * 60);

/// How long an address to download from works, where its owner has no other wish.
pub const DOWNLOAD: Duration = Duration::from_secs(5 * 60);

/// What a grant is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Storing a blob: `PUT`.
    Upload,
    /// Reading a blob: `GET` and `HEAD`.
    Download,
}

impl Operation {
    /// Its name in addresses and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Download => "download",
        }
    }
}

impl FromStr for Operation {
    type Err = Denied;

    fn from_str(text: &str) -> Result<Self, Denied> {
        let all = [Self::Upload, Self::Download];
        all.into_iter().find(|operation| operation.as_str() == text).ok_or(Denied::Malformed)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Someone may do one thing with one blob, until then. [`crate::Signer`] makes an address of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What they may do.
    pub operation: Operation,
    /// With which blob.
    pub key: Key,
    /// How large the blob is, in bytes: exactly.
    pub size: u64,
    /// What the blob is, as `image/png`.
    pub content_type: String,
    /// What the file is called on its way down.
    pub name: String,
    /// Who asked for the address.
    pub user: String,
    /// Until when, in seconds since 1970.
    pub expires_at: i64,
}

impl Grant {
    /// What is signed. Each field comes after its length, so that no two grants have the same text.
    pub(crate) fn canonical(&self) -> String {
        let Self { operation, key, size, content_type, name, user, expires_at } = self;
        let (size, expires_at) = (size.to_string(), expires_at.to_string());
        let fields = [operation.as_str(), key.as_str(), &size, content_type, name, user, &expires_at];
        let fields = fields.iter().map(|field| format!("\n{}:{field}", field.len()));
        std::iter::once("carillon blob 1".to_owned()).chain(fields).collect()
    }

    /// The path and query of its address.
    pub(crate) fn address(&self, signature: &str) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("operation", self.operation.as_str())
            .append_pair("size", &self.size.to_string())
            .append_pair("type", &self.content_type)
            .append_pair("name", &self.name)
            .append_pair("user", &self.user)
            .append_pair("expires", &self.expires_at.to_string())
            .append_pair("signature", signature)
            .finish();
        format!("{PATH}{}?{query}", self.key)
    }

    /// What an address says, and its signature. Nothing is believed yet.
    pub(crate) fn read(key: &str, query: &str) -> Result<(Self, String), Denied> {
        let field = |name| only(query, name);
        let grant = Self {
            operation: field("operation")?.parse()?,
            key: key.parse().map_err(|_| Denied::Malformed)?,
            size: number(&field("size")?)?,
            content_type: field("type")?,
            name: field("name")?,
            user: field("user")?,
            expires_at: number(&field("expires")?)?,
        };
        Ok((grant, field("signature")?))
    }
}

/// A value of the query that is there once.
fn only(query: &str, name: &str) -> Result<String, Denied> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let mut values = pairs.filter(|(found, _)| found == name).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value.into_owned()),
        _ => Err(Denied::Malformed),
    }
}

fn number<T: FromStr>(text: &str) -> Result<T, Denied> {
    text.parse().map_err(|_| Denied::Malformed)
}
