//! The channels of a project.

use carillon_contract::{Channel, ChannelError};
use carillon_store::StoreError;

/// `project.{id}.tickets`: its tickets and comments.
pub(crate) fn tickets(project: &str) -> Result<Channel, StoreError> {
    channel(project, "tickets").map_err(StoreError::other)
}

/// `project.{id}.events`: what its back end has to tell.
pub(crate) fn events(project: &str) -> Result<Channel, StoreError> {
    channel(project, "events").map_err(StoreError::other)
}

/// `project.{id}.presence`: who is there.
pub(crate) fn presence(project: &str) -> Result<Channel, ChannelError> {
    channel(project, "presence")
}

fn channel(project: &str, kind: &str) -> Result<Channel, ChannelError> {
    Channel::new("project", &[project, kind])
}
