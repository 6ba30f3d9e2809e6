//! One worker's connections, and the fan-out to them: channel → connections, without a lock and
//! without a task wake per delivery. An event reaches a worker once; its frame is encoded once
//! for each dialect that is listening, joined with those of the same turn, shared, and everything
//! that is pending for a connection leaves in one write at the end of the turn.

mod alarm;
mod burst;
mod compressor;
mod connection;
mod crowds;
mod dismiss;
mod fan_out;
mod flush;
mod instruments;
mod listing;
mod marks;
mod membership;
mod opening;
mod outgoing;
mod registry;
mod render;
mod replays;
mod roll;
mod rounds;
mod slow;
mod speaking;
mod state;
mod stream;
mod tally;
mod timers;
mod turns;
mod worker;

pub(crate) use alarm::Alarm;
pub(crate) use connection::{Departure, Key};
pub(crate) use listing::Wanted;
pub(crate) use registry::{Bounds, Shard};
pub(crate) use render::variant;
pub(crate) use replays::cut;
pub(crate) use roll::Roll;
pub(crate) use state::State;
pub(crate) use stream::Reader;
pub(crate) use tally::{Tallies, Tally};
pub(crate) use worker::{Control, Draining, work};
