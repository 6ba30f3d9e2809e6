//! Who is blocked: users, and addresses by their network.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
};

use carillon_contract::messages::Block;
use ipnet::IpNet;

/// The blocks in force, each with its end in microseconds since 1970, or 0. Bounded by what auth has.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    users: HashMap<String, i64>,
    /// By the length of their prefix, so that an address is looked for once for each length there is.
    networks: BTreeMap<u8, HashMap<IpNet, i64>>,
    /// What has changed since auth began to be asked for everything.
    meanwhile: Option<Vec<(Block, bool)>>,
}

impl Blocks {
    /// Somebody is blocked, or no longer.
    pub(super) fn change(&mut self, block: Block, is_blocked: bool) {
        self.apply(&block, is_blocked);
        if let Some(meanwhile) = &mut self.meanwhile {
            meanwhile.push((block, is_blocked));
        }
    }

    /// Everything is about to be asked for.
    pub(super) fn ask(&mut self) {
        self.meanwhile = Some(Vec::new());
    }

    /// Everything was told. What has changed since it was asked for is the later.
    pub(super) fn replace(&mut self, blocks: &[Block]) {
        let meanwhile = self.meanwhile.take().unwrap_or_default();
        *self = Self::default();
        blocks.iter().for_each(|block| self.apply(block, true));
        meanwhile.iter().for_each(|(block, is_blocked)| self.apply(block, *is_blocked));
    }

    /// Drops what has expired. `now` in microseconds since 1970.
    pub(super) fn forget(&mut self, now: i64) {
        self.users.retain(|_, until| holds(*until, now));
        self.networks.values_mut().for_each(|networks| networks.retain(|_, until| holds(*until, now)));
        self.networks.retain(|_, networks| !networks.is_empty());
    }

    pub(super) fn cover_user(&self, user: &str, now: i64) -> bool {
        self.users.get(user).is_some_and(|until| holds(*until, now))
    }

    pub(super) fn cover_address(&self, address: IpAddr, now: i64) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|(length, networks)| {
            let network = IpNet::new(address, *length).ok().map(|network| network.trunc());
            network.and_then(|network| networks.get(&network)).is_some_and(|until| holds(*until, now))
        })
    }

    fn apply(&mut self, block: &Block, is_blocked: bool) {
        if !block.user.is_empty() {
            match is_blocked {
                true => drop(self.users.insert(block.user.clone(), block.expires_at)),
                false => drop(self.users.remove(&block.user)),
            }
        }
        if let Ok(network) = block.network.parse::<IpNet>() {
            let networks = self.networks.entry(network.prefix_len()).or_default();
            match is_blocked {
                true => drop(networks.insert(network.trunc(), block.expires_at)),
                false => drop(networks.remove(&network.trunc())),
            }
        }
    }
}

fn holds(until: i64, now: i64) -> bool {
    until == 0 || until > now
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(user: &str, expires_at: i64) -> Block {
        Block { user: user.into(), expires_at, ..Block::default() }
    }

    fn network(network: &str, expires_at: i64) -> Block {
        Block { network: network.into(), expires_at, ..Block::default() }
    }

    fn covers(blocks: &Blocks, address: &str) -> bool {
        blocks.cover_address(address.parse().expect("an address"), 100)
    }

    #[test]
    fn a_block_covers_a_user_or_a_network_until_it_ends() {
        let mut blocks = Blocks::default();
        for block in
            [user("1", 0), user("2", 100), network("203.0.113.0/24", 101), network("2001:db8::/64", 0)]
        {
            blocks.change(block, true);
        }
        assert!(blocks.cover_user("1", 100) && !blocks.cover_user("2", 100) && blocks.cover_user("2", 99));
        for address in ["203.0.113.0", "203.0.113.255", "::ffff:203.0.113.7", "2001:db8::1:2"] {
            assert!(covers(&blocks, address), "{address}");
        }
        for address in ["203.0.112.255", "203.0.114.0", "2001:db8:0:1::", "::203.0.113.7"] {
            assert!(!covers(&blocks, address), "{address}");
        }
        blocks.change(network("203.0.113.0/24", 0), false);
        assert!(!covers(&blocks, "203.0.113.0"));
        blocks.forget(100);
        assert_eq!((blocks.users.len(), blocks.networks.len()), (1, 1));
    }

    #[test]
    fn what_changes_while_everything_is_asked_for_is_the_later() {
        let mut blocks = Blocks::default();
        blocks.change(user("gone meanwhile", 0), true);
        blocks.ask();
        blocks.change(user("lifted", 0), false);
        blocks.change(user("new", 0), true);
        blocks.replace(&[user("lifted", 0), user("old", 0)]);
        let covered = ["gone meanwhile", "lifted", "new", "old"].map(|user| blocks.cover_user(user, 0));
        assert_eq!(covered, [false, false, true, true]);
        blocks.change(user("old", 0), false);
        assert!(!blocks.cover_user("old", 0) && blocks.meanwhile.is_none());
    }
}
