//! The keys that sign tokens: in the database, shared by all replicas.

use std::sync::{Arc, PoisonError, RwLock};

use carillon_service::http::Problem;
use carillon_store::{Database, StoreError, Transaction, now};
use carillon_token::{CARILLON, ConfigError, Issuer, KeyHook, Options, SigningError, SigningKey, Verifier};
use sqlx::{AnyPool, Row};

use crate::{counter::Counter, effects::Effects, lifetimes::Lifetimes};

/// The keys as they were when this replica last found them changed.
pub(crate) struct Keys {
    database: Database,
    verifier: Verifier,
    held: RwLock<Option<Arc<Held>>>,
}

/// One state of the keys.
pub(crate) struct Held {
    generation: i64,
    /// The key that signs.
    pub(crate) signing: SigningKey,
    /// The public keys of all tokens that may still be valid, as a JSON Web Key Set.
    pub(crate) jwks: String,
}

/// Why there is no key to sign or verify with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Signing(#[from] SigningError),
    #[error(transparent)]
    Verifier(#[from] ConfigError),
    #[error("there is no signing key")]
    None,
}

impl Keys {
    /// The keys of this database; the first replica of all makes the first one.
    pub(crate) async fn open(database: Database) -> Result<Self, KeyError> {
        let mut tx = database.begin().await?;
        Counter::Keys.lock(&database, &mut tx).await?;
        if newest(&mut tx).await?.is_none() {
            insert(&mut tx).await?;
            tracing::info!("the first signing key was made");
        }
        tx.commit().await?;
        let asked = database.clone();
        let hook = KeyHook::new(move || {
            let database = asked.clone();
            async move { public_keys(database.reader()).await }
        });
        // In a token of ours the id is bare, whatever other services call the user.
        let verifier = Verifier::new(vec![Issuer::carillon(hook).bare_ids()], Options::default())?;
        Ok(Self { database, verifier, held: RwLock::default() })
    }

    /// The keys as they are now, whichever replica changed them: one look at their generation.
    pub(crate) async fn current(&self) -> Result<Arc<Held>, KeyError> {
        let generation = Counter::Keys.read(&self.database).await?;
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(held) = held.filter(|held| held.generation == generation) {
            return Ok(held);
        }
        let held = Arc::new(load(self.database.reader(), generation).await?);
        self.verifier.set_keys(CARILLON, &held.jwks)?;
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(held.clone());
        Ok(held)
    }

    /// A verifier that knows the keys as they are now.
    pub(crate) async fn verifier(&self) -> Result<&Verifier, KeyError> {
        self.current().await?;
        Ok(&self.verifier)
    }

    /// Makes a new key the one that signs. The old one is kept until its last token has expired.
    pub(crate) async fn rotate(
        &self,
        tx: &mut Transaction,
        lifetimes: &Lifetimes,
        effects: &mut Effects,
    ) -> Result<SigningKey, KeyError> {
        Counter::Keys.lock(&self.database, tx).await?;
        if let Some(old) = newest(tx).await? {
            retire(tx, &old, lifetimes.kept_until(now())).await?;
        }
        let key = insert(tx).await?;
        effects.keys_changed();
        Ok(key)
    }

    /// The key that signs, which is not retired before this transaction ends.
    pub(crate) async fn lock(&self, tx: &mut Transaction) -> Result<SigningKey, KeyError> {
        Counter::Keys.lock(&self.database, tx).await?;
        let row = sqlx::query("SELECT private_key FROM signing_key ORDER BY number DESC LIMIT 1")
            .fetch_optional(tx.connection())
            .await
            .map_err(StoreError::from)?
            .ok_or(KeyError::None)?;
        let pem: String = row.try_get("private_key").map_err(StoreError::from)?;
        Ok(SigningKey::from_pem(&pem)?)
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Store(error) => error.into(),
            error => {
                tracing::error!(%error, "the keys can't be used");
                Self::internal()
            }
        }
    }
}

/// Removes keys whose last token has expired.
pub(crate) async fn prune(tx: &mut Transaction, database: &Database) -> Result<(), StoreError> {
    Counter::Keys.lock(database, tx).await?;
    let done = sqlx::query("DELETE FROM signing_key WHERE forget_at < $1")
        .bind(now())
        .execute(tx.connection())
        .await?;
    if done.rows_affected() > 0 {
        Counter::Keys.next(tx).await?;
    }
    Ok(())
}

async fn load(reader: &AnyPool, generation: i64) -> Result<Held, KeyError> {
    let row = sqlx::query("SELECT private_key FROM signing_key ORDER BY number DESC LIMIT 1")
        .fetch_optional(reader)
        .await
        .map_err(StoreError::from)?
        .ok_or(KeyError::None)?;
    let pem: String = row.try_get("private_key").map_err(StoreError::from)?;
    let jwks = public_keys(reader).await?;
    Ok(Held { generation, signing: SigningKey::from_pem(&pem)?, jwks })
}

/// The JSON Web Key Set, newest key first.
async fn public_keys(reader: &AnyPool) -> Result<String, StoreError> {
    let rows = sqlx::query(
        "SELECT public_key FROM signing_key WHERE forget_at IS NULL OR forget_at > $1 ORDER BY number DESC",
    )
    .bind(now())
    .fetch_all(reader)
    .await?;
    let keys: Vec<String> = rows.iter().map(|row| row.try_get("public_key")).collect::<sqlx::Result<_>>()?;
    Ok(format!("{{\"keys\":[{}]}}", keys.join(",")))
}

async fn newest(tx: &mut Transaction) -> Result<Option<String>, StoreError> {
    let row = sqlx::query("SELECT kid FROM signing_key ORDER BY number DESC LIMIT 1")
        .fetch_optional(tx.connection())
        .await?;
    Ok(row.map(|row| row.try_get("kid")).transpose()?)
}

async fn insert(tx: &mut Transaction) -> Result<SigningKey, KeyError> {
    let key = SigningKey::generate()?;
    let number = Counter::Keys.next(tx).await?;
    sqlx::query(
        "INSERT INTO signing_key (kid, number, private_key, public_key, created_at)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(key.id())
    .bind(number)
    .bind(key.to_pem())
    .bind(key.public_jwk().to_string())
    .bind(now())
    .execute(tx.connection())
    .await
    .map_err(StoreError::from)?;
    Ok(key)
}

/// A service token lasts longer than logins do, so it may be what keeps its key.
async fn retire(tx: &mut Transaction, kid: &str, forget_at: i64) -> Result<(), StoreError> {
    let row = sqlx::query("SELECT MAX(expires_at) AS last FROM service_token WHERE kid = $1")
        .bind(kid)
        .fetch_one(tx.connection())
        .await?;
    let last: Option<i64> = row.try_get("last")?;
    sqlx::query("UPDATE signing_key SET forget_at = $2 WHERE kid = $1")
        .bind(kid)
        .bind(last.unwrap_or_default().max(forget_at))
        .execute(tx.connection())
        .await?;
    Ok(())
}
