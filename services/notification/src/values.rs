//! Many rows in one statement.

/// The most rows in one statement; a power of two.
const MOST: usize = 128;

/// Cuts rows into slices whose lengths are powers of two, so that whatever the size of a batch
/// only a few statements exist, and all stay prepared.
pub(crate) fn slices<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let length = MOST.min(1 << rows.len().checked_ilog2()?);
        let (slice, rest) = rows.split_at(length);
        rows = rest;
        Some(slice)
    })
}

/// `($1,$2),($3,$4)`: places for the values of so many rows of so many columns.
pub(crate) fn places(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let places: Vec<_> = (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({})", places.join(","))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_its_place() {
        assert_eq!(places(2, 2), "($1,$2),($3,$4)");
        let rows: Vec<_> = (0..300).collect();
        let lengths: Vec<_> = slices(&rows).map(<[_]>::len).collect();
        assert_eq!(lengths, [128, 128, 32, 8, 4]);
        assert_eq!(slices(&rows).flatten().copied().collect::<Vec<_>>(), rows);
    }
}
