//! What a process has used, by the operating system's accounts.

use std::fs;

use anyhow::{Context, Result};
use serde::Serialize;

/// The memory of one process, in KiB.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Memory {
    /// Resident, pages shared with other processes counted in full (`VmRSS`).
    pub(crate) resident: u64,
    /// Resident, shared pages counted in proportion (`Pss`).
    pub(crate) proportional: u64,
}

/// The processor time of a process and all its threads so far, user and system, in seconds.
///
/// # Errors
/// A process that is no more.
pub(crate) fn cpu_seconds(process: u32) -> Result<f64> {
    let stat = read(process, "stat")?;
    let ticks = ticks(&stat).with_context(|| format!("not understood: {stat}"))?;
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// The memory of a process now.
///
/// # Errors
/// A process that is no more.
pub(crate) fn memory(process: u32) -> Result<Memory> {
    let resident = field(&read(process, "status")?, "VmRSS:").context("no VmRSS")?;
    let proportional = field(&read(process, "smaps_rollup")?, "Pss:").context("no Pss")?;
    Ok(Memory { resident, proportional })
}

fn read(process: u32, file: &str) -> Result<String> {
    let path = format!("/proc/{process}/{file}");
    fs::read_to_string(&path).with_context(|| format!("cannot read {path}: has the process ended?"))
}

/// utime and stime, the 14th and 15th field; the 2nd is a name in parentheses that can hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// A line of the form `Name:   123 kB`.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_full_of_parentheses_misleads_nobody() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 5 1000 200";
        assert_eq!(ticks(stat), Some(300));
    }

    #[test]
    fn this_process_has_accounts() {
        let here = std::process::id();
        assert!(cpu_seconds(here).expect("a time") >= 0.0);
        let memory = memory(here).expect("memory");
        assert!(memory.resident > 0 && memory.proportional > 0);
    }
}
