//! Leases of gateways, for services that count who is there.

use std::collections::VecDeque;

use carillon_contract::messages::{EnterRequest, RenewReply, RenewRequest, Session};

use super::{
    StandIn,
    hold::{Held, Hold, hold, wait},
};

/// The generation of gateways' leases, the gateways that renewed them, and the batches of
/// connections that were entered again.
#[derive(Default)]
pub(super) struct Leases {
    generation: u32,
    renewals: Vec<String>,
    renewal_holds: VecDeque<Hold>,
    entered: Vec<Vec<Session>>,
}

impl StandIn {
    /// Holds the answer to the next renewal of a lease.
    pub(crate) fn hold_renewal(&self) -> Held {
        let (hold, held) = hold();
        self.state().leases.renewal_holds.push_back(hold);
        held
    }

    /// Every gateway's lease lapses, and begins anew with its next renewal.
    pub(crate) fn lapse(&self) {
        let leases = &mut self.state().leases;
        leases.generation += 1;
        leases.entered.clear();
    }

    /// The gateway of each renewal.
    pub(crate) fn renewals(&self) -> Vec<String> {
        self.state().leases.renewals.clone()
    }

    /// The batches of connections that were entered again since the last lapse.
    pub(crate) fn entered(&self) -> Vec<Vec<Session>> {
        self.state().leases.entered.clone()
    }

    pub(super) async fn renew(&self, request: RenewRequest) -> RenewReply {
        let (generation, hold) = {
            let leases = &mut self.state().leases;
            leases.renewals.push(request.gateway);
            (format!("g{}", leases.generation), leases.renewal_holds.pop_front())
        };
        wait(hold).await;
        RenewReply { generation }
    }

    pub(super) fn enter(&self, request: EnterRequest) {
        self.state().leases.entered.push(request.sessions);
    }
}
