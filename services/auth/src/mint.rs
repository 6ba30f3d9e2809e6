//! Tokens that an operator mints without the API, with the key of a deployment's own database: whoever can read
//! that can make any.

use std::time::Duration;

use anyhow::{Context, ensure};
use carillon_contract::ServiceName;
use carillon_service::time::microseconds;
use carillon_store::Database;

use crate::{
    keys::Keys,
    service_tokens::{self, SCOPES, ServiceToken},
    tokens,
    user_name::{UserNames, local_id},
    users,
};

/// Who is noted as the creator of such service tokens.
const CREATOR: &str = "operator";

/// Mints with the key that signs at present.
pub struct Mint {
    database: Database,
    keys: Keys,
}

impl Mint {
    /// With auth's database at this URL, which auth has opened before.
    ///
    /// # Errors
    /// A database that can't be reached, or is none of auth's.
    pub async fn open(url: &str) -> anyhow::Result<Self> {
        let database = Database::open_existing(url, ServiceName::Auth)?;
        database.ping().await.context("auth's database")?;
        let keys = Keys::open(database.clone())
            .await
            .context("auth's signing keys: has auth run on this database?")?;
        Ok(Self { database, keys })
    }

    /// A service token, which auth lists, and can revoke, as any other.
    ///
    /// # Errors
    /// Scopes that there are not, or a database that refuses.
    pub async fn service(&self, name: &str, scopes: &[String], lifetime: Duration) -> anyhow::Result<String> {
        ensure!(!scopes.is_empty(), "a service token has scopes: {}", SCOPES.join(", "));
        let unknown = scopes.iter().find(|scope| !SCOPES.contains(&scope.as_str()));
        ensure!(
            unknown.is_none(),
            "there is no scope {}: {}",
            unknown.map_or("", String::as_str),
            SCOPES.join(", ")
        );
        let token =
            ServiceToken::new(name.to_owned(), scopes.to_vec(), CREATOR.to_owned(), microseconds(lifetime));
        let mut tx = self.database.begin().await?;
        let key = self.keys.lock(&mut tx).await?;
        service_tokens::create(&mut tx, &token, key.id()).await?;
        let text = token.text(&key)?;
        tx.commit().await?;
        Ok(text)
    }

    /// An access token of one of auth's users, by id or by name. `bare_ids` is the issuer whose ids are bare.
    ///
    /// # Errors
    /// No such active user, or a database that refuses.
    pub async fn access(&self, user: &str, bare_ids: &str, lifetime: Duration) -> anyhow::Result<String> {
        let reader = self.database.reader();
        let id = match local_id(user) {
            Some(id) => id,
            None => {
                users::by_name(reader, user).await?.with_context(|| format!("auth has no user {user}"))?.id
            }
        };
        let name = UserNames::new(bare_ids).full(id);
        let holder = users::holder(reader, id, &name).await?;
        let holder = holder.with_context(|| format!("auth has no active user {user}"))?;
        let keys = self.keys.current().await?;
        Ok(tokens::of_no_login(&keys.signing, &holder, microseconds(lifetime))?)
    }

    /// Waits until what was written is written.
    pub async fn close(self) {
        self.database.close().await;
    }
}
