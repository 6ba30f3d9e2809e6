//! A ticket, as it is stored and as clients read it (S3-02).

use carillon_contract::{Person, messages::HttpRequest};
use carillon_service::{
    http::{self, Problem},
    time::timestamp,
};
use carillon_store::StoreError;
use serde_json::{Value, json};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _, any::AnyRow};

use super::priority::Priority;
use crate::{people, writing::Board};

/// A ticket of a project.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ticket {
    pub(crate) id: i64,
    /// What its key ends with.
    pub(crate) number: i64,
    pub(crate) title: String,
    pub(crate) description: String,
    /// A status's id.
    pub(crate) status: i64,
    pub(crate) priority: Priority,
    pub(crate) assignee: Option<Person>,
    pub(crate) reporter: Person,
    pub(crate) labels: Vec<String>,
    /// 2026-01-31
    pub(crate) due_date: Option<String>,
    pub(crate) comments: i64,
    pub(crate) version: i64,
    /// How many entries its activity log has.
    pub(crate) activities: i64,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

/// The columns of a [`Ticket`].
pub(super) const COLUMNS: &str = "id, number, title, description, status, priority, assignee, reporter, labels, \
     due_date, comments, version, activities, created_at, updated_at";

impl Ticket {
    /// Reads a row of [`COLUMNS`].
    pub(super) fn of(row: &AnyRow) -> Result<Self, StoreError> {
        let text = |column: &str| row.try_get::<String, _>(column);
        let assignee = text("assignee")?;
        let due_date = text("due_date")?;
        Ok(Self {
            id: row.try_get("id")?,
            number: row.try_get("number")?,
            title: text("title")?,
            description: text("description")?,
            status: row.try_get("status")?,
            priority: Priority::of(row.try_get("priority")?),
            assignee: (!assignee.is_empty()).then(|| people::read(&assignee)).transpose()?,
            reporter: people::read(&text("reporter")?)?,
            labels: serde_json::from_str(&text("labels")?).map_err(StoreError::other)?,
            due_date: (!due_date.is_empty()).then_some(due_date),
            comments: row.try_get("comments")?,
            version: row.try_get("version")?,
            activities: row.try_get("activities")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }

    /// As clients read it.
    pub(crate) fn object(&self, board: &Board) -> Value {
        json!({
            "ticket_id": self.id,
            "key": board.key_of(self.number),
            "project_id": board.project,
            "title": self.title,
            "description": self.description,
            "status": board.status_object(self.status),
            "priority": self.priority,
            "assignee": self.assignee,
            "reporter": self.reporter,
            "labels": self.labels,
            "due_date": self.due_date,
            "comments": self.comments,
            "version": self.version,
            "created_at": timestamp(self.created_at),
            "updated_at": timestamp(self.updated_at),
        })
    }

    /// What a search looks through.
    pub(super) fn folded(&self, board: &Board) -> String {
        format!("{} {}", board.key_of(self.number), self.title).to_lowercase()
    }

    /// Its assignee's id, or the empty text.
    pub(super) fn assignee_id(&self) -> &str {
        self.assignee.as_ref().map_or("", |person| person.id.as_str())
    }
}

/// A ticket of a project. `None` if the project has no such one.
pub(crate) async fn find(
    connection: &mut AnyConnection,
    project: &str,
    id: i64,
) -> Result<Option<Ticket>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM ticket WHERE id = $1 AND project_id = $2");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(id).bind(project).fetch_optional(connection).await?;
    row.map(|row| Ticket::of(&row)).transpose()
}

/// The ticket that a route names.
///
/// # Errors
/// 404 for what can't be a ticket's id.
pub(crate) fn id_of(request: &HttpRequest) -> Result<i64, Problem> {
    http::number(request, "ticket_id").ok_or_else(unknown)
}

/// 404
pub(crate) fn unknown() -> Problem {
    Problem::not_found("there is no such ticket in this project")
}

/// A person as it is stored; nobody is the empty text.
pub(super) fn stored(person: Option<&Person>) -> Result<String, StoreError> {
    person
        .map_or_else(|| Ok(String::new()), |person| serde_json::to_string(person).map_err(StoreError::other))
}
