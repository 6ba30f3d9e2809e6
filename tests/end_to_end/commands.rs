//! The operator's commands (S0-13), each as the process that an operator starts, against both forms: what it prints,
//! and with which code it ends, when all is well and when it isn't.

mod check;
mod connections;
pub(crate) mod invocation;
mod load;
mod migrate;
pub(crate) mod probe;
mod publish;
mod tail;
mod token;

use crate::suite::Suite;

pub(crate) fn register(suite: &mut Suite) {
    token::register(suite);
    publish::register(suite);
    tail::register(suite);
    connections::register(suite);
    check::register(suite);
    migrate::register(suite);
    probe::register(suite);
    load::register(suite);
}
