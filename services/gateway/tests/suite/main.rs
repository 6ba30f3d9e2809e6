//! The gateway, with stand-ins for the services behind it: what reaches clients, whatever becomes
//! of events, questions and connections.

mod access;
mod bed;
mod binary;
mod blobs;
mod blocks;
mod channels;
mod client;
mod client_address;
mod closes;
mod compression;
mod console;
mod dismissals;
mod event_source;
mod farewells;
mod figures;
mod frames;
mod greeting;
mod leases;
mod limits;
mod liveness;
mod order;
mod recovery;
mod slow;
mod stand_in;
mod streams;
mod telemetry;
mod tls;
mod tokens;
