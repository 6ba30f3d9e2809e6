//! Where somebody can be, as presence calls it.

use carillon_contract::{Channel, ChannelError, Id};

use crate::channels;

/// Between a scope and what is in it: no channel's name has one.
const SEPARATOR: char = '/';

/// Who is in a project is told on this channel, and it is the scope of who views which ticket:
/// `project.{id}.presence`.
pub(super) fn scope(project: &str) -> Result<Channel, ChannelError> {
    channels::presence(project)
}

/// The topic of those at a ticket, which may be any text.
pub(super) fn topic(scope: &Channel, ticket: &Id) -> String {
    format!("{scope}{SEPARATOR}{ticket}")
}

/// How the topics of all tickets begin.
pub(super) fn prefix(scope: &Channel) -> String {
    format!("{scope}{SEPARATOR}")
}

/// The scope, and the ticket if it is a ticket's.
pub(super) fn read(topic: &str) -> Option<(Channel, Option<Id>)> {
    match topic.split_once(SEPARATOR) {
        None => Some((topic.parse().ok()?, None)),
        Some((scope, ticket)) => Some((scope.parse().ok()?, Some(Id::new(ticket).ok()?))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let scope = scope("a/b.c").expect("a scope");
        assert_eq!(read(scope.as_str()), Some((scope.clone(), None)));
        for ticket in ["7", "a/b", "/", "project.1.presence/7"] {
            let ticket = Id::new(ticket).expect("an id");
            let topic = topic(&scope, &ticket);
            assert!(topic.starts_with(&prefix(&scope)));
            assert_eq!(read(&topic), Some((scope.clone(), Some(ticket))));
        }
        assert_eq!(read("nowhere"), None);
    }
}
