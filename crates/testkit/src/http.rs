//! HTTP clients: of a gateway, and of the admin's API.

mod admin;
mod api;

pub use admin::{ADMIN, Admin, PASSWORD, Project, ServiceToken, User, log_in};
pub use api::{Api, Reply, send};
