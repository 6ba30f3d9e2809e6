//! Which tickets a list shows, and in what order.

use carillon_contract::messages::HttpRequest;
use carillon_service::http::{self, Problem};
use sqlx::{Any, any::AnyArguments, query::Query};

use super::{Ticket, priority::Priority};
use crate::writing::Board;

/// The most values of one filter.
const MAX_VALUES: usize = 20;

/// Sorted after every date.
const NO_DATE: &str = "9999-12-31";

/// A value that is bound to a statement.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Number(i64),
    Text(String),
}

/// Conditions of a statement whose first parameter is the project.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

/// The order of a list: a key, and the number for tickets of the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sort {
    key: Key,
    descending: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Number,
    UpdatedAt,
    Priority,
    DueDate,
    Title,
}

impl Conditions {
    /// Those of a query: `status`, `assignee`, `reporter`, `priority` and `label`, each one value or
    /// several with commas between, and `q`, a part of key or title.
    pub(super) fn of(request: &HttpRequest, board: &Board, caller: &str) -> Result<Self, Problem> {
        let mut conditions = Self::default();
        let statuses = values(request, "status")?;
        let status = |name: &String| board.find(name).ok_or_else(|| unknown("status"));
        let statuses = statuses.iter().map(|name| status(name).map(Value::Number));
        conditions.one_of("status", statuses.collect::<Result<_, _>>()?);
        let priority = |name: &String| Priority::named(name).ok_or_else(|| unknown("priority"));
        let priorities = values(request, "priority")?;
        let priorities = priorities.iter().map(|name| priority(name).map(|it| Value::Number(it.number())));
        conditions.one_of("priority", priorities.collect::<Result<_, _>>()?);
        let user = |name: String| match name.as_str() {
            "me" => Value::Text(caller.to_owned()),
            "none" => Value::Text(String::new()),
            _ => Value::Text(name),
        };
        conditions.one_of("assignee_id", values(request, "assignee")?.into_iter().map(user).collect());
        conditions.one_of("reporter_id", values(request, "reporter")?.into_iter().map(user).collect());
        conditions.labelled(values(request, "label")?);
        if let Some(text) = http::query::<String>(request, "q")? {
            let pattern = conditions.parameter(Value::Text(like(&text.to_lowercase())));
            conditions.sql.push_str(&format!(" AND folded LIKE {pattern} ESCAPE '\\'"));
        }
        Ok(conditions)
    }

    /// Goes on after a ticket of an earlier page.
    pub(super) fn after(&mut self, sort: Sort, value: Value, number: i64) {
        let comparison = if sort.descending { '<' } else { '>' };
        let column = sort.column();
        let number = self.parameter(Value::Number(number));
        if sort.key == Key::Number {
            return self.sql.push_str(&format!(" AND number {comparison} {number}"));
        }
        let value = self.parameter(value);
        self.sql.push_str(&format!(
            " AND ({column} {comparison} {value} OR {column} = {value} AND number {comparison} {number})"
        ));
    }

    /// Binds the values, in their order.
    pub(super) fn bind<'q>(&self, query: Query<'q, Any, AnyArguments>) -> Query<'q, Any, AnyArguments> {
        self.values.iter().fold(query, |query, value| match value {
            Value::Number(number) => query.bind(*number),
            Value::Text(text) => query.bind(text.clone()),
        })
    }

    fn one_of(&mut self, column: &str, values: Vec<Value>) {
        if values.is_empty() {
            return;
        }
        let list: Vec<String> = values.into_iter().map(|value| self.parameter(value)).collect();
        self.sql.push_str(&format!(" AND {column} IN ({})", list.join(", ")));
    }

    /// Each of these labels.
    fn labelled(&mut self, labels: Vec<String>) {
        for label in labels {
            let label = self.parameter(Value::Text(label));
            self.sql.push_str(&format!(
                " AND EXISTS (SELECT 1 FROM ticket_label WHERE ticket_id = ticket.id AND label = {label})"
            ));
        }
    }

    fn parameter(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len() + 1)
    }
}

impl Sort {
    /// As in `?sort=-updated_at`; the newest first, if nothing is said.
    pub(super) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let text = http::query::<String>(request, "sort")?.unwrap_or_else(|| "-key".to_owned());
        let (descending, name) = match text.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, text.as_str()),
        };
        let key = match name {
            "key" | "created_at" => Key::Number,
            "updated_at" => Key::UpdatedAt,
            "priority" => Key::Priority,
            "due_date" => Key::DueDate,
            "title" => Key::Title,
            _ => {
                let known = "must be key, updated_at, priority, due_date or title, with a - before it to turn it round";
                return Err(Problem::unprocessable("sort", known));
            }
        };
        Ok(Self { key, descending })
    }

    /// `ORDER BY` …
    pub(super) fn order(self) -> String {
        let direction = if self.descending { "DESC" } else { "ASC" };
        match self.key {
            Key::Number => format!("number {direction}"),
            _ => format!("{} {direction}, number {direction}", self.column()),
        }
    }

    /// Where the page after this ticket begins.
    pub(super) fn cursor(self, ticket: &Ticket) -> String {
        let value = match self.key {
            Key::Number => String::new(),
            Key::UpdatedAt => ticket.updated_at.to_string(),
            Key::Priority => ticket.priority.number().to_string(),
            Key::DueDate => ticket.due_date.clone().unwrap_or_else(|| NO_DATE.to_owned()),
            Key::Title => ticket.title.clone(),
        };
        format!("{}.{value}", ticket.number)
    }

    /// Reads a [`cursor`](Self::cursor).
    pub(super) fn read(self, cursor: &str) -> Option<(Value, i64)> {
        let (number, value) = cursor.split_once('.')?;
        let value = match self.key {
            Key::UpdatedAt | Key::Priority => Value::Number(value.parse().ok()?),
            Key::Number | Key::DueDate | Key::Title => Value::Text(value.to_owned()),
        };
        Some((value, number.parse().ok()?))
    }

    fn column(self) -> String {
        match self.key {
            Key::Number => "number".to_owned(),
            Key::UpdatedAt => "updated_at".to_owned(),
            Key::Priority => "priority".to_owned(),
            Key::DueDate => format!("CASE WHEN due_date = '' THEN '{NO_DATE}' ELSE due_date END"),
            Key::Title => "title".to_owned(),
        }
    }
}

/// The values of a filter.
fn values(request: &HttpRequest, name: &str) -> Result<Vec<String>, Problem> {
    let text = http::query::<String>(request, name)?.unwrap_or_default();
    let values: Vec<String> =
        text.split(',').map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned).collect();
    if values.len() > MAX_VALUES {
        return Err(Problem::unprocessable(name, "has at most 20 values"));
    }
    Ok(values)
}

fn unknown(name: &str) -> Problem {
    Problem::unprocessable(name, "there is no such one in this project")
}

/// A pattern for texts that hold this one.
fn like(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}
