//! A table in Markdown.

use std::fmt;

/// Its first column names the row; the others hold figures.
#[derive(Debug)]
pub(crate) struct Table {
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<H: Into<String>>(heads: impl IntoIterator<Item = H>) -> Self {
        Self { heads: heads.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// One more row, of as many cells as there are heads.
    pub(crate) fn row<C: Into<String>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "| {} |", self.heads.join(" | "))?;
        writeln!(out, "|---|{}", "--:|".repeat(self.heads.len().saturating_sub(1)))?;
        self.rows.iter().try_for_each(|row| writeln!(out, "| {} |", row.join(" | ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_to_the_right() {
        let mut table = Table::new(["what", "a", "b"]);
        table.row(["x", "1", "2"]);
        assert_eq!(table.to_string(), "| what | a | b |\n|---|--:|--:|\n| x | 1 | 2 |\n");
    }
}
