//! What this gateway tells the others.

use carillon_contract::messages::{
    AddressTally, GatewayGone, GatewayNotice, HandshakeTally, Tally, TallyPage, TallyWanted, UserTally,
    gateway_notice::Notice,
};

use super::{Census, Changed, Source};
use crate::limits::handshakes::{Handshakes, Record};

/// Numbers in one message: some 400 KB at the longest ids of users.
const PAGE: usize = 1_500;

impl Census {
    /// What has changed since it was last told, in messages; empty if nothing has.
    pub(crate) fn news(&mut self, now: u64) -> Vec<GatewayNotice> {
        let everything = self.changed.everything;
        let changed = std::mem::replace(&mut self.changed, Changed { everything, ..Changed::default() });
        let tally = self.changes(&changed, now);
        self.pages(tally, None)
    }

    /// Whether everything is to be told.
    pub(crate) fn is_asked(&self) -> bool {
        self.changed.everything
    }

    /// Everything, in messages: also of gateways that are gone, as far as it still counts.
    pub(crate) fn everything(&mut self, now: u64) -> Vec<GatewayNotice> {
        self.changed = Changed::default();
        self.rounds += 1;
        let slot = self.span().slot(now);
        let sources = self.sources.iter();
        let mut tally = Tally {
            addresses: sources.map(|(source, count)| address(*source, *count)).collect(),
            users: self.users.iter().map(|(user, count)| of_user(user, *count)).collect(),
            handshakes: of_all("", &self.handshakes, slot),
            ..Tally::default()
        };
        for (name, peer) in self.peers.iter().filter(|(_, peer)| peer.is_silent(now)) {
            tally.handshakes.extend(of_all(name, &peer.handshakes, slot));
        }
        let round = self.rounds;
        self.pages(tally, Some(round))
    }

    /// That this gateway is there. With nothing to tell, that is told.
    pub(crate) fn sign_of_life(&mut self) -> GatewayNotice {
        self.notice(Notice::Tally(self.tally()))
    }

    /// That this gateway wants to be told everything.
    pub(crate) fn question(&mut self) -> GatewayNotice {
        self.notice(Notice::Wanted(TallyWanted {}))
    }

    /// That this gateway is gone.
    pub(crate) fn farewell(&mut self) -> GatewayNotice {
        self.notice(Notice::Gone(GatewayGone {}))
    }

    /// What was told may not have been heard: everything is to be told once more.
    pub(crate) fn untold(&mut self) {
        self.changed.everything = true;
    }

    fn changes(&self, changed: &Changed, now: u64) -> Tally {
        let slot = self.span().slot(now);
        let of = |source: &Source| address(*source, self.sources.get(source).copied().unwrap_or(0));
        let of_user = |user: &str| of_user(user, self.users.get(user).copied().unwrap_or(0));
        let seen =
            changed.handshakes.iter().filter_map(|source| Some((source, self.handshakes.of(*source)?)));
        Tally {
            addresses: changed.sources.iter().map(of).collect(),
            users: changed.users.iter().map(|user| of_user(user)).collect(),
            handshakes: seen.flat_map(|(source, record)| of_record("", *source, record, slot)).collect(),
            ..Tally::default()
        }
    }

    /// A tally in messages, each with some of it.
    fn pages(&mut self, tally: Tally, round: Option<u64>) -> Vec<GatewayNotice> {
        let Tally { mut addresses, mut users, mut handshakes, .. } = tally;
        let mut notices = Vec::new();
        for index in 0.. {
            let mut part = self.tally();
            (part.addresses, addresses) = split(addresses);
            (part.users, users) = split(users);
            (part.handshakes, handshakes) = split(handshakes);
            let last = addresses.is_empty() && users.is_empty() && handshakes.is_empty();
            part.page = round.map(|round| TallyPage { round, index, last });
            let is_empty = part.addresses.is_empty() && part.users.is_empty() && part.handshakes.is_empty();
            if !is_empty || round.is_some() {
                notices.push(self.notice(Notice::Tally(part)));
            }
            if last {
                break;
            }
        }
        notices
    }

    fn tally(&self) -> Tally {
        Tally { slot_milliseconds: self.span().slot_milliseconds(), ..Tally::default() }
    }

    fn notice(&mut self, notice: Notice) -> GatewayNotice {
        self.numbers += 1;
        GatewayNotice { gateway: self.name.to_string(), number: self.numbers, notice: Some(notice) }
    }
}

fn split<T>(mut all: Vec<T>) -> (Vec<T>, Vec<T>) {
    let rest = all.split_off(all.len().min(PAGE));
    (all, rest)
}

fn address(source: Source, connections: u32) -> AddressTally {
    AddressTally { address: source.bytes().into(), connections }
}

fn of_user(user: &str, connections: u32) -> UserTally {
    UserTally { user: user.to_owned(), connections }
}

fn of_all(gateway: &str, handshakes: &Handshakes, slot: u64) -> Vec<HandshakeTally> {
    handshakes.iter().flat_map(|(source, record)| of_record(gateway, source, record, slot)).collect()
}

/// A record's slots that count and are not empty.
fn of_record(
    gateway: &str,
    source: Source,
    record: &Record,
    slot: u64,
) -> impl Iterator<Item = HandshakeTally> + use<> {
    let (gateway, slots) = (gateway.to_owned(), newer(record, slot));
    slots.into_iter().map(move |(slot, made, excused)| HandshakeTally {
        gateway: gateway.clone(),
        address: source.bytes().into(),
        slot,
        made,
        excused,
    })
}

fn newer(record: &Record, slot: u64) -> Vec<(u64, u32, u32)> {
    // Each of the two has its own newest slot.
    let slots = record.made.by_slot(slot).into_iter().chain(record.excused.by_slot(slot));
    let mut slots: Vec<u64> = slots.map(|(slot, _)| slot).collect();
    slots.sort_unstable();
    slots.dedup();
    let counts =
        slots.into_iter().map(|slot| (slot, record.made.in_slot(slot), record.excused.in_slot(slot)));
    counts.filter(|(_, made, excused)| made + excused > 0).collect()
}
