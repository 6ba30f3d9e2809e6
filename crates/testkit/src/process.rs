//! Child processes that never outlive the tests.

mod child;
mod logs;
mod port;
mod program;
mod ready;
mod spawner;
mod supervisor;

pub(crate) use child::{Spec, Tier, command};
pub use logs::Marks;
pub use program::carillon;
pub(crate) use program::{built, installed};
pub(crate) use ready::Ready;
pub use supervisor::Supervisor;
