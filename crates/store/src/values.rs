//! Statements over many rows: their text, and how many rows one may have.

/// The most rows of one statement, so that its parameters stay below SQLite's 32,766.
pub const MAX_ROWS: usize = 500;

/// A statement of up to so many rows is prepared once per connection and kept.
const FEW_ROWS: usize = 4;

/// So are those of full batches. The texts of all the sizes between would be too many to keep.
const FULL_ROWS: usize = 100;

/// `($1, $2), ($3, $4)` for two rows of two columns.
pub fn rows(count: usize, columns: usize) -> String {
    rows_from(1, count, columns)
}

/// [`rows`] whose first parameter is not the statement's first.
pub fn rows_from(first: usize, count: usize, columns: usize) -> String {
    let row = |row: usize| format!("({})", list(columns, row * columns + first));
    (0..count).map(row).collect::<Vec<_>>().join(", ")
}

/// `$3, $4` for two parameters from the third.
pub fn list(count: usize, first: usize) -> String {
    (first..first + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

/// Whether a statement of so many rows is worth keeping prepared.
pub fn is_kept(rows: usize) -> bool {
    rows <= FEW_ROWS || rows.is_multiple_of(FULL_ROWS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_through() {
        assert_eq!(rows(2, 3), "($1, $2, $3), ($4, $5, $6)");
        assert_eq!(rows_from(2, 2, 1), "($2), ($3)");
        assert_eq!(list(2, 3), "$3, $4");
    }
}
