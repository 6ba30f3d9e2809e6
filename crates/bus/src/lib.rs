//! crates/bus
