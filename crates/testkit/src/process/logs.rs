//! What processes have written.

use std::{collections::BTreeMap, time::Instant};

use anyhow::ensure;

use super::supervisor::{KEEP, POLL, Supervisor, lock};

/// How many lines of a process's output are shown when something fails.
const TAIL: usize = 25;

/// How much each process had written at some moment.
pub type Marks = BTreeMap<String, u64>;

impl Supervisor {
    /// The end of a process's log.
    pub fn tail(&self, name: &str) -> String {
        let tail = self.with(name, |process| Ok(process.tail(0, TAIL)));
        tail.unwrap_or_else(|error| error.to_string())
    }

    /// Everything that a process has written.
    ///
    /// # Errors
    /// If there is no such process.
    pub fn output(&self, name: &str) -> anyhow::Result<String> {
        self.with(name, |process| Ok(process.tail(0, usize::MAX)))
    }

    /// Everything that a process has written after its first `mark` bytes, as in [`Self::marks`].
    ///
    /// # Errors
    /// If there is no such process.
    pub fn output_since(&self, name: &str, mark: u64) -> anyhow::Result<String> {
        self.with(name, |process| Ok(process.tail(mark, usize::MAX)))
    }

    /// Waits until a process has written this text.
    ///
    /// # Errors
    /// If it doesn't in time.
    pub async fn wait_for_output(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let deadline = Instant::now() + crate::DEADLINE;
        while !self.output(name)?.contains(text) {
            ensure!(Instant::now() < deadline, "{name} did not write {text:?} but\n{}", self.tail(name));
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// This moment in every log, for [`Self::tails`].
    pub fn marks(&self) -> Marks {
        lock(&self.processes).iter().map(|(name, process)| (name.clone(), process.written())).collect()
    }

    /// The end of what each process has logged since `marks`.
    pub fn tails(&self, marks: &Marks) -> String {
        let mut text = format!("logs: {} (kept if {KEEP} is set)\n", self.directory().display());
        for (name, process) in &mut *lock(&self.processes) {
            let state = match process.exited() {
                Ok(None) => String::new(),
                Ok(Some(status)) => format!(" ({status})"),
                Err(error) => format!(" ({error})"),
            };
            let tail = process.tail(marks.get(name).copied().unwrap_or(0), TAIL);
            text.push_str(&format!("--- {name}{state}\n{tail}\n"));
        }
        text
    }
}
