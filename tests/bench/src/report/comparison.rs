//! Measurements of several servers in turns.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Quartiles;
use crate::servers::Kind;

/// Measurements of each server: those at the same place were made one after the other.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Comparison<M>(BTreeMap<Kind, Vec<M>>);

impl<M> Default for Comparison<M> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<M> Comparison<M> {
    pub(crate) fn push(&mut self, kind: Kind, measurement: M) {
        self.0.entry(kind).or_default().push(measurement);
    }

    /// The measurements of one server.
    pub(crate) fn of(&self, kind: Kind) -> &[M] {
        self.0.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// The servers that were measured.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.0.keys().copied()
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &M> {
        self.0.values().flatten()
    }

    /// How often each was measured.
    pub(crate) fn pairs(&self) -> usize {
        self.0.values().map(Vec::len).max().unwrap_or(0)
    }

    /// One server's figure.
    pub(crate) fn figure(&self, kind: Kind, figure: impl Fn(&M) -> f64) -> Option<Quartiles> {
        Quartiles::of(self.of(kind).iter().map(figure))
    }

    /// One server's figure by another's, pair by pair.
    pub(crate) fn ratio(&self, kind: Kind, to: Kind, figure: impl Fn(&M) -> f64) -> Option<Quartiles> {
        let pairs = self.of(kind).iter().zip(self.of(to));
        Quartiles::of(pairs.map(|(one, other)| figure(one) / figure(other)))
    }

    /// One server's figure by the floor's.
    pub(crate) fn to_floor(&self, kind: Kind, figure: impl Fn(&M) -> f64) -> Option<Quartiles> {
        self.ratio(kind, Kind::Floor, figure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_pair_by_pair() {
        let mut comparison = Comparison::default();
        for (floor, gateway) in [(1.0, 2.0), (10.0, 30.0), (2.0, 2.0)] {
            comparison.push(Kind::Floor, floor);
            comparison.push(Kind::Gateway, gateway);
        }
        let ratio = comparison.to_floor(Kind::Gateway, |value| *value).expect("pairs");
        assert_eq!((ratio.median, comparison.pairs()), (2.0, 3));
        assert_eq!(comparison.to_floor(Kind::Ws, |value| *value), None);
        assert_eq!(comparison.kinds().count(), 2);
    }
}
