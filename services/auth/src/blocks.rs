//! Whom gateways let in no more, for a time or until it is lifted.

use carillon_contract::messages::Block as Told;
use carillon_store::{StoreError, Transaction, now};
use ipnet::IpNet;
use sqlx::{AnyPool, Row, any::AnyRow};

use crate::random::random_id;

/// Blocks in one reply to a gateway: 300 KB at the longest ids of users.
pub(crate) const PAGE: i64 = 1_000;

/// Who is blocked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A user, by the id that gateways know.
    User(String),
    /// Every address of a network.
    Network(IpNet),
}

/// A block.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) id: String,
    pub(crate) subject: Subject,
    pub(crate) reason: String,
    pub(crate) created_by: String,
    pub(crate) created_at: i64,
    pub(crate) expires_at: Option<i64>,
}

impl Subject {
    fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Network(_) => "address",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::User(user) => user.clone(),
            Self::Network(network) => network.to_string(),
        }
    }
}

impl Block {
    pub(crate) fn new(subject: Subject, reason: String, created_by: String, lifetime: Option<i64>) -> Self {
        let created_at = now();
        let expires_at = lifetime.map(|lifetime| created_at.saturating_add(lifetime));
        Self { id: random_id(), subject, reason, created_by, created_at, expires_at }
    }

    /// As gateways are told.
    pub(crate) fn told(&self) -> Told {
        let (user, network) = match &self.subject {
            Subject::User(user) => (user.clone(), String::new()),
            Subject::Network(network) => (String::new(), network.to_string()),
        };
        Told { user, network, expires_at: self.expires_at.unwrap_or_default() }
    }
}

/// Blocks somebody, or changes the block of who is blocked already: that keeps its id.
pub(crate) async fn set(tx: &mut Transaction, block: Block) -> Result<Block, StoreError> {
    let row = sqlx::query(
        "INSERT INTO block (id, kind, subject, reason, created_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (kind, subject) DO UPDATE SET
             reason = excluded.reason,
             created_by = excluded.created_by,
             created_at = excluded.created_at,
             expires_at = excluded.expires_at
         RETURNING *",
    )
    .bind(&block.id)
    .bind(block.subject.kind())
    .bind(block.subject.text())
    .bind(&block.reason)
    .bind(&block.created_by)
    .bind(block.created_at)
    .bind(block.expires_at)
    .fetch_one(tx.connection())
    .await?;
    Ok(self::block(&row)?)
}

/// Lifts a block. `None` if there is no such one.
pub(crate) async fn lift(tx: &mut Transaction, id: &str) -> Result<Option<Block>, StoreError> {
    let row = sqlx::query("DELETE FROM block WHERE id = $1 RETURNING *")
        .bind(id)
        .fetch_optional(tx.connection())
        .await?;
    Ok(row.map(|row| block(&row)).transpose()?)
}

/// Blocks in force, in the order of their ids, from the one after `after`.
pub(crate) async fn page(reader: &AnyPool, after: &str, limit: i64) -> Result<Vec<Block>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM block
         WHERE id > $1 AND (expires_at IS NULL OR expires_at > $2) ORDER BY id LIMIT $3",
    )
    .bind(after)
    .bind(now())
    .bind(limit)
    .fetch_all(reader)
    .await?;
    Ok(rows.iter().map(block).collect::<sqlx::Result<_>>()?)
}

/// Removes those that have expired. Gateways see that themselves.
pub(crate) async fn prune(tx: &mut Transaction) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM block WHERE expires_at < $1").bind(now()).execute(tx.connection()).await?;
    Ok(())
}

fn block(row: &AnyRow) -> sqlx::Result<Block> {
    let (kind, subject): (String, String) = (row.try_get("kind")?, row.try_get("subject")?);
    let subject = match kind.as_str() {
        "user" => Subject::User(subject),
        _ => Subject::Network(subject.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?),
    };
    Ok(Block {
        id: row.try_get("id")?,
        subject,
        reason: row.try_get("reason")?,
        created_by: row.try_get("created_by")?,
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
    })
}
