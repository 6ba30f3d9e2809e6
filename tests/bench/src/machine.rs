//! The machine: what it is, and what else it does while something is measured.

use std::{fs, time::Instant};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::{accounts, report::Quartiles};

/// More than so much of a core taken by others, and a measurement counts as disturbed.
const TOLERATED: f64 = 0.1;

/// What a report says of the machine.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) system: String,
}

impl Machine {
    pub(crate) fn look() -> Self {
        let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let field = |name| text.lines().filter_map(move |line| line.strip_prefix(name));
        let processor = field("model name").next().map(|value| value.trim_start_matches([' ', '\t', ':']));
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            processor: processor.unwrap_or("an unknown processor").to_owned(),
            // All of them, wherever this thread may run.
            cores: field("processor").count(),
            system: format!("Linux {}", release.trim()),
        }
    }
}

/// The machine's accounts at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    at: Instant,
    /// CPU seconds of all processes, and of interrupts: what a socket's writer does for its reader is one.
    all: f64,
    /// CPU seconds that a host took for other machines.
    stolen: f64,
    /// CPU seconds of this process and of all that it has started.
    ours: f64,
}

impl Moment {
    /// # Errors
    /// A system without `/proc`.
    pub(crate) fn now() -> Result<Self> {
        let stat = fs::read_to_string("/proc/stat").context("cannot read /proc/stat")?;
        let (all, stolen) = busy(&stat).with_context(|| format!("not understood: {stat}"))?;
        let ours = accounts::descendants_cpu_seconds(std::process::id())?;
        Ok(Self { at: Instant::now(), all, stolen, ours })
    }

    /// How many cores others have kept busy between two moments.
    pub(crate) fn others_until(self, end: Self) -> f64 {
        let others = (end.all - self.all) - (end.ours - self.ours) + (end.stolen - self.stolen);
        (others / (end.at - self.at).as_secs_f64()).max(0.0)
    }
}

/// User, nice, system and interrupts' time, and what was stolen, in seconds.
fn busy(stat: &str) -> Option<(f64, f64)> {
    let ticks: Vec<u64> =
        stat.lines().next()?.split_whitespace().skip(1).map_while(|field| field.parse().ok()).collect();
    let seconds = |ticks: u64| ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
    let [user, nice, system, _idle, _waiting, hard, soft, ref more @ ..] = ticks[..] else { return None };
    Some((seconds(user + nice + system + hard + soft), seconds(more.first().copied().unwrap_or(0))))
}

/// What is said of measurements during which others have taken so many cores.
pub(crate) fn disturbance(others: impl IntoIterator<Item = f64>) -> String {
    let others: Vec<f64> = others.into_iter().collect();
    let Some(Quartiles { median, .. }) = Quartiles::of(others.iter().copied()) else {
        return String::new();
    };
    let (count, most) = (others.len(), others.iter().copied().fold(0.0, f64::max));
    let disturbed = others.iter().filter(|share| **share > TOLERATED).count();
    let verdict = match disturbed {
        0 => format!("None of {count} measurements was disturbed"),
        _ => format!("**Disturbed: {disturbed} of {count} measurements**"),
    };
    format!(
        "{verdict}: other work on the machine took {median:.2} cores in the median, at most {most:.2} \
         (more than {TOLERATED} counts)."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_understood() {
        let stat = "cpu  100 20 30 4000 5 6 7 80 0 0\ncpu0 1 2 3\n";
        let seconds = rustix::param::clock_ticks_per_second() as f64;
        assert_eq!(busy(stat), Some((163.0 / seconds, 80.0 / seconds)));
        assert_eq!(busy("cpu  100\n"), None);
    }

    #[test]
    fn own_work_is_not_others() {
        let moment = Moment::now().expect("accounts");
        let end = Instant::now() + std::time::Duration::from_millis(100);
        while Instant::now() < end {
            std::hint::black_box(0);
        }
        let end = Moment::now().expect("accounts");
        assert!(end.ours > moment.ours, "this thread has worked");
        assert!(moment.others_until(end) < 1_000.0);
        let others = Moment { all: end.all + 1.0, ..end };
        assert!(moment.others_until(others) > moment.others_until(end));
    }

    #[test]
    fn disturbance_is_told() {
        assert!(disturbance([0.0, 0.05]).starts_with("None of 2"));
        assert!(disturbance([0.0, 0.5, 0.05]).starts_with("**Disturbed: 1 of 3"));
        assert_eq!(disturbance([]), "");
    }
}
