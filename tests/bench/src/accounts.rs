//! What a process has used, by the operating system's accounts.

use std::{collections::HashMap, fs};

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

/// The same of a process and its children, those that have ended included: a Postgres has a process for
/// each connection.
///
/// # Errors
/// A process that is no more.
pub(crate) fn family_cpu_seconds(parent: u32) -> Result<f64> {
    let stat = read(parent, "stat")?;
    let own = family_ticks(&stat).with_context(|| format!("not understood: {stat}"))?;
    // A child that ends meanwhile is in its parent's accounts the next time.
    let others = fs::read_dir("/proc").context("cannot read /proc")?.filter_map(|entry| {
        let process: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        read(process, "stat").ok()
    });
    let children = others.filter(|stat| parent_of(stat) == Some(parent)).filter_map(|stat| ticks(&stat));
    Ok((own + children.sum::<u64>()) as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// The processor time of a process and of all processes below it, those that have ended included.
///
/// # Errors
/// A process that is no more.
pub(crate) fn descendants_cpu_seconds(ancestor: u32) -> Result<f64> {
    let mut family = HashMap::new();
    for entry in fs::read_dir("/proc").context("cannot read /proc")? {
        let Some(process) = entry.ok().and_then(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        else {
            continue;
        };
        // One may end meanwhile.
        let Ok(stat) = read(process, "stat") else { continue };
        if let (Some(parent), Some(ticks)) = (parent_of(&stat), family_ticks(&stat)) {
            family.insert(process, (parent, ticks));
        }
    }
    let is_below = |mut process: u32| loop {
        match family.get(&process) {
            _ if process == ancestor => return true,
            Some((parent, _)) if *parent != process => process = *parent,
            _ => return false,
        }
    };
    let below = family.iter().filter(|(process, _)| is_below(**process));
    let ticks: u64 = below.map(|(_, (_, ticks))| ticks).sum();
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

/// utime and stime, the 14th and 15th field.
fn ticks(stat: &str) -> Option<u64> {
    sum(fields(stat)?.skip(11).take(2))
}

/// Those, and the same of children that have ended, cutime and cstime.
fn family_ticks(stat: &str) -> Option<u64> {
    sum(fields(stat)?.skip(11).take(4))
}

/// ppid, the 4th field.
fn parent_of(stat: &str) -> Option<u32> {
    fields(stat)?.nth(1)?.parse().ok()
}

/// From the 3rd: the 2nd is a name in parentheses that can hold anything.
fn fields(stat: &str) -> Option<impl Iterator<Item = &str>> {
    Some(stat.rsplit_once(')')?.1.split_whitespace())
}

fn sum<'a>(fields: impl Iterator<Item = &'a str>) -> Option<u64> {
    let (mut sum, mut count) = (0, 0);
    for field in fields {
        sum += field.parse::<u64>().ok()?;
        count += 1;
    }
    (count > 0).then_some(sum)
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
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 30 20 20 0 1 0 5 1000 200";
        assert_eq!((ticks(stat), family_ticks(stat), parent_of(stat)), (Some(300), Some(350), Some(1)));
        assert_eq!(ticks("7 (a) S 1"), None);
    }

    #[test]
    fn this_process_has_accounts() {
        let here = std::process::id();
        assert!(cpu_seconds(here).expect("a time") >= 0.0);
        assert!(family_cpu_seconds(here).expect("a time") >= 0.0);
        assert!(descendants_cpu_seconds(here).expect("a time") >= cpu_seconds(here).expect("a time") - 0.1);
        let memory = memory(here).expect("memory");
        assert!(memory.resident > 0 && memory.proportional > 0);
    }
}
