//! crates/token
