//! The floor: the rows that a message in a chat room makes, written to the same database by the plainest means,
//! and with group commit but without gateways, bus and listeners.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use carillon_contract::{Channel, ServiceName, messages::Variant};
use carillon_store::{
    Batch, Database, DatabaseOptions, GroupCommit, Log, Migration, NewEvent, Retention, StoreError,
    Transaction, now, values,
};
use sqlx::{Any, AssertSqlSafe, any::AnyArguments, query::Query};
use tokio::{runtime::Runtime, task::JoinSet};

use super::{crowd::Manner, shape::Shape, speech::Speech};

/// Chat's own table, with its indexes.
static MIGRATIONS: [Migration; 1] = [Migration {
    version: 1,
    name: "messages",
    sql: include_str!("../../../../services/chat/migrations/0002_messages.sql"),
}];

/// Connections of those who write one by one: more callers than that would only wait for each other.
const CONNECTIONS: u32 = 64;

const MESSAGE: &str = "INSERT INTO message (id, channel, position, cause, user_id, author, message_type, body, \
     folded, reply_to, attachments, client_id, created_at, edited_at, deleted_at) VALUES ";
const COLUMNS: usize = 15;

const HEAD: &str = "INSERT INTO channel (name, head) VALUES ($1, 1) \
     ON CONFLICT (name) DO UPDATE SET head = channel.head + 1 RETURNING head";
const EVENT: &str = "INSERT INTO event (channel, position, cause, at, except_connection, variants) \
     VALUES ($1, $2, $3, $4, '', $5)";

/// Who writes, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    /// One transaction for each message.
    Plain,
    /// Group commit and the log, as chat uses them.
    Grouped,
}

/// A database of its own, beside Carillon's on the same disk.
pub(crate) struct Floor {
    runtime: Runtime,
    database: Database,
    grouped: GroupCommit<Rows>,
    next: Arc<AtomicI64>,
}

/// A message on its way.
struct Line {
    id: i64,
    channel: Channel,
    cause: String,
    body: String,
}

impl Floor {
    /// Opens an empty database at `url`.
    ///
    /// # Errors
    /// A database that can't be had.
    pub(crate) fn open(url: &str) -> Result<Self> {
        let runtime = Runtime::new()?;
        let (database, grouped) = runtime.block_on(async {
            let options = DatabaseOptions { connections: CONNECTIONS };
            let database = Database::open_with(url, ServiceName::Chat, &MIGRATIONS, options).await?;
            let retention = Retention { age: Duration::from_secs(86_400), count: 10_000 };
            let log = Log::open(database.clone(), retention).await?;
            let grouped = GroupCommit::new(database.clone(), Rows { log });
            Ok::<_, StoreError>((database, grouped))
        })?;
        Ok(Self { runtime, database, grouped, next: Arc::new(AtomicI64::new(1)) })
    }

    /// Writes for `period`, as many callers as there are speakers, and says how many messages were stored per
    /// second.
    ///
    /// # Errors
    /// Whatever the database says.
    pub(crate) fn measure(
        &self,
        means: Means,
        shape: Shape,
        manner: Manner,
        period: Duration,
    ) -> Result<f64> {
        let callers = shape.rooms * manner.speakers;
        let callers = if means == Means::Plain { callers.min(CONNECTIONS as usize) } else { callers };
        self.runtime.block_on(async {
            let start = Instant::now();
            let mut tasks = JoinSet::new();
            for caller in 0..callers {
                let (database, grouped, next) =
                    (self.database.clone(), self.grouped.clone(), self.next.clone());
                let room = caller % shape.rooms;
                let channel = Channel::new("room", &[&shape.room_name(room)])?;
                tasks.spawn(async move {
                    let mut stored = 0_u64;
                    while start.elapsed() < period {
                        let line = Line::new(next.fetch_add(1, Ordering::Relaxed), &channel, manner.bytes);
                        match means {
                            Means::Plain => plainly(&database, &line).await?,
                            Means::Grouped => grouped.submit(line).await?,
                        }
                        stored += 1;
                    }
                    Ok::<_, StoreError>(stored)
                });
            }
            let mut stored = 0;
            while let Some(task) = tasks.join_next().await {
                stored += task.context("a writer panicked")??;
            }
            Ok(stored as f64 / start.elapsed().as_secs_f64())
        })
    }
}

impl Line {
    fn new(id: i64, channel: &Channel, bytes: usize) -> Self {
        let speech = Speech { speaker: 0, number: id.unsigned_abs(), sent: 0 };
        let cause = format!("frame:0123456789abcdef0123456789abcdef:{id}");
        Self { id, channel: channel.clone(), cause, body: speech.text(bytes) }
    }

    /// What its room hears.
    fn event(&self) -> NewEvent {
        let Self { id, body, .. } = self;
        let frame = format!(
            "{{\"anonymous\":true,\"id\":{id},\"message\":\"{body}\",\"timestamp\":\"2000-01-01T00:00:00.000000Z\",\
             \"type\":\"chat_message\",\"username\":\"Anonymous\"}}"
        );
        NewEvent::new(self.channel.clone(), format!("message:{}", self.cause), vec![Variant::json(frame)])
    }

    fn bind<'q>(
        &'q self,
        query: Query<'q, Any, AnyArguments>,
        position: i64,
    ) -> Query<'q, Any, AnyArguments> {
        let query = query.bind(self.id).bind(self.channel.as_str()).bind(position).bind(self.cause.as_str());
        let query =
            query.bind("").bind("{\"anonymous\":\"Anonymous\"}").bind("text").bind(self.body.as_str());
        query.bind("").bind(0_i64).bind("[]").bind("").bind(now()).bind(0_i64).bind(0_i64)
    }
}

async fn plainly(database: &Database, line: &Line) -> Result<(), StoreError> {
    let (mut tx, event) = (database.begin().await?, line.event());
    let channel = line.channel.as_str();
    let position: i64 = sqlx::query_scalar(HEAD).bind(channel).fetch_one(&mut *tx).await?;
    let variant = event.variants.first().map(|variant| variant.json.to_vec()).unwrap_or_default();
    let query = sqlx::query(EVENT).bind(channel).bind(position).bind(event.cause.as_str());
    query.bind(now()).bind(variant).execute(&mut *tx).await?;
    let statement = format!("{MESSAGE}{}", values::rows(1, COLUMNS));
    line.bind(sqlx::query(AssertSqlSafe(statement)), position).execute(&mut *tx).await?;
    tx.commit().await
}

/// The batches of group commit.
struct Rows {
    log: Log,
}

impl Batch for Rows {
    type Item = Line;
    type Output = ();

    async fn apply(&self, tx: &mut Transaction, lines: &[&Line]) -> Result<Vec<()>, StoreError> {
        let events: Vec<NewEvent> = lines.iter().map(|line| line.event()).collect();
        let appended = self.log.append(tx, &events).await?;
        let pairs: Vec<_> = lines.iter().zip(&appended).collect();
        for rows in pairs.chunks(values::MAX_ROWS) {
            let statement = format!("{MESSAGE}{}", values::rows(rows.len(), COLUMNS));
            let mut query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(rows.len()));
            for (line, appended) in rows {
                query = line.bind(query, i64::try_from(appended.event.offset).map_err(StoreError::other)?);
            }
            query.execute(&mut **tx).await?;
        }
        Ok(vec![(); lines.len()])
    }
}
