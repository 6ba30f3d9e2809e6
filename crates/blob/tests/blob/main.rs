//! What a grant permits and what it doesn't, and what the store keeps.

mod arguments;
mod grants;
mod uploads;
