//! Columns that are aligned.

use super::Colour;

/// The space between two columns.
const GAP: &str = "  ";

/// Rows of cells, each column as wide as its widest cell.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<Cell>>,
}

#[derive(Debug)]
struct Cell {
    text: String,
    colour: Option<Colour>,
}

impl Table {
    /// A table with these headings.
    pub(crate) fn new<const N: usize>(headings: [&str; N]) -> Self {
        let mut table = Self::default();
        table.rows.push(
            headings
                .into_iter()
                .map(|text| Cell { text: text.to_owned(), colour: Some(Colour::Bold) })
                .collect(),
        );
        table
    }

    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [(String, Option<Colour>); N]) {
        self.rows.push(cells.into_iter().map(|(text, colour)| Cell { text, colour }).collect());
    }

    /// The table as lines. What a cell says is one line, whatever control characters it has.
    pub(crate) fn lines(&self) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(|column| self.width(column)).collect();
        self.rows.iter().map(|row| line(row, &widths)).collect()
    }

    fn width(&self, column: usize) -> usize {
        self.rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| shown(&cell.text).chars().count())
            .max()
            .unwrap_or(0)
    }
}

fn line(row: &[Cell], widths: &[usize]) -> String {
    let mut text = String::new();
    for (place, (cell, width)) in row.iter().zip(widths).enumerate() {
        let shown = shown(&cell.text);
        let padding = " ".repeat(width.saturating_sub(shown.chars().count()));
        text.push_str(&cell.colour.map_or_else(|| shown.clone(), |colour| colour.paint(&shown)));
        if place + 1 < row.len() {
            text.push_str(&padding);
            text.push_str(GAP);
        }
    }
    text.trim_end().to_owned()
}

fn shown(text: &str) -> String {
    text.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(["a", "name"]);
        table.row([("länger".to_owned(), None), ("x\ny".to_owned(), None)]);
        table.row([(String::new(), None), (String::new(), None)]);
        assert_eq!(table.lines(), ["a       name", "länger  x y", ""]);
    }
}
