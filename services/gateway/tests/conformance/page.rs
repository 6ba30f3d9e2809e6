//! `docs/conformance.md`: every case and what it comes to, written from the cases themselves.

use std::{env, fmt::Write, fs, path::PathBuf};

use anyhow::{Context, ensure};

use crate::script::Group;

/// Set this variable, to anything, to have the page written.
const WRITE: &str = "CONFORMANCE_WRITE_PAGE";

const BEGINNING: &str = include_str!("page.md");

/// The page as it has to be.
pub(crate) fn written(groups: &[Group]) -> String {
    let mut page = BEGINNING.to_owned();
    for group in groups {
        let _ = write!(
            page,
            "\n## {}\n\n| case | what is sent, and what becomes of it | result |\n|---|---|---|\n",
            group.name
        );
        for case in &group.cases {
            let _ = writeln!(page, "| {} | {} | {} |", case.number, case.text, case.verdict.as_str());
        }
    }
    page
}

/// Whether that is what the page says.
pub(crate) fn check(page: &str) -> anyhow::Result<()> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/conformance.md"));
    if env::var_os(WRITE).is_some() {
        return fs::write(&path, page).context("writing the page");
    }
    let current = fs::read_to_string(&path).context("docs/conformance.md")?;
    ensure!(current == page, "docs/conformance.md is not current: run `{WRITE}=1 make conformance`");
    Ok(())
}
