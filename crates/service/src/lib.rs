//! The shell of a service process: arguments, logging, health, metrics, signals and drain, and
//! the methods that every service serves.
//!
//! A service is a type that implements [`Service`]; `run` of its crate builds it and hands it to
//! [`Shell::serve`]. The same `run` serves a process of its own ([`main`]) and `carillon up`.

mod allocator;
mod database;
mod dispatch;
mod event_loop;
mod failure;
mod health;
pub mod http;
mod logging;
mod nats;
pub mod notices;
mod ops;
mod outgoing;
mod process;
mod publisher;
mod readiness;
pub mod reply;
mod service;
mod shell;
mod systemd;
pub mod time;
mod vitals;

pub use database::DatabaseArgs;
pub use event_loop::EventLoops;
pub use failure::Failure;
pub use health::{Health, HealthTeller};
pub use logging::LogFormat;
pub use nats::NatsLoginArgs;
pub use ops::serve_ops;
pub use outgoing::Outgoing;
pub use process::{LogArgs, ProcessArgs, block_on, command_line, main, shutdown_on_signals};
pub use publisher::Publisher;
pub use readiness::{Readiness, Registration};
pub use service::{Service, answer};
pub use shell::Shell;
pub use systemd::tell_systemd;
pub use vitals::measure_process;
