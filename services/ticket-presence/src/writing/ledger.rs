//! One transaction's orders: what they find, and what they leave.

use std::collections::{BTreeMap, HashMap};

use carillon_contract::messages::{Event, Notice, Variant};
use carillon_store::{Database, Log, NewEvent, StoreError, Transaction, now};
use serde_json::Value;

use super::{Board, Order};
use crate::{
    activity::{self, Entry},
    channels,
    statuses::Status,
};

/// What is numbered through all projects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Sequence {
    Comment,
    Ticket,
}

/// The transaction of some orders, whose projects are locked.
pub(crate) struct Ledger<'a> {
    pub(crate) tx: &'a mut Transaction,
    /// By project.
    pub(crate) boards: BTreeMap<String, Board>,
    /// The time at which all of it happens, in microseconds since 1970.
    pub(crate) now: i64,
    /// Entries of tickets' logs, to be written together.
    pub(crate) activity: Vec<Entry>,
    events: Vec<NewEvent>,
    notices: Vec<Notice>,
    /// What these orders told when they were carried out before, by channel and cause.
    told: HashMap<(String, String), Value>,
    /// What the boards counted when they were locked.
    numbers: BTreeMap<String, (i64, i64)>,
    /// The next id of each kind.
    ids: HashMap<Sequence, i64>,
}

impl<'a> Ledger<'a> {
    /// Locks the orders' projects, in order; those that are new are made.
    pub(super) async fn open(
        database: &Database,
        log: &Log,
        tx: &'a mut Transaction,
        orders: &[&Order],
    ) -> Result<Self, StoreError> {
        let projects: BTreeMap<&str, &Order> =
            orders.iter().map(|order| (order.project.as_str(), *order)).collect();
        let mut boards = BTreeMap::new();
        for (project, order) in projects {
            boards.insert(project.to_owned(), lock(database, tx, order).await?);
        }
        let told = told(log, tx, orders).await?;
        let ids = reserve(tx, orders).await?;
        let numbers = boards.iter().map(|(project, board)| (project.clone(), numbers(board))).collect();
        Ok(Self {
            tx,
            boards,
            now: now(),
            activity: Vec::new(),
            events: Vec::new(),
            notices: Vec::new(),
            told,
            numbers,
            ids,
        })
    }

    /// Saves what the boards have counted and what belongs into tickets' logs, and gives what is to be told
    /// and owed.
    pub(super) async fn close(self) -> Result<(Vec<NewEvent>, Vec<Notice>), StoreError> {
        activity::insert(self.tx, &self.activity).await?;
        for (project, board) in &self.boards {
            if self.numbers.get(project) != Some(&numbers(board)) {
                sqlx::query("UPDATE project SET last_number = $2, last_status = $3 WHERE id = $1")
                    .bind(project)
                    .bind(board.last_number)
                    .bind(board.last_status)
                    .execute(&mut **self.tx)
                    .await?;
            }
        }
        Ok((self.events, self.notices))
    }

    /// The project of an order.
    pub(crate) fn board(&self, order: &Order) -> Result<&Board, StoreError> {
        self.boards.get(order.project.as_str()).ok_or_else(|| StoreError::other("a project was not locked"))
    }

    /// [`board`](Self::board), to change it.
    pub(crate) fn board_mut(&mut self, order: &Order) -> Result<&mut Board, StoreError> {
        let board = self.boards.get_mut(order.project.as_str());
        board.ok_or_else(|| StoreError::other("a project was not locked"))
    }

    /// What the order told when it was carried out before.
    pub(crate) fn told(&self, order: &Order) -> Result<Option<&Value>, StoreError> {
        let channel = channels::tickets(order.project.as_str())?.to_string();
        Ok(self.told.get(&(channel, order.cause.clone())))
    }

    /// The next id of a sequence.
    pub(crate) fn take_id(&mut self, sequence: Sequence) -> Result<i64, StoreError> {
        let next = self.ids.get_mut(&sequence).ok_or_else(|| StoreError::other("no ids were reserved"))?;
        *next += 1;
        Ok(*next - 1)
    }

    /// How many events there are to be told.
    pub(super) fn events(&self) -> usize {
        self.events.len()
    }

    /// The events from this one on follow from the order in this place of the batch.
    pub(super) fn follow(&mut self, first: usize, order: usize) {
        let later = self.events.split_off(first);
        self.events.extend(later.into_iter().map(|event| event.of_item(order)));
    }

    /// Tells everyone who listens to the project's tickets, once this is committed.
    pub(crate) fn tell(&mut self, order: &Order, frame: Value) -> Result<(), StoreError> {
        let channel = channels::tickets(order.project.as_str())?;
        let variants = vec![Variant::json(frame.to_string())];
        self.told.insert((channel.to_string(), order.cause.clone()), frame);
        self.events.push(NewEvent::new(channel, order.cause.as_str(), variants));
        Ok(())
    }

    /// Owes somebody a notification, once this is committed.
    pub(crate) fn owe(&mut self, notice: Notice) {
        self.notices.push(notice);
    }
}

fn numbers(board: &Board) -> (i64, i64) {
    (board.last_number, board.last_status)
}

/// What the orders told when they were carried out before: with their projects locked nobody else can.
async fn told(
    log: &Log,
    tx: &mut Transaction,
    orders: &[&Order],
) -> Result<HashMap<(String, String), Value>, StoreError> {
    let channels: Vec<String> = orders
        .iter()
        .map(|order| Ok(channels::tickets(order.project.as_str())?.to_string()))
        .collect::<Result<_, StoreError>>()?;
    let causes: Vec<(&str, &str)> = channels
        .iter()
        .zip(orders)
        .map(|(channel, order)| (channel.as_str(), order.cause.as_str()))
        .collect();
    let frame = |event: Event| {
        let variant = event.variants.first().ok_or_else(|| StoreError::other("an event without a frame"))?;
        serde_json::from_slice(&variant.json).map_err(StoreError::other)
    };
    let caused = log.caused(tx, &causes).await?;
    caused.into_iter().map(|(cause, event)| Ok((cause, frame(event)?))).collect()
}

/// Takes as many ids as the orders may need, of one sequence after the other. What is refused needs none:
/// then they are missing, which numbers of tickets never are.
async fn reserve(tx: &mut Transaction, orders: &[&Order]) -> Result<HashMap<Sequence, i64>, StoreError> {
    let mut ids = HashMap::new();
    for sequence in [Sequence::Comment, Sequence::Ticket] {
        let needed = orders.iter().filter(|order| order.change.needs(sequence)).count();
        if needed == 0 {
            continue;
        }
        let needed = i64::try_from(needed).map_err(StoreError::other)?;
        let sql = "UPDATE sequence SET value = value + $2 WHERE name = $1 RETURNING value";
        let query = sqlx::query_scalar(sql).bind(sequence.name()).bind(needed);
        let last: i64 = query.fetch_one(&mut **tx).await?;
        ids.insert(sequence, last - needed + 1);
    }
    Ok(ids)
}

impl Sequence {
    const fn name(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::Ticket => "ticket",
        }
    }
}

/// Locks a project, which is made if nothing was written in it yet.
async fn lock(database: &Database, tx: &mut Transaction, order: &Order) -> Result<Board, StoreError> {
    let mut board = Board::new(order.project.clone(), &order.key);
    if board.lock(database, tx).await? {
        return Ok(board);
    }
    let sql = "INSERT INTO project (id, last_number, last_status) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING";
    let query = sqlx::query(sql).bind(order.project.as_str()).bind(board.last_status);
    if query.execute(&mut **tx).await?.rows_affected() > 0 {
        Status::insert_all(tx, order.project.as_str(), &board.statuses).await?;
    } else if !board.lock(database, tx).await? {
        return Err(StoreError::other("a project has vanished"));
    }
    Ok(board)
}
