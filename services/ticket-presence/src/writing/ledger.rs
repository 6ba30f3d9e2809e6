//! One transaction's orders: what they find, and what they leave.

use std::collections::{BTreeMap, HashSet};

use carillon_contract::messages::{Notice, Variant};
use carillon_store::{Database, Log, NewEvent, StoreError, Transaction, now};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Row as _};

use super::{Board, Order};
use crate::{session, statuses::Status};

/// The transaction of some orders, whose projects are locked.
pub(crate) struct Ledger<'a> {
    pub(crate) tx: &'a mut Transaction,
    /// By project.
    pub(crate) boards: BTreeMap<String, Board>,
    /// The time at which all of it happens, in microseconds since 1970.
    pub(crate) now: i64,
    events: Vec<NewEvent>,
    notices: Vec<Notice>,
    /// Channels and causes of what was told before.
    told: HashSet<(String, String)>,
    numbers: BTreeMap<String, (i64, i64)>,
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
        let channels = boards
            .keys()
            .map(|project| Ok((project.clone(), session::tickets_channel(project)?.to_string())));
        let channels: BTreeMap<String, String> = channels.collect::<Result<_, StoreError>>()?;
        let causes: Vec<(&str, &str)> = orders
            .iter()
            .filter_map(|order| Some((channels.get(order.project.as_str())?.as_str(), order.cause.as_str())))
            .collect();
        let told = log.known(tx, &causes).await?;
        let numbers = boards.iter().map(|(project, board)| (project.clone(), numbers(board))).collect();
        Ok(Self { tx, boards, now: now(), events: Vec::new(), notices: Vec::new(), told, numbers })
    }

    /// Saves what the boards have counted, and gives what is to be told and owed.
    pub(super) async fn close(self) -> Result<(Vec<NewEvent>, Vec<Notice>), StoreError> {
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

    /// Whether the order was carried out before.
    pub(crate) fn is_repeated(&self, order: &Order) -> bool {
        session::tickets_channel(order.project.as_str())
            .is_ok_and(|channel| self.told.contains(&(channel.to_string(), order.cause.clone())))
    }

    /// The next id of a sequence, which is locked until the transaction ends.
    pub(crate) async fn next_id(&mut self, sequence: &str) -> Result<i64, StoreError> {
        let sql = "UPDATE sequence SET value = value + 1 WHERE name = $1 RETURNING value";
        Ok(sqlx::query_scalar(sql).bind(sequence).fetch_one(&mut **self.tx).await?)
    }

    /// Tells everyone who listens to the project's tickets, once this is committed.
    pub(crate) fn tell(&mut self, order: &Order, frame: &Value) -> Result<(), StoreError> {
        let channel = session::tickets_channel(order.project.as_str())?;
        self.told.insert((channel.to_string(), order.cause.clone()));
        self.events.push(NewEvent::new(
            channel,
            order.cause.as_str(),
            vec![Variant::json(frame.to_string())],
        ));
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

async fn lock(database: &Database, tx: &mut Transaction, order: &Order) -> Result<Board, StoreError> {
    let mut board = Board::new(order.project.clone(), &order.key);
    let made = sqlx::query(
        "INSERT INTO project (id, key, last_number, last_status) VALUES ($1, $2, 0, $3) ON CONFLICT DO NOTHING",
    )
    .bind(order.project.as_str())
    .bind(&order.key)
    .bind(board.last_status)
    .execute(&mut **tx)
    .await?;
    if made.rows_affected() > 0 {
        Status::insert_all(tx, order.project.as_str(), &board.statuses).await?;
        return Ok(board);
    }
    let sql = format!("SELECT last_number, last_status FROM project WHERE id = $1{}", database.for_update());
    let row = sqlx::query(AssertSqlSafe(sql)).bind(order.project.as_str()).fetch_one(&mut **tx).await?;
    (board.last_number, board.last_status) = (row.try_get(0)?, row.try_get(1)?);
    board.statuses = Status::of(tx, order.project.as_str()).await?;
    Ok(board)
}
