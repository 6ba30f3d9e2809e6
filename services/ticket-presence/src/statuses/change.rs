//! Changing a project's statuses, which admins do.

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::http::{self, Problem};
use carillon_store::StoreError;
use serde::Deserialize;
use serde_json::json;

use super::Status;
use crate::{
    access::Asked,
    service::Projects,
    writing::{Answer, Board, Change, Ledger, Order},
};

const MAX_STATUSES: usize = 50;
const MAX_NAME: usize = 50;
const MAX_POSITION: i64 = 1_000_000;

/// The colour of a status to which its creator gives none.
const GREY: &str = "#8c8c8c";

/// A status to be.
#[derive(Debug)]
pub(crate) struct Creation(Fields);

/// A change of a status.
#[derive(Debug)]
pub(crate) struct Update {
    pub(crate) id: i64,
    fields: Fields,
}

/// The end of a status that no ticket has.
#[derive(Debug)]
pub(crate) struct Deletion {
    pub(crate) id: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    name: Option<String>,
    color: Option<String>,
    position: Option<i64>,
}

pub(super) async fn answer(projects: &Projects, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let change = match request.route.as_str() {
        "projects.statuses.create" => Change::CreateStatus(Creation(Fields::of(request)?)),
        "projects.statuses.update" => {
            Change::UpdateStatus(Update { id: id_of(request)?, fields: Fields::of(request)? })
        }
        "projects.statuses.delete" => Change::DeleteStatus(Deletion { id: id_of(request)? }),
        _ => return Err(Problem::not_found("no such route")),
    };
    let (project, caller) = projects.access.visit(request, Asked::default()).await?;
    if !caller.is_admin {
        return Err(Problem::forbidden("only admins change statuses"));
    }
    projects.writing.submit(Order::new(project, caller, http::cause(request)?, change)).await
}

/// `POST /api/projects/{project_id}/statuses/`
pub(crate) async fn create(
    ledger: &mut Ledger<'_>,
    order: &Order,
    Creation(fields): &Creation,
) -> Result<Answer, StoreError> {
    let board = ledger.board_mut(order)?;
    let Some(name) = fields.name.clone() else { return Ok(Err(nameless())) };
    if board.statuses.len() >= MAX_STATUSES {
        return Ok(Err(Problem::conflict("a project has at most 50 statuses")));
    }
    if is_taken(board, &name, None) {
        return Ok(Err(taken()));
    }
    board.last_status += 1;
    let last = board.statuses.iter().map(|status| status.position).max().unwrap_or_default();
    let status = Status {
        id: board.last_status,
        name,
        color: fields.color.clone().unwrap_or_else(|| GREY.to_owned()),
        position: fields.position.unwrap_or(last + 1),
    };
    board.statuses.push(status.clone());
    sort(board);
    Status::insert_all(ledger.tx, order.project.as_str(), std::slice::from_ref(&status)).await?;
    tell(ledger, order, "created", &status)?;
    Ok(Ok(http::json(201, &status)))
}

/// `PATCH …/{status_id}/`
pub(crate) async fn update(
    ledger: &mut Ledger<'_>,
    order: &Order,
    update: &Update,
) -> Result<Answer, StoreError> {
    let board = ledger.board_mut(order)?;
    let Update { id, fields } = update;
    if fields.name.as_ref().is_some_and(|name| is_taken(board, name, Some(*id))) {
        return Ok(Err(taken()));
    }
    let Some(status) = board.statuses.iter_mut().find(|status| status.id == *id) else {
        return Ok(Err(unknown()));
    };
    let before = status.clone();
    status.name = fields.name.clone().unwrap_or_else(|| before.name.clone());
    status.color = fields.color.clone().unwrap_or_else(|| before.color.clone());
    status.position = fields.position.unwrap_or(before.position);
    let after = status.clone();
    if after == before {
        return Ok(Ok(http::json(200, &after)));
    }
    sort(board);
    sqlx::query("UPDATE status SET name = $3, color = $4, position = $5 WHERE project_id = $1 AND id = $2")
        .bind(order.project.as_str())
        .bind(*id)
        .bind(&after.name)
        .bind(&after.color)
        .bind(after.position)
        .execute(&mut **ledger.tx)
        .await?;
    tell(ledger, order, "updated", &after)?;
    Ok(Ok(http::json(200, &after)))
}

/// `DELETE …/{status_id}/`
pub(crate) async fn delete(
    ledger: &mut Ledger<'_>,
    order: &Order,
    Deletion { id }: &Deletion,
) -> Result<Answer, StoreError> {
    let statuses = &ledger.board(order)?.statuses;
    let Some(status) = statuses.iter().find(|status| status.id == *id).cloned() else {
        return Ok(Err(unknown()));
    };
    if statuses.len() == 1 {
        return Ok(Err(Problem::conflict("a project has at least one status")));
    }
    let in_use = sqlx::query("SELECT 1 FROM ticket WHERE project_id = $1 AND status = $2 LIMIT 1")
        .bind(order.project.as_str())
        .bind(*id)
        .fetch_optional(&mut **ledger.tx)
        .await?;
    if in_use.is_some() {
        return Ok(Err(Problem::conflict("there are tickets with this status")));
    }
    ledger.board_mut(order)?.statuses.retain(|status| status.id != *id);
    sqlx::query("DELETE FROM status WHERE project_id = $1 AND id = $2")
        .bind(order.project.as_str())
        .bind(*id)
        .execute(&mut **ledger.tx)
        .await?;
    tell(ledger, order, "deleted", &status)?;
    Ok(Ok(http::no_content()))
}

impl Fields {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let mut fields: Self = http::body(request)?;
        if let Some(name) = fields.name.take() {
            let name = name.trim().to_owned();
            if !(1..=MAX_NAME).contains(&name.chars().count()) || name.chars().any(char::is_control) {
                return Err(nameless());
            }
            fields.name = Some(name);
        }
        if fields.color.as_ref().is_some_and(|color| !is_color(color)) {
            return Err(Problem::unprocessable("color", "must be a colour such as #1890ff"));
        }
        if fields.position.is_some_and(|position| !(0..=MAX_POSITION).contains(&position)) {
            return Err(Problem::unprocessable("position", "must be 0 to 1000000"));
        }
        Ok(fields)
    }
}

fn tell(ledger: &mut Ledger<'_>, order: &Order, action: &str, status: &Status) -> Result<(), StoreError> {
    let frame = json!({
        "type": "status_update", "action": action, "data": status, "actor": order.actor.person,
    });
    ledger.tell(order, frame)
}

fn sort(board: &mut Board) {
    board.statuses.sort_by_key(|status| (status.position, status.id));
}

fn is_taken(board: &Board, name: &str, by_other_than: Option<i64>) -> bool {
    let folded = name.to_lowercase();
    let others = board.statuses.iter().filter(|status| Some(status.id) != by_other_than);
    others.into_iter().any(|status| status.name.to_lowercase() == folded)
}

fn is_color(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or_default();
    matches!(digits.len(), 3 | 6) && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

fn id_of(request: &HttpRequest) -> Result<i64, Problem> {
    http::number(request, "status_id").ok_or_else(unknown)
}

fn nameless() -> Problem {
    Problem::unprocessable("name", "must be one line of 1 to 50 characters")
}

fn taken() -> Problem {
    Problem::conflict("the project has a status of this name")
}

fn unknown() -> Problem {
    Problem::not_found("the project has no such status")
}
