//! Where connections come in, which is what they are counted under.

use carillon_contract::{ENDPOINTS, Endpoint};

use crate::session::{Framing, SessionInfo};

/// An endpoint, over one of the transports. A small number, which every connection keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entrance(u8);

impl Entrance {
    /// Of an endpoint, for connections with this framing.
    pub(crate) fn new(endpoint: &Endpoint, framing: Framing) -> Self {
        let index = ENDPOINTS.iter().position(|row| row.name == endpoint.name).unwrap_or_default();
        let number = 2 * index + usize::from(framing == Framing::Events);
        // The table is a constant of a dozen rows.
        Self(u8::try_from(number).unwrap_or(u8::MAX))
    }

    /// Of a connection.
    pub(crate) fn of(info: &SessionInfo) -> Self {
        Self::new(info.endpoint, info.framing)
    }

    /// Every one, in the order of its index.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..2 * ENDPOINTS.len()).filter_map(|number| u8::try_from(number).ok().map(Self))
    }

    /// Its place among all.
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The endpoint's name.
    pub(crate) fn endpoint(self) -> &'static str {
        ENDPOINTS[self.index() / 2].name
    }

    /// The transport's name.
    pub(crate) fn transport(self) -> &'static str {
        if self.0.is_multiple_of(2) { "websocket" } else { "events" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_endpoint_has_one_for_each_transport() {
        let names = Entrance::all().map(|entrance| (entrance.endpoint(), entrance.transport()));
        let expected = ENDPOINTS.iter().flat_map(|row| [(row.name, "websocket"), (row.name, "events")]);
        assert!(names.eq(expected));
        for (index, entrance) in Entrance::all().enumerate() {
            let framing = if entrance.transport() == "events" { Framing::Events } else { Framing::Text };
            assert_eq!((entrance.index(), Entrance::new(&ENDPOINTS[index / 2], framing)), (index, entrance));
        }
    }
}
