//! A change that is asked for.

use carillon_contract::Id;

use super::Sequence;
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
    /// `cause` is the request's: what it does it does once, to what it names.
    pub(crate) fn new(project: Project, actor: Caller, cause: String, change: Change) -> Self {
        let cause = format!("{}:{cause}", change.scope());
        Self { project: project.id, key: project.key, actor, cause, change }
    }
}

impl Change {
    /// Told apart in causes: a key of one kind of request is none of another's, nor of the same for
    /// another ticket.
    fn scope(&self) -> String {
        match self {
            Self::CreateTicket(_) => "ticket".to_owned(),
            Self::UpdateTicket(update) => format!("update:{}", update.ticket),
            Self::DeleteTicket(deletion) => format!("delete:{}", deletion.ticket),
            Self::AddComment(addition) => format!("comment:{}", addition.ticket),
            Self::EditComment(edit) => format!("comment-edit:{}:{}", edit.ticket, edit.comment),
            Self::DeleteComment(deletion) => {
                format!("comment-delete:{}:{}", deletion.ticket, deletion.comment)
            }
            Self::CreateStatus(_) => "status".to_owned(),
            Self::UpdateStatus(update) => format!("status-update:{}", update.id),
            Self::DeleteStatus(deletion) => format!("status-delete:{}", deletion.id),
        }
    }

    /// Whether it makes something that has an id of this sequence.
    pub(super) fn needs(&self, sequence: Sequence) -> bool {
        match self {
            Self::CreateTicket(_) => sequence == Sequence::Ticket,
            Self::AddComment(_) => sequence == Sequence::Comment,
            _ => false,
        }
    }
}
