//! What the database has, as of one moment.

use std::collections::{BTreeMap, BTreeSet};

use carillon_contract::GatewayId;

use super::Pasts;

/// What was counted, of gateways that are there and of those that are gone.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Of gateways that are no longer kept apart.
    pub(crate) totals: Pasts,
    /// Of each of the others.
    pub(crate) gateways: BTreeMap<GatewayId, KeptGateway>,
    /// Of the gateways that were asked for, those that are part of the totals.
    pub(crate) folded: BTreeSet<GatewayId>,
}

/// What is kept of one gateway.
#[derive(Debug, Default)]
pub(crate) struct KeptGateway {
    /// The number of its latest report that was.
    pub(crate) number: u64,
    pub(crate) pasts: Pasts,
}

impl Kept {
    /// Whether it has all that a gateway told up to its report of this number.
    pub(super) fn has_all_of(&self, gateway: &GatewayId, number: u64) -> bool {
        let has = |kept: &KeptGateway| kept.number >= number;
        self.folded.contains(gateway) || self.gateways.get(gateway).is_some_and(has)
    }
}
