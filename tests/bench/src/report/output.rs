//! Where a report goes: to standard output, and into files.

use std::{fmt::Display, fs, path::PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

/// Where the reports are written beside standard output.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Output {
    /// A directory for the report: the table as NAME.md, every measurement as NAME.json, and the chart, where
    /// there is one, as NAME.svg.
    #[arg(long, value_name = "DIRECTORY")]
    output: Option<PathBuf>,
}

impl Output {
    /// Prints the table, and writes all files.
    ///
    /// # Errors
    /// A directory that can't be written to.
    pub(crate) fn publish<R: Display + Serialize>(
        &self,
        name: &str,
        report: &R,
        chart: Option<String>,
    ) -> Result<()> {
        println!("{report}");
        let Some(directory) = &self.output else { return Ok(()) };
        fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
        let write = |ending: &str, content: &[u8]| {
            let file = directory.join(format!("{name}.{ending}"));
            fs::write(&file, content).with_context(|| format!("cannot write {}", file.display()))
        };
        write("json", &serde_json::to_vec_pretty(report)?)?;
        write("md", report.to_string().as_bytes())?;
        chart.map_or(Ok(()), |chart| write("svg", chart.as_bytes()))
    }
}
