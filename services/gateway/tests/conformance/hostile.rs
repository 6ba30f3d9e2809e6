//! Ten thousand hostile handshakes and frames at one gateway, while others listen: its memory is the same afterwards, and they have
//! got every event, once and in order, without delay.

mod attacks;
mod memory;
mod random;
mod witnesses;

use std::{
    net::SocketAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::ensure;
use libtest_mimic::Trial;

use crate::{gateway::GatewayProcess, stage::Backstage};
use attacks::Attack;
use random::Random;
use witnesses::Witnesses;

pub(crate) const NAME: &str = "hostile clients";

/// What one round consists of. The first one warms the gateway up: it has seen everything once, then.
const WARM_UP: usize = 2_500;
const ATTACKS: usize = 10_000;

/// Attackers at a time.
const ATTACKERS: usize = 8;

/// How many of them, in each round, send the beginning of something and then nothing more.
const STALLING: usize = 500;

/// By how much the gateway's memory may have grown, in KiB: less than half a KiB for each attack.
const GROWTH: u64 = 4_096;

/// How long the gateway may take to be rid of them all.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn trial() -> Trial {
    Trial::test(NAME, || Ok(endure()?))
}

fn endure() -> anyhow::Result<()> {
    // Of its own, because what the witnesses hear would be heard by the clients of other gateways too.
    let stage = Backstage::start()?;
    // Nobody is pinged, so that whoever is still there was not let go as dead.
    let options = ["--compression", "--request-timeout-seconds", "1", "--heartbeat-seconds", "3600"];
    let (gateway, address) = stage.gateway(&options)?;
    let witnesses = Witnesses::listen(&stage, address)?;
    let quiet = || quiet(&gateway, witnesses.count());
    round(address, 0, WARM_UP)?;
    quiet()?;
    let before = memory::resident(gateway.id())?;
    let start = Instant::now();
    round(address, WARM_UP, ATTACKS)?;
    quiet()?;
    let (after, took) = (memory::resident(gateway.id())?, start.elapsed());
    let heard = witnesses.heard()?;
    println!(
        "{ATTACKS} attacks in {took:.1?}: {before} KiB before, {after} KiB after; {} events, the slowest after {:.1?}",
        heard.events, heard.slowest
    );
    ensure!(after <= before + GROWTH, "the gateway's memory grew from {before} to {after} KiB");
    Ok(())
}

/// So many attacks, by several attackers, and some that wait all the while for something to happen.
fn round(address: SocketAddr, first: usize, count: usize) -> anyhow::Result<()> {
    let stalling = (first..first + STALLING).map(|number| attacks::stall(&mut Random::of(number), address));
    let stalling = stalling.collect::<anyhow::Result<Vec<_>>>()?;
    let (next, failed) = (AtomicUsize::new(first + stalling.len()), Mutex::new(None));
    thread::scope(|scope| {
        for _ in 0..ATTACKERS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= first + count {
                        return;
                    }
                    let attack = Attack::of(number);
                    if let Err(error) = attack.run(&mut Random::of(number), address) {
                        let error = error.context(format!("attack {number}, {}", attack.name));
                        failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                        return;
                    }
                }
            });
        }
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => stalling.into_iter().try_for_each(attacks::Stalled::outlive),
    }
}

/// Waits until nobody is there but those who are no attackers.
fn quiet(gateway: &GatewayProcess, witnesses: usize) -> anyhow::Result<()> {
    let since = Instant::now();
    loop {
        let there = gateway.metric("carillon_gateway_connections{")?;
        if there <= witnesses as f64 {
            ensure!(there >= witnesses as f64, "{there} of {witnesses} are left");
            return Ok(());
        }
        ensure!(since.elapsed() < PATIENCE, "{there} connections are still there");
        thread::sleep(Duration::from_millis(20));
    }
}
