//! How many instructions a process retires, where the machine counts them: virtual ones often don't.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

const EVENT: &str = "instructions";

/// What counts the instructions of other processes.
#[derive(Debug)]
pub(crate) struct Instructions {
    /// Why they can't be counted.
    pub(crate) missing: Option<String>,
}

/// A count that is under way.
#[derive(Debug)]
pub(crate) struct Counter {
    perf: Child,
    period: Duration,
}

impl Instructions {
    /// Finds out whether they can be counted.
    pub(crate) fn look() -> Self {
        let tried = perf(&["true"]).output().context("there is no perf");
        let missing = match tried.and_then(|output| count(&String::from_utf8_lossy(&output.stderr), EVENT)) {
            Ok(_) => None,
            Err(error) => Some(format!("Instructions are not counted: {error:#}.")),
        };
        Self { missing }
    }

    /// Begins to count those of a process, for `period`. `None` where they can't be counted.
    ///
    /// # Errors
    /// If it can't be begun although it could before.
    pub(crate) fn count(&self, process: u32, period: Duration) -> Result<Option<Counter>> {
        if self.missing.is_some() {
            return Ok(None);
        }
        let period_text = format!("{:.3}", period.as_secs_f64());
        let mut command = perf(&["-p", &process.to_string(), "sleep", &period_text]);
        let perf = command.stderr(Stdio::piped()).spawn().context("cannot start perf")?;
        Ok(Some(Counter { perf, period }))
    }
}

impl Counter {
    /// How many there were in a second of the period, which is over.
    ///
    /// # Errors
    /// If nothing was counted.
    pub(crate) fn per_second(self) -> Result<f64> {
        let output = self.perf.wait_with_output()?;
        let count = count(&String::from_utf8_lossy(&output.stderr), EVENT)?;
        Ok(count / self.period.as_secs_f64())
    }
}

/// `perf stat`, which writes its count to standard error, separated by commas.
fn perf(arguments: &[&str]) -> Command {
    let mut command = Command::new("perf");
    command.args(["stat", "-x,", "-e", EVENT]).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn count(text: &str, event: &str) -> Result<f64> {
    let named = |line: &&str| line.split(',').any(|field| field.split(':').next() == Some(event));
    let line = text.lines().find(named).with_context(|| format!("perf says {:?}", text.trim()))?;
    let count = line.split(',').next().unwrap_or_default();
    ensure!(!count.starts_with('<'), "perf says {count}");
    count.parse().with_context(|| format!("perf says {line:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_told_from_none() {
        assert_eq!(count("123456,,instructions,1000,100.00,,\n", EVENT).expect("a count"), 123_456.0);
        assert_eq!(count("9,,instructions:u,1000,100.00,,\n", EVENT).expect("a count"), 9.0);
        let missing = count("<not supported>,,instructions,0,100.00,,\n", EVENT).expect_err("none");
        assert!(missing.to_string().contains("not supported"), "{missing}");
        assert!(count("", EVENT).is_err() && count("x,,instructions", EVENT).is_err());
    }

    #[test]
    fn a_machine_either_counts_or_says_why_not() {
        let instructions = Instructions::look();
        let counter = instructions.count(std::process::id(), Duration::from_millis(50)).expect("perf");
        match (counter, &instructions.missing) {
            (Some(counter), None) => assert!(counter.per_second().expect("a count") > 0.0),
            (None, Some(why)) => assert!(!why.is_empty()),
            other => panic!("{other:?}"),
        }
    }
}
