//! The counts of several gateways, whatever the bus does to what they tell each other.

mod model;

use carillon_contract::messages::GatewayNotice;
use proptest::prelude::*;

use super::*;
use crate::limits::{Mode, peer::SILENCE};
use model::{Model, Step};

pub(super) const HOUR: u64 = 3_600_000;

/// The clock of a day on which nothing happens. The hour's slots are of ten minutes.
pub(super) const NOON: u64 = 1_700_000_400_000;

pub(super) fn quotas(per_address: u32, reconnections: u32) -> Quotas {
    Quotas {
        subscriptions_per_connection: 0,
        mode: Mode::Production,
        connections_per_address: per_address,
        connections_per_user: 2,
        reconnections_per_hour: reconnections,
        messages_per_minute: 0,
        handshakes_per_second: 0,
        connections: 0,
        reconnection_window: 3_600,
        message_window: 60,
    }
}

impl Census {
    /// Everything, in messages.
    pub(super) fn all(&mut self, now: u64) -> Vec<GatewayNotice> {
        let pages = self.snapshot(now).pages();
        self.number(pages)
    }
}

fn one(per_address: u32, reconnections: u32) -> Census {
    Census::new("one", quotas(per_address, reconnections))
}

/// What `from` has to say is heard by `to`.
fn carry(from: &mut Census, to: &mut Census, now: u64) {
    for notice in from.news(now) {
        to.hear(&notice, now);
    }
}

const HERE: Source = Source::V4(7);

#[test]
fn an_address_has_so_many_connections_and_one_that_ends_makes_room() {
    let mut census = one(5, 0);
    (0..5).for_each(|_| census.enter(HERE, NOON).expect("room"));
    let over = census.enter(HERE, NOON).expect_err("no room");
    assert_eq!((over.limit, over.after_milliseconds), (Limit::Address, COME_BACK));
    census.enter(Source::V4(8), NOON).expect("another address");
    census.leave(HERE);
    census.enter(HERE, NOON).expect("room again");
    census.enter(HERE, NOON).expect_err("no room");
}

#[test]
fn a_user_has_so_many_connections_wherever_they_are() {
    let (mut one, mut two) = (one(0, 0), Census::new("two", quotas(0, 0)));
    one.enter_as("7").expect("room");
    carry(&mut one, &mut two, NOON);
    two.enter_as("7").expect("room");
    assert_eq!(two.enter_as("7").expect_err("no room").limit, Limit::User);
    one.leave_as(&"7".into());
    two.enter_as("7").expect_err("not told yet");
    carry(&mut one, &mut two, NOON);
    two.enter_as("7").expect("room again");
}

#[test]
fn an_address_comes_back_so_often_and_an_hour_later_again() {
    let mut census = one(0, 10);
    let mut now = NOON;
    for _ in 0..11 {
        census.enter(HERE, now).expect("the first, and ten times back");
        census.leave(HERE);
        now += 1_000;
    }
    let over = census.enter(HERE, now).expect_err("too often");
    assert_eq!(over.limit, Limit::Reconnections);
    now += over.after_milliseconds;
    assert!((NOON + HOUR..=NOON + HOUR + HOUR / 6).contains(&now), "within a slot of an hour");
    assert!(census.enter(HERE, now - 1).is_err());
    census.enter(HERE, now).expect("an hour later");
}

#[test]
fn who_is_sent_away_comes_back_for_nothing() {
    let (mut one, mut two) = (one(0, 1), Census::new("two", quotas(0, 1)));
    one.enter(HERE, NOON).expect("the first");
    for _ in 0..20 {
        one.excuse(HERE, NOON);
        one.leave(HERE);
        carry(&mut one, &mut two, NOON);
        two.enter(HERE, NOON).expect("sent here");
        two.excuse(HERE, NOON);
        two.leave(HERE);
        carry(&mut two, &mut one, NOON);
        one.enter(HERE, NOON).expect("sent back");
    }
    one.enter(HERE, NOON).expect("of its own accord");
    assert_eq!(one.enter(HERE, NOON).expect_err("too often").limit, Limit::Reconnections);
    carry(&mut one, &mut two, NOON);
    two.enter(HERE, NOON).expect_err("here as well");
}

#[test]
fn a_gateway_that_vanishes_frees_and_excuses_its_clients() {
    let (mut one, mut two) = (one(3, 3), Census::new("two", quotas(3, 3)));
    (0..3).for_each(|_| two.enter(HERE, NOON).expect("room"));
    carry(&mut two, &mut one, NOON);
    one.enter(HERE, NOON).expect_err("no room");
    one.forget(NOON + SILENCE - 1);
    one.enter(HERE, NOON).expect_err("not silent for long enough");
    one.forget(NOON + SILENCE);
    (0..3).for_each(|_| one.enter(HERE, NOON + SILENCE).expect("room again"));
}

#[test]
fn a_gateway_that_says_goodbye_is_gone_at_once() {
    let (mut one, mut two) = (one(1, 0), Census::new("two", quotas(1, 0)));
    two.enter(HERE, NOON).expect("room");
    carry(&mut two, &mut one, NOON);
    one.enter(HERE, NOON).expect_err("no room");
    one.hear(&two.farewell(), NOON);
    one.enter(HERE, NOON).expect("room again");
}

#[test]
fn a_gateway_that_starts_is_told_what_others_remember() {
    let (mut one, mut two) = (one(0, 3), Census::new("two", quotas(0, 3)));
    for _ in 0..4 {
        two.enter(HERE, NOON).expect("not too often");
        two.leave(HERE);
    }
    carry(&mut two, &mut one, NOON);
    one.hear(&two.farewell(), NOON);
    one.forget(NOON + SILENCE);
    let mut three = Census::new("three", quotas(0, 3));
    three.may_have_missed();
    one.hear(&three.question().expect("a question"), NOON + SILENCE);
    assert!(three.question().is_none(), "once is enough");
    assert!(one.is_asked());
    for notice in one.all(NOON + SILENCE) {
        three.hear(&notice, NOON + SILENCE);
    }
    assert_eq!(three.enter(HERE, NOON + SILENCE).expect_err("too often").limit, Limit::Reconnections);
    assert!(!one.is_asked());
}

#[test]
fn everything_is_told_in_pages_and_what_is_in_none_is_no_more() {
    let (mut one, mut two) = (one(1, 0), Census::new("two", quotas(1, 0)));
    for address in 0..10_000 {
        two.enter(Source::V4(address), NOON).expect("room");
    }
    let pages = two.all(NOON);
    assert!(pages.len() > 5 && pages.iter().all(|page| prost::Message::encoded_len(page) < 800_000));
    pages.iter().for_each(|page| one.hear(page, NOON));
    assert!((0..10_000).all(|address| one.connections_of(Source::V4(address)) == 1));
    (0..10_000).for_each(|address| two.leave(Source::V4(address)));
    // These news are lost; and of the next round a page, so that nothing can be told from it.
    two.news(NOON);
    for address in 5_000..10_000 {
        two.enter(Source::V4(address), NOON).expect("room");
    }
    two.all(NOON).iter().skip(1).for_each(|page| one.hear(page, NOON));
    assert_eq!(one.connections_of(Source::V4(0)), 1);
    two.all(NOON).iter().for_each(|page| one.hear(page, NOON));
    assert_eq!([0, 4_999, 5_000].map(|address| one.connections_of(Source::V4(address))), [0, 0, 1]);
}

#[test]
fn what_gateways_remember_is_bounded() {
    let mut census = one(0, 1);
    for number in 0..1_000 {
        let mut other = Census::new(&format!("other-{number}"), quotas(0, 1));
        other.enter(Source::V6(number), NOON).expect("the first");
        carry(&mut other, &mut census, NOON);
        census.hear(&other.farewell(), NOON);
    }
    assert!(census.peers.len() <= PEERS);
    for network in 0..100_000 {
        census.enter(Source::V6(network), NOON).expect("the first");
        census.leave(Source::V6(network));
    }
    assert!(census.is_asked(), "too much to be told one by one");
    assert!(census.changed.sources.len() <= CHANGES && census.sources.is_empty());
}

proptest! {
    /// Whatever is lost, doubled and late, whoever restarts: nobody gets more than the limit of each gateway;
    /// once everything has been told, the counts are right everywhere, and so is who gets in.
    #[test]
    fn gateways_agree_whatever_the_bus_did(steps in prop::collection::vec(any::<Step>(), 1..200)) {
        let mut model = Model::new(3);
        for step in steps {
            model.take(step);
            model.check_bound();
        }
        model.settle();
        model.check_agreement();
    }
}
