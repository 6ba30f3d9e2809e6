//! Several gateways, what is really so, and a bus that can't be trusted.

use std::collections::HashMap;

use carillon_contract::messages::GatewayNotice;
use proptest::prelude::*;

use super::{NOON, quotas};
use crate::limits::{Source, census::Census, peer::SILENCE};

/// Connections of an address.
const LIMIT: u32 = 3;

/// Addresses that connect.
const ADDRESSES: u32 = 2;

/// What happens next.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Connect {
        gateway: usize,
        address: u32,
    },
    Disconnect {
        gateway: usize,
        address: u32,
    },
    Tell {
        gateway: usize,
    },
    TellEverything {
        gateway: usize,
    },
    /// A message that is under way: what comes of it, and which one, as seen from the oldest.
    Deliver {
        place: usize,
    },
    Double {
        place: usize,
    },
    Lose {
        place: usize,
    },
    Restart {
        gateway: usize,
        with_farewell: bool,
    },
    Wait {
        milliseconds: u64,
    },
}

impl Arbitrary for Step {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let (gateway, address) = (0usize..3, 0u32..ADDRESSES);
        prop_oneof![
            6 => (gateway.clone(), address.clone())
                .prop_map(|(gateway, address)| Self::Connect { gateway, address }),
            4 => (gateway.clone(), address).prop_map(|(gateway, address)| Self::Disconnect { gateway, address }),
            6 => gateway.clone().prop_map(|gateway| Self::Tell { gateway }),
            2 => gateway.clone().prop_map(|gateway| Self::TellEverything { gateway }),
            8 => (0usize..3).prop_map(|place| Self::Deliver { place }),
            2 => (0usize..9).prop_map(|place| Self::Double { place }),
            2 => (0usize..9).prop_map(|place| Self::Lose { place }),
            1 => (gateway, any::<bool>())
                .prop_map(|(gateway, with_farewell)| Self::Restart { gateway, with_farewell }),
            1 => (0u64..SILENCE).prop_map(|milliseconds| Self::Wait { milliseconds }),
        ]
        .boxed()
    }
}

pub(super) struct Model {
    gateways: Vec<Census>,
    /// Open connections, by gateway and address.
    open: HashMap<(usize, u32), u32>,
    /// Handshakes, by address.
    made: HashMap<u32, i64>,
    /// Under way: to whom, and what.
    bus: Vec<(usize, GatewayNotice)>,
    now: u64,
    lives: u32,
}

impl Model {
    pub(super) fn new(gateways: usize) -> Self {
        let mut model = Self {
            gateways: Vec::new(),
            open: HashMap::new(),
            made: HashMap::new(),
            bus: Vec::new(),
            now: NOON,
            lives: 0,
        };
        for _ in 0..gateways {
            let census = model.born();
            model.gateways.push(census);
        }
        model
    }

    fn born(&mut self) -> Census {
        self.lives += 1;
        Census::new(&format!("gateway-{}", self.lives), quotas(LIMIT, 1_000))
    }

    pub(super) fn take(&mut self, step: Step) {
        match step {
            Step::Connect { gateway, address } => self.connect(gateway, address),
            Step::Disconnect { gateway, address } => {
                if let Some(open) = self.open.get_mut(&(gateway, address)).filter(|open| **open > 0) {
                    *open -= 1;
                    self.gateways[gateway].leave(Source::V4(address));
                }
            }
            Step::Tell { gateway } => {
                let news = self.gateways[gateway].news(self.now);
                self.publish(gateway, &news);
            }
            Step::TellEverything { gateway } => self.tell_everything(gateway),
            Step::Deliver { place } => {
                if place < self.bus.len() {
                    let (to, notice) = self.bus.remove(place);
                    self.gateways[to].hear(&notice, self.now);
                }
            }
            Step::Double { place } => {
                if let Some(doubled) = self.bus.get(place) {
                    self.bus.push(doubled.clone());
                }
            }
            Step::Lose { place } => {
                if place < self.bus.len() {
                    self.bus.remove(place);
                }
            }
            Step::Restart { gateway, with_farewell } => self.restart(gateway, with_farewell),
            Step::Wait { milliseconds } => self.wait(milliseconds),
        }
    }

    fn connect(&mut self, gateway: usize, address: u32) {
        let own = self.open.entry((gateway, address)).or_default();
        let entered = self.gateways[gateway].enter(Source::V4(address), self.now).is_ok();
        assert!(!entered || *own < LIMIT, "a gateway knows at least of its own");
        if entered {
            *own += 1;
            *self.made.entry(address).or_default() += 1;
        }
    }

    fn restart(&mut self, gateway: usize, with_farewell: bool) {
        if with_farewell {
            let farewell = self.gateways[gateway].farewell();
            self.publish(gateway, &[farewell]);
        }
        self.gateways[gateway] = self.born();
        self.open.retain(|(of, _), _| *of != gateway);
        self.bus.retain(|(to, _)| *to != gateway);
    }

    fn wait(&mut self, milliseconds: u64) {
        self.now += milliseconds;
        for gateway in &mut self.gateways {
            gateway.forget(self.now);
        }
    }

    fn tell_everything(&mut self, gateway: usize) {
        let everything = self.gateways[gateway].all(self.now);
        self.publish(gateway, &everything);
    }

    fn publish(&mut self, from: usize, notices: &[GatewayNotice]) {
        let others = (0..self.gateways.len()).filter(|to| *to != from);
        for to in others {
            self.bus.extend(notices.iter().map(|notice| (to, notice.clone())));
        }
    }

    /// Everyone says everything, and is heard, until silence has forgotten those that are gone. What was said long ago
    /// comes last, and again.
    pub(super) fn settle(&mut self) {
        let mut late = std::mem::take(&mut self.bus);
        late.retain(|(_, notice)| self.gateways.iter().any(|living| *living.name == *notice.gateway));
        for _ in 0..6 {
            self.wait(SILENCE / 5);
            (0..self.gateways.len()).for_each(|gateway| self.tell_everything(gateway));
            for (to, notice) in std::mem::take(&mut self.bus) {
                self.gateways[to].hear(&notice, self.now);
            }
        }
        for (to, notice) in late.iter().chain(&late) {
            self.gateways[*to].hear(notice, self.now);
        }
    }

    fn truth(&self, address: u32) -> u64 {
        let open = self.open.iter().filter(|((_, of), _)| *of == address);
        open.map(|(_, open)| u64::from(*open)).sum()
    }

    /// However late the others hear of it, a burst overshoots by no more than a limit for each of them.
    pub(super) fn check_bound(&self) {
        let bound = u64::from(LIMIT) * self.gateways.len() as u64;
        for address in 0..ADDRESSES {
            assert!(self.truth(address) <= bound);
        }
    }

    pub(super) fn check_agreement(&mut self) {
        for address in 0..ADDRESSES {
            let (source, truth) = (Source::V4(address), self.truth(address));
            for gateway in &mut self.gateways {
                assert_eq!(gateway.connections_of(source), truth);
                let seen: i64 = gateway.lately(source, gateway.span().slot(self.now)).iter().sum();
                assert!(seen <= self.made.get(&address).copied().unwrap_or(0), "none is counted twice");
                assert_eq!(gateway.enter(source, self.now).is_ok(), truth < LIMIT.into());
            }
        }
    }
}
