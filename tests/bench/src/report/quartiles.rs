//! Medians and quartiles of few, noisy values.

use serde::Serialize;

/// The middle of a sample and how wide it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Quartiles {
    pub(crate) lower: f64,
    pub(crate) median: f64,
    pub(crate) upper: f64,
}

impl Quartiles {
    /// Of a sample, between whose values it interpolates. `None` of nothing.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |part| quantile(&sorted, part);
        Some(Self { lower: at(0.25)?, median: at(0.5)?, upper: at(0.75)? })
    }

    /// The same in a unit a thousand times as large.
    pub(crate) fn thousandth(self) -> Self {
        let Self { lower, median, upper } = self;
        Self { lower: lower / 1_000.0, median: median / 1_000.0, upper: upper / 1_000.0 }
    }
}

/// The middle, or a dash where nothing was measured.
pub(crate) fn median(quartiles: Option<Quartiles>) -> String {
    quartiles.map_or("–".to_owned(), |found| significant(found.median))
}

/// The middle of ratios, with their quartiles.
pub(crate) fn spread(quartiles: Option<Quartiles>) -> String {
    let Some(Quartiles { lower, median, upper }) = quartiles else { return "–".to_owned() };
    format!("{}× ({}–{})", significant(median), significant(lower), significant(upper))
}

/// Three digits are more than such measurements are good for.
pub(crate) fn significant(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        0.1.. => format!("{value:.2}"),
        0.0 => "0".to_owned(),
        _ => format!("{value:.3}"),
    }
}

fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    let place = part * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_values_where_they_must() {
        let odd = Quartiles::of([5.0, 1.0, 3.0, 2.0, 4.0]).expect("a sample");
        assert_eq!((odd.lower, odd.median, odd.upper), (2.0, 3.0, 4.0));
        let even = Quartiles::of([1.0, 2.0]).expect("a sample");
        assert_eq!((even.lower, even.median, even.upper), (1.25, 1.5, 1.75));
        assert_eq!(Quartiles::of([]), None);
    }
}
