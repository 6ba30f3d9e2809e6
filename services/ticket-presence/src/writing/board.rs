//! What every ticket of a project has in common: its key's prefix, its numbers, and its statuses.

use carillon_contract::Id;
use carillon_service::http::Problem;
use carillon_store::{Database, StoreError, Transaction};
use serde_json::{Value, json};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::{
    access::Project,
    statuses::{Status, StatusRef},
};

/// A project as its tickets see it.
#[derive(Debug, Clone)]
pub(crate) struct Board {
    pub(crate) project: Id,
    key: String,
    pub(crate) last_number: i64,
    pub(crate) last_status: i64,
    /// In their order; the first is a new ticket's.
    pub(crate) statuses: Vec<Status>,
}

impl Board {
    /// One in which nothing was written yet.
    pub(super) fn new(project: Id, key: &str) -> Self {
        let statuses = Status::defaults();
        let last_status = i64::try_from(statuses.len()).unwrap_or_default();
        Self { project, key: key.to_owned(), last_number: 0, last_status, statuses }
    }

    /// Reads one without changing it.
    pub(crate) async fn read(connection: &mut AnyConnection, project: &Project) -> Result<Self, StoreError> {
        let mut board = Self::new(project.id.clone(), &project.key);
        board.fill(connection, "").await?;
        Ok(board)
    }

    /// Locks the project's row until the transaction ends, and reads what there is. `false` if it has none yet.
    pub(super) async fn lock(
        &mut self,
        database: &Database,
        tx: &mut Transaction,
    ) -> Result<bool, StoreError> {
        self.fill(tx, database.for_update()).await
    }

    async fn fill(&mut self, connection: &mut AnyConnection, suffix: &str) -> Result<bool, StoreError> {
        let sql = format!("SELECT last_number, last_status FROM project WHERE id = $1{suffix}");
        let query = sqlx::query(AssertSqlSafe(sql)).bind(self.project.as_str());
        let Some(row) = query.fetch_optional(&mut *connection).await? else { return Ok(false) };
        (self.last_number, self.last_status) = (row.try_get(0)?, row.try_get(1)?);
        self.statuses = Status::of(connection, self.project.as_str()).await?;
        Ok(true)
    }

    /// `PROJ-456`
    pub(crate) fn key_of(&self, number: i64) -> String {
        format!("{}-{number}", self.key)
    }

    /// A status as a ticket shows it.
    pub(crate) fn status_object(&self, id: i64) -> Value {
        let status = self.statuses.iter().find(|status| status.id == id);
        status.map_or_else(
            || json!({"id": id}),
            |Status { id, name, color, .. }| json!({"id": id, "name": name, "color": color}),
        )
    }

    /// The status that a caller names; the first one, if it names none.
    ///
    /// # Errors
    /// 422 for one that the project doesn't have.
    pub(crate) fn resolve(&self, wanted: Option<&StatusRef>) -> Result<i64, Problem> {
        let found = match wanted {
            None => self.statuses.first().map(|status| status.id),
            Some(StatusRef::Id(id)) => self.statuses.iter().map(|status| status.id).find(|known| known == id),
            Some(StatusRef::Name(name)) => self.named(name),
        };
        found.ok_or_else(|| Problem::unprocessable("status", "the project has no such status"))
    }

    /// The status of that id or name.
    pub(crate) fn find(&self, text: &str) -> Option<i64> {
        let of_id = self.statuses.iter().map(|status| status.id).find(|id| id.to_string() == text);
        of_id.or_else(|| self.named(text))
    }

    fn named(&self, name: &str) -> Option<i64> {
        let folded = name.trim().to_lowercase();
        self.statuses.iter().find(|status| status.name.to_lowercase() == folded).map(|status| status.id)
    }
}
