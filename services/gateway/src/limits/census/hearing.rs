//! What other gateways tell this one.

use carillon_contract::messages::{GatewayNotice, Tally, gateway_notice::Notice};

use super::{Census, PEERS};
use crate::limits::{Source, peer::Peer};

impl Census {
    /// Takes in what a gateway says. Its own voice is none.
    pub(crate) fn hear(&mut self, notice: &GatewayNotice, now: u64) {
        let name: &str = &notice.gateway;
        if *name == *self.name || name.is_empty() || !self.make_room_for(name) {
            return;
        }
        let slot = self.span().slot(now);
        let peer = self.peers.entry(name.into()).or_default();
        if !peer.heard(notice.number, now) {
            return;
        }
        match &notice.notice {
            Some(Notice::Tally(tally)) => {
                peer.count(tally);
                self.take_in_handshakes(name, tally, now);
            }
            Some(Notice::Wanted(_)) => self.changed.everything = true,
            Some(Notice::Gone(_)) => {
                peer.gone();
                peer.handshakes.forget(slot);
            }
            None => {}
        }
    }

    /// Forgets what no longer counts, and the connections of gateways that have been silent for too long.
    pub(crate) fn forget(&mut self, now: u64) {
        let slot = self.span().slot(now);
        // Handshakes cease to count by slots: it is enough to look through them once in each.
        let is_over = std::mem::replace(&mut self.swept, slot) != slot;
        if is_over {
            self.handshakes.forget(slot);
        }
        self.peers.retain(|name, peer| {
            if peer.is_silent(now) {
                if peer.has_connections() {
                    tracing::warn!(gateway = %name, "a gateway is silent: its connections no longer count");
                }
                peer.vanished(slot);
            }
            if is_over {
                peer.handshakes.forget(slot);
            }
            !peer.is_silent(now) || !peer.is_empty()
        });
    }

    fn take_in_handshakes(&mut self, teller: &str, tally: &Tally, now: u64) {
        let span = self.span();
        if tally.slot_milliseconds != span.slot_milliseconds() {
            return;
        }
        for told in &tally.handshakes {
            let name: &str = if told.gateway.is_empty() { teller } else { &told.gateway };
            // What others remember of this one they have from it.
            if *name == *self.name || !self.make_room_for(name) {
                continue;
            }
            let Some(source) = Source::of_bytes(&told.address) else { continue };
            let peer: &mut Peer = self.peers.entry(name.into()).or_default();
            peer.saw(source, (told.slot, told.made, told.excused), (span, now));
        }
    }

    /// Whether there is room for a gateway: that of one that is gone, if need be.
    fn make_room_for(&mut self, name: &str) -> bool {
        if self.peers.len() < PEERS || self.peers.contains_key(name) {
            return true;
        }
        let gone = self.peers.iter().filter(|(_, peer)| !peer.has_connections());
        let longest = gone.min_by_key(|(_, peer)| peer.last_heard()).map(|(name, _)| name.clone());
        longest.is_some_and(|longest| self.peers.remove(&longest).is_some())
    }
}
