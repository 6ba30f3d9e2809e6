//! Where in their scopes connections are.
//!
//! A row changes only while its connection, or its scope's topic, is locked. So whoever has locked both,
//! or all there is of them, knows which topics are affected, and locks them next.

use std::collections::{BTreeMap, BTreeSet};

use carillon_store::{StoreError, Transaction, values};
use sqlx::{AssertSqlSafe, Row as _, any::AnyRow};

use crate::{Position, entries, entries::Counted, topics::Topic, transitions::Exchange};

/// A connection and a scope.
type Key = (String, String);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    /// Empty: at none.
    topic: String,
    member: String,
    detail: String,
    number: i64,
    /// 0 while the connection is in the scope.
    out_since: i64,
}

/// Who has left which topics, and who has come to which.
#[derive(Debug, Default)]
pub(crate) struct Shift {
    pub(crate) removed: Vec<Counted>,
    /// With what each says about its member.
    pub(crate) added: Vec<(String, Counted)>,
}

/// Applies moves, and what follows from connections' having come to scopes or left them. The
/// connections are locked, and so are the scopes of all that comes, goes and moves.
pub(crate) async fn shift(
    tx: &mut Transaction,
    now: i64,
    exchange: &Exchange<'_>,
    scopes: &BTreeMap<String, Topic>,
) -> Result<Shift, StoreError> {
    let leaving: BTreeSet<&str> = exchange.leaving.iter().map(String::as_str).collect();
    let mut connections = leaving.clone();
    connections.extend(exchange.arriving.iter().map(|entry| entry.connection.as_str()));
    connections.extend(exchange.moving.iter().map(|position| position.connection.as_str()));
    let before = read(tx, &connections).await?;
    let mut after = before.clone();
    for position in exchange.moving {
        apply(&mut after, position, now);
    }
    if exchange.is_final {
        after.retain(|(connection, _), _| !leaving.contains(connection.as_str()));
    }
    let inside = entries::of(tx, &after.keys().map(|(connection, _)| connection.as_str()).collect()).await?;
    for (key, held) in after.iter_mut().filter(|((_, scope), _)| scopes.contains_key(scope)) {
        held.out_since = match (inside.contains(key), held.out_since) {
            (true, _) => 0,
            (false, 0) => now,
            (false, since) => since,
        };
    }
    save(tx, &before, &after).await?;
    Ok(Shift::between(&before, &after))
}

/// Connections have been removed from topics: what they were at in these scopes is over.
pub(crate) async fn end(tx: &mut Transaction, removed: &[Counted]) -> Result<Shift, StoreError> {
    let keys: Vec<_> = removed.iter().map(|it| (it.connection.as_str(), it.topic.as_str())).collect();
    let gone = delete(tx, &keys).await?;
    Ok(Shift::between(&gone, &BTreeMap::new()))
}

impl Held {
    fn is_counted(&self) -> bool {
        self.out_since == 0 && !self.topic.is_empty()
    }

    fn counted(&self, connection: &str) -> Counted {
        let (topic, member) = (self.topic.clone(), self.member.clone());
        Counted { connection: connection.to_owned(), topic, member }
    }
}

impl Shift {
    /// Everything that is locked with it.
    pub(crate) fn topics(&self) -> BTreeSet<String> {
        let added = self.added.iter().map(|(_, counted)| counted);
        self.removed.iter().chain(added).map(|counted| counted.topic.clone()).collect()
    }

    fn between(before: &BTreeMap<Key, Held>, after: &BTreeMap<Key, Held>) -> Self {
        let mut shift = Self::default();
        for key in before.keys().chain(after.keys().filter(|key| !before.contains_key(*key))) {
            let (was, is) = (counted(before, key), counted(after, key));
            if was
                .is_some_and(|was| is.is_some_and(|is| (&is.topic, &is.member) == (&was.topic, &was.member)))
            {
                continue;
            }
            shift.removed.extend(was.map(|was| was.counted(&key.0)));
            shift.added.extend(is.map(|is| (is.detail.clone(), is.counted(&key.0))));
        }
        shift
    }
}

fn counted<'a>(held: &'a BTreeMap<Key, Held>, key: &Key) -> Option<&'a Held> {
    held.get(key).filter(|held| held.is_counted())
}

/// A frame that is not later than the last one applied changes nothing.
fn apply(held: &mut BTreeMap<Key, Held>, position: &Position, now: i64) {
    let key = (position.connection.clone(), position.scope.clone());
    let number = i64::try_from(position.number).unwrap_or(i64::MAX);
    let known = held.get(&key);
    if known.is_some_and(|known| known.number >= number) {
        return;
    }
    let next = Held {
        topic: position.topic.clone().unwrap_or_default(),
        member: position.member.clone(),
        detail: position.detail.clone(),
        number,
        out_since: known.map_or(now, |known| known.out_since),
    };
    held.insert(key, next);
}

const COLUMNS: &str = "connection, scope, topic, member, detail, number, out_since";

async fn read(tx: &mut Transaction, connections: &BTreeSet<&str>) -> Result<BTreeMap<Key, Held>, StoreError> {
    let connections: Vec<_> = connections.iter().collect();
    let mut held = BTreeMap::new();
    for connections in connections.chunks(values::MAX_ROWS) {
        let list = values::list(connections.len(), 1);
        let statement = format!("SELECT {COLUMNS} FROM presence_position WHERE connection IN ({list})");
        let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(connections.len()));
        let query = connections.iter().fold(query, |query, connection| query.bind(**connection));
        collect(&query.fetch_all(&mut **tx).await?, &mut held)?;
    }
    Ok(held)
}

/// Writes what differs.
async fn save(
    tx: &mut Transaction,
    before: &BTreeMap<Key, Held>,
    after: &BTreeMap<Key, Held>,
) -> Result<(), StoreError> {
    const ON_CONFLICT: &str = "ON CONFLICT (connection, scope) DO UPDATE SET topic = excluded.topic, \
         member = excluded.member, detail = excluded.detail, number = excluded.number, \
         out_since = excluded.out_since";
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    let gone: Vec<_> = gone.map(|(connection, scope)| (connection.as_str(), scope.as_str())).collect();
    delete(tx, &gone).await?;
    let changed: Vec<_> = after.iter().filter(|(key, held)| before.get(*key) != Some(*held)).collect();
    for changed in changed.chunks(values::MAX_ROWS) {
        let rows = values::rows(changed.len(), 7);
        let statement = format!("INSERT INTO presence_position ({COLUMNS}) VALUES {rows} {ON_CONFLICT}");
        let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(changed.len()));
        let query = changed.iter().fold(query, |query, ((connection, scope), held)| {
            let query = query.bind(connection.as_str()).bind(scope.as_str());
            let query = query.bind(held.topic.as_str()).bind(held.member.as_str());
            query.bind(held.detail.as_str()).bind(held.number).bind(held.out_since)
        });
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

/// Removes rows, and returns what they were.
async fn delete(tx: &mut Transaction, keys: &[(&str, &str)]) -> Result<BTreeMap<Key, Held>, StoreError> {
    let mut gone = BTreeMap::new();
    for keys in keys.chunks(values::MAX_ROWS) {
        let rows = values::rows(keys.len(), 2);
        let statement = format!(
            "DELETE FROM presence_position WHERE (connection, scope) IN (VALUES {rows}) RETURNING {COLUMNS}"
        );
        let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(keys.len()));
        let query =
            keys.iter().fold(query, |query, (connection, scope)| query.bind(*connection).bind(*scope));
        collect(&query.fetch_all(&mut **tx).await?, &mut gone)?;
    }
    Ok(gone)
}

fn collect(rows: &[AnyRow], held: &mut BTreeMap<Key, Held>) -> Result<(), StoreError> {
    for row in rows {
        let key = (row.try_get(0)?, row.try_get(1)?);
        let (topic, member, detail) = (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
        held.insert(key, Held { topic, member, detail, number: row.try_get(5)?, out_since: row.try_get(6)? });
    }
    Ok(())
}
