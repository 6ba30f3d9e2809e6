//! `make cluster`.
fn main() {}
