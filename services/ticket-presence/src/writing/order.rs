//! A change that is asked for.

use carillon_contract::Id;

use crate::{
    access::{Caller, Project},
    comments, statuses, tickets,
};

/// A change of a project, by a caller who may enter it.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) project: Id,
    /// Prefix of the project's tickets' keys.
    pub(crate) key: String,
    pub(crate) actor: Caller,
    /// The same again is the same order.
    pub(crate) cause: String,
    pub(crate) change: Change,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Change {
    CreateTicket(tickets::Creation),
    UpdateTicket(tickets::Update),
    DeleteTicket(tickets::Deletion),
    AddComment(comments::Addition),
    EditComment(comments::Edit),
    DeleteComment(comments::Deletion),
    CreateStatus(statuses::Creation),
    UpdateStatus(statuses::Update),
    DeleteStatus(statuses::Deletion),
}

impl Order {
    /// `cause` is the request's: what it does it does once, for one kind of change.
    pub(crate) fn new(project: Project, actor: Caller, cause: String, change: Change) -> Self {
        let cause = format!("{}:{cause}", change.kind());
        Self { project: project.id, key: project.key, actor, cause, change }
    }
}

impl Change {
    /// Told apart in causes: a key of one kind of request is none of another's.
    const fn kind(&self) -> &'static str {
        match self {
            Self::CreateTicket(_) => "ticket",
            Self::UpdateTicket(_) => "update",
            Self::DeleteTicket(_) => "delete",
            Self::AddComment(_) => "comment",
            Self::EditComment(_) => "comment-edit",
            Self::DeleteComment(_) => "comment-delete",
            Self::CreateStatus(_) => "status",
            Self::UpdateStatus(_) => "status-update",
            Self::DeleteStatus(_) => "status-delete",
        }
    }
}
