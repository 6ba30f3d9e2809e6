//! How a crowd is spread over rooms.

use std::{fmt, str::FromStr};

use anyhow::{Context, Error, Result, ensure};
use serde::Serialize;

/// So many rooms with so many connections each: `100x10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Shape {
    pub(crate) rooms: usize,
    pub(crate) members: usize,
}

impl Shape {
    /// How many connections that makes.
    pub(crate) const fn connections(self) -> usize {
        self.rooms.saturating_mul(self.members)
    }

    /// The room of a connection.
    pub(crate) const fn room_of(self, connection: usize) -> usize {
        connection / self.members
    }

    /// The name of a room, which no other shape has.
    pub(crate) fn room_name(self, room: usize) -> String {
        format!("{self}-{room}")
    }
}

impl FromStr for Shape {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (rooms, members) = text.split_once('x').context("ROOMSxMEMBERS, as in 100x10")?;
        let shape = Self { rooms: rooms.parse()?, members: members.parse()? };
        ensure!(shape.connections() > 0, "nobody in no room");
        Ok(shape)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}x{}", self.rooms, self.members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_read_as_it_is_written() {
        let shape: Shape = "100x10".parse().expect("a shape");
        assert_eq!(
            (shape.connections(), shape.room_of(999), shape.to_string().as_str()),
            (1_000, 99, "100x10")
        );
        for wrong in ["", "100", "0x10", "10x0", "axb"] {
            assert!(wrong.parse::<Shape>().is_err(), "{wrong}");
        }
    }
}
