//! What this gateway tells the others.

use std::{collections::HashMap, sync::Arc};

use carillon_contract::messages::{
    AddressTally, GatewayGone, GatewayNotice, HandshakeTally, Tally, TallyPage, TallyWanted, UserTally,
    gateway_notice::Notice,
};

use super::{Census, Changed, Source};
use crate::limits::{
    handshakes::{Handshakes, Record},
    window::Span,
};

/// Numbers in one message: some 400 KB at the longest ids of users.
const PAGE: usize = 1_500;

impl Census {
    /// What has changed since it was last told, in messages; empty if nothing has.
    pub(crate) fn news(&mut self, now: u64) -> Vec<GatewayNotice> {
        let Changed { everything, question, .. } = self.changed;
        let changed =
            std::mem::replace(&mut self.changed, Changed { everything, question, ..Changed::default() });
        let tally = self.changes(&changed, now);
        self.number(pages(tally, self.span(), None))
    }

    /// Whether everything is to be told.
    pub(crate) fn is_asked(&self) -> bool {
        self.changed.everything
    }

    /// Everything as it is now, also of gateways that are gone, as far as it still counts. To be told next.
    pub(crate) fn snapshot(&mut self, now: u64) -> Snapshot {
        self.changed = Changed { question: self.changed.question, ..Changed::default() };
        self.rounds += 1;
        let gone = self.peers.iter().filter(|(_, peer)| peer.is_silent(now));
        let gone = gone.map(|(name, peer)| (name.clone(), peer.handshakes.clone()));
        Snapshot {
            round: self.rounds,
            span: self.span(),
            slot: self.span().slot(now),
            sources: self.sources.clone(),
            users: self.users.clone(),
            handshakes: [("".into(), self.handshakes.clone())].into_iter().chain(gone).collect(),
        }
    }

    /// Messages with these, in their order.
    pub(crate) fn number(&mut self, notices: Vec<Notice>) -> Vec<GatewayNotice> {
        notices.into_iter().map(|notice| self.notice(notice)).collect()
    }

    /// That this gateway is there. With nothing to tell, that is told.
    pub(crate) fn sign_of_life(&mut self) -> GatewayNotice {
        self.notice(Notice::Tally(empty(self.span())))
    }

    /// That this gateway wants to be told everything, if it does.
    pub(crate) fn question(&mut self) -> Option<GatewayNotice> {
        std::mem::take(&mut self.changed.question).then(|| self.notice(Notice::Wanted(TallyWanted {})))
    }

    /// This gateway may have missed something, and what it told may not have been heard.
    pub(crate) fn may_have_missed(&mut self) {
        self.changed.question = true;
        self.untold();
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

    fn notice(&mut self, notice: Notice) -> GatewayNotice {
        self.numbers += 1;
        GatewayNotice { gateway: self.name.to_string(), number: self.numbers, notice: Some(notice) }
    }
}

/// Everything that a gateway tells, apart from it: so that nobody waits while it is put into messages.
pub(crate) struct Snapshot {
    round: u64,
    span: Span,
    slot: u64,
    sources: HashMap<Source, u32>,
    users: HashMap<Arc<str>, u32>,
    /// By whose they are.
    handshakes: Vec<(Box<str>, Handshakes)>,
}

impl Snapshot {
    /// What it is told with.
    pub(crate) fn pages(&self) -> Vec<Notice> {
        let of_gateway = |(name, handshakes): &(Box<str>, Handshakes)| of_all(name, handshakes, self.slot);
        let tally = Tally {
            addresses: self.sources.iter().map(|(source, count)| address(*source, *count)).collect(),
            users: self.users.iter().map(|(user, count)| of_user(user, *count)).collect(),
            handshakes: self.handshakes.iter().flat_map(of_gateway).collect(),
            ..Tally::default()
        };
        pages(tally, self.span, Some(self.round))
    }
}

/// A tally in parts, each for one message.
fn pages(tally: Tally, span: Span, round: Option<u64>) -> Vec<Notice> {
    let Tally { addresses, users, handshakes, .. } = tally;
    let count = [addresses.len(), users.len(), handshakes.len()].map(|length| length.div_ceil(PAGE));
    let count = count.into_iter().max().unwrap_or(0).max(usize::from(round.is_some()));
    let (mut addresses, mut users) = (addresses.into_iter(), users.into_iter());
    let mut handshakes = handshakes.into_iter();
    let page = |index: usize| Tally {
        addresses: addresses.by_ref().take(PAGE).collect(),
        users: users.by_ref().take(PAGE).collect(),
        handshakes: handshakes.by_ref().take(PAGE).collect(),
        page: round.map(|round| TallyPage {
            round,
            index: u32::try_from(index).unwrap_or(u32::MAX),
            last: index + 1 == count,
        }),
        ..empty(span)
    };
    (0..count).map(page).map(Notice::Tally).collect()
}

fn empty(span: Span) -> Tally {
    Tally { slot_milliseconds: span.slot_milliseconds(), ..Tally::default() }
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
