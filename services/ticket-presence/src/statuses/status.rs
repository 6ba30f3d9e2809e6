//! A status, and how callers name one.

use carillon_store::{StoreError, Transaction, values};
use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

/// A status of a project's tickets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Status {
    /// 1, 2, 3, … of the project.
    pub(crate) id: i64,
    pub(crate) name: String,
    /// As CSS writes it: `#1890ff`.
    pub(crate) color: String,
    pub(crate) position: i64,
}

/// A status as a caller names it: by its id or its name, or by an object that has its id.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Named", expecting = "the id or the name of a status")]
pub(crate) enum StatusRef {
    Id(i64),
    Name(String),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "the id or the name of a status")]
enum Named {
    Id(i64),
    Name(String),
    Object { id: i64 },
}

impl From<Named> for StatusRef {
    fn from(named: Named) -> Self {
        match named {
            Named::Id(id) | Named::Object { id } => Self::Id(id),
            Named::Name(name) => Self::Name(name),
        }
    }
}

/// What a project begins with (S3-02).
const DEFAULTS: [(&str, &str); 4] =
    [("Open", "#1890ff"), ("In Progress", "#faad14"), ("In Review", "#722ed1"), ("Done", "#52c41a")];

impl Status {
    /// What a project begins with.
    pub(crate) fn defaults() -> Vec<Self> {
        let status = |(id, (name, color)): (i64, (&str, &str))| Self {
            id,
            name: name.to_owned(),
            color: color.to_owned(),
            position: id,
        };
        (1..).zip(DEFAULTS).map(status).collect()
    }

    /// A project's, in their order.
    pub(crate) async fn of(connection: &mut AnyConnection, project: &str) -> Result<Vec<Self>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, name, color, position FROM status WHERE project_id = $1 ORDER BY position, id",
        )
        .bind(project)
        .fetch_all(connection)
        .await?;
        let status = |row: &sqlx::any::AnyRow| {
            let (id, name) = (row.try_get(0)?, row.try_get(1)?);
            Ok(Self { id, name, color: row.try_get(2)?, position: row.try_get(3)? })
        };
        rows.iter().map(status).collect()
    }

    /// Adds statuses to a project that is locked.
    pub(crate) async fn insert_all(
        tx: &mut Transaction,
        project: &str,
        statuses: &[Self],
    ) -> Result<(), StoreError> {
        let rows = values::rows(statuses.len(), 5);
        let sql = format!("INSERT INTO status (project_id, id, name, color, position) VALUES {rows}");
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(statuses.len()));
        let query = statuses.iter().fold(query, |query, status| {
            let query = query.bind(project).bind(status.id).bind(&status.name);
            query.bind(&status.color).bind(status.position)
        });
        query.execute(&mut **tx).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_is_named_as_clients_have_it() {
        let read = |value| serde_json::from_value::<StatusRef>(value).ok();
        assert_eq!(read(json!(2)), Some(StatusRef::Id(2)));
        assert_eq!(read(json!("Open")), Some(StatusRef::Name("Open".to_owned())));
        assert_eq!(read(json!({"id": 2, "name": "Open", "color": "#1890ff"})), Some(StatusRef::Id(2)));
        assert_eq!(read(json!([])), None);
    }
}
