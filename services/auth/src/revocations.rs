//! What is void before its time: tokens, logins, and all that a user held at some moment.

use carillon_contract::messages::{AccessReply, TokenRevoked, UserRevoked};
use carillon_store::{StoreError, Transaction, now};
use sqlx::{AnyPool, Row};

use crate::{
    blocks::{self, Block},
    lifetimes::Lifetimes,
};

/// Tokens carry whole seconds.
pub(crate) const SECOND: i64 = 1_000_000;

/// Tokens issued this long after a revocation began are void too: one that another replica issues
/// meanwhile, not seeing the revocation yet, doesn't escape it.
const MARGIN: i64 = SECOND;

/// Users, and tokens, in one reply: 600 KB at the longest ids, below what a message may hold.
const PAGE: i64 = 1_000;

/// Voids the tokens that a user has been given until now.
pub(crate) async fn revoke_user(
    tx: &mut Transaction,
    user: &str,
    lifetimes: &Lifetimes,
) -> Result<UserRevoked, StoreError> {
    let before = now() + MARGIN;
    // A token issued after an earlier revocation may carry the second after that one: this goes beyond.
    let row = sqlx::query(
        "INSERT INTO user_revocation (user_id, void_before, forget_at, kept_until) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id) DO UPDATE SET
             void_before = CASE
                 WHEN excluded.void_before > (user_revocation.void_before + 999999) / 1000000 * 1000000
                 THEN excluded.void_before
                 ELSE (user_revocation.void_before + 999999) / 1000000 * 1000000 + 1 END,
             forget_at = excluded.forget_at,
             kept_until = excluded.kept_until
         RETURNING void_before, forget_at",
    )
    .bind(user)
    .bind(before)
    .bind(lifetimes.user_forget_at(before))
    .bind(lifetimes.kept_until(before))
    .fetch_one(tx.connection())
    .await?;
    Ok(UserRevoked {
        user: user.to_owned(),
        before: row.try_get("void_before")?,
        forget_at: row.try_get("forget_at")?,
    })
}

/// Voids a token (`jti`) or a login (`sid`). Gateways forget it at `forget_at`.
pub(crate) async fn revoke_token(
    tx: &mut Transaction,
    token: &str,
    forget_at: i64,
    lifetimes: &Lifetimes,
) -> Result<TokenRevoked, StoreError> {
    sqlx::query(
        "INSERT INTO token_revocation (token, forget_at, kept_until) VALUES ($1, $2, $3)
         ON CONFLICT (token) DO UPDATE SET
             forget_at = excluded.forget_at, kept_until = excluded.kept_until
         WHERE token_revocation.kept_until < excluded.kept_until",
    )
    .bind(token)
    .bind(forget_at)
    .bind(lifetimes.kept_until(now()).max(forget_at))
    .execute(tx.connection())
    .await?;
    Ok(TokenRevoked { token: token.to_owned(), forget_at })
}

/// Whether this token, or the login that it belongs to, is void.
pub(crate) async fn is_revoked(reader: &AnyPool, token: &str, login: &str) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT token FROM token_revocation WHERE token = $1 OR token = $2 LIMIT 1")
        .bind(token)
        .bind(login)
        .fetch_optional(reader)
        .await?;
    Ok(row.is_some())
}

/// One page of what gateways have to know: users first, then tokens, then blocks. `after` is empty, or what the
/// page before gave as its `next`. `None` if it is neither.
pub(crate) async fn page(reader: &AnyPool, after: &str) -> Result<Option<AccessReply>, StoreError> {
    let mut reply = AccessReply::default();
    let (kind, mut place) =
        if after.is_empty() { ("user", "") } else { after.split_once(':').unwrap_or((after, "")) };
    if !["user", "token", "block"].contains(&kind) {
        return Ok(None);
    }
    if kind == "user" {
        reply.users = users(reader, place).await?;
        if let Some(last) = full(&reply.users, PAGE) {
            reply.next = format!("user:{}", last.user);
            return Ok(Some(reply));
        }
        place = "";
    }
    if kind != "block" {
        reply.tokens = tokens(reader, place).await?;
        if let Some(last) = full(&reply.tokens, PAGE) {
            reply.next = format!("token:{}", last.token);
            return Ok(Some(reply));
        }
        place = "";
    }
    let blocks = blocks::page(reader, place, blocks::PAGE).await?;
    if let Some(last) = full(&blocks, blocks::PAGE) {
        reply.next = format!("block:{}", last.id);
    }
    reply.blocks = blocks.iter().map(Block::told).collect();
    Ok(Some(reply))
}

/// Forgets what no token is affected by any more.
pub(crate) async fn prune(tx: &mut Transaction) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM user_revocation WHERE kept_until < $1",
        "DELETE FROM token_revocation WHERE kept_until < $1",
    ] {
        sqlx::query(sql).bind(now()).execute(tx.connection()).await?;
    }
    Ok(())
}

/// The last of a page that may not be the last page.
fn full<T>(rows: &[T], page: i64) -> Option<&T> {
    rows.last().filter(|_| i64::try_from(rows.len()).is_ok_and(|count| count >= page))
}

async fn users(reader: &AnyPool, after: &str) -> Result<Vec<UserRevoked>, StoreError> {
    let rows = sqlx::query(
        "SELECT user_id, void_before, forget_at FROM user_revocation
         WHERE user_id > $1 AND forget_at > $2 ORDER BY user_id LIMIT $3",
    )
    .bind(after)
    .bind(now())
    .bind(PAGE)
    .fetch_all(reader)
    .await?;
    let revoked = rows.iter().map(|row| {
        Ok(UserRevoked {
            user: row.try_get("user_id")?,
            before: row.try_get("void_before")?,
            forget_at: row.try_get("forget_at")?,
        })
    });
    Ok(revoked.collect::<sqlx::Result<_>>()?)
}

async fn tokens(reader: &AnyPool, after: &str) -> Result<Vec<TokenRevoked>, StoreError> {
    let rows = sqlx::query(
        "SELECT token, forget_at FROM token_revocation
         WHERE token > $1 AND forget_at > $2 ORDER BY token LIMIT $3",
    )
    .bind(after)
    .bind(now())
    .bind(PAGE)
    .fetch_all(reader)
    .await?;
    let revoked = rows
        .iter()
        .map(|row| Ok(TokenRevoked { token: row.try_get("token")?, forget_at: row.try_get("forget_at")? }));
    Ok(revoked.collect::<sqlx::Result<_>>()?)
}
