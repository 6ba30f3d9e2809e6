//! The monitoring API (S0-05, S0-06). The gateway lets only admins in.

mod connections;
mod disconnect;
mod figures;

pub(crate) use connections::connections;
pub(crate) use disconnect::disconnect;
pub(crate) use figures::figures;
