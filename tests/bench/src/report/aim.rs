//! What a part must show, and whether it does.

use serde::Serialize;

use super::{Table, significant};

/// A figure that must not exceed a bound.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Aim {
    pub(crate) what: String,
    pub(crate) measured: f64,
    pub(crate) at_most: f64,
    pub(crate) unit: &'static str,
}

impl Aim {
    pub(crate) fn is_met(&self) -> bool {
        self.measured <= self.at_most
    }
}

/// The aims as a table, or nothing if there are none.
pub(crate) fn aims(aims: &[Aim]) -> String {
    if aims.is_empty() {
        return String::new();
    }
    let mut table = Table::new(["aim (medians)", "measured", "at most", "met"]);
    for aim in aims {
        let figure = |value| format!("{}{}", significant(value), aim.unit);
        let met = if aim.is_met() { "yes" } else { "**no**" };
        table.row([aim.what.clone(), figure(aim.measured), figure(aim.at_most), met.to_owned()]);
    }
    format!("\n{table}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aim_that_was_not_reached_stands_out() {
        let aim = |measured| Aim { what: "speed".to_owned(), measured, at_most: 1.5, unit: "×" };
        let text = aims(&[aim(1.5), aim(1.51), aim(f64::NAN)]);
        assert!(text.contains("| speed | 1.50× | 1.50× | yes |"), "{text}");
        assert_eq!(text.matches("**no**").count(), 2, "{text}");
        assert_eq!(aims(&[]), "");
    }
}
