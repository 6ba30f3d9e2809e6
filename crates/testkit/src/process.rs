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
pub(crate) use program::{built, installed};
pub use program::{carillon, program};
pub(crate) use ready::Ready;
pub use supervisor::Supervisor;
