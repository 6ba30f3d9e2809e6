//! The ticket-presence service through its public door: the bus. Each case runs on SQLite and on Postgres.

fn main() {}
