//! The one switch between development and production (S0-12).

use std::fmt;

use clap::ValueEnum;

/// For whom a deployment is there. The limits' defaults follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// For those who work on it: limits that nobody meets by hand.
    Development,
    /// For the open internet: the limits of document 0.
    Production,
}

impl Mode {
    /// As document 0's own names say: `USE_PRODUCTION_WEBSOCKET_MIDDLEWARE` before `DEBUG`. `None` if
    /// neither says anything.
    pub(crate) fn of_switches(production_middleware: Option<bool>, debug: Option<bool>) -> Option<Self> {
        let is_production = production_middleware.or(debug.map(|debug| !debug))?;
        Some(if is_production { Self::Production } else { Self::Development })
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Development => "development",
            Self::Production => "production",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middleware_counts_before_debug() {
        let of = Mode::of_switches;
        assert_eq!(of(None, None), None);
        assert_eq!(of(Some(true), Some(true)), Some(Mode::Production));
        assert_eq!(of(Some(false), Some(false)), Some(Mode::Development));
        assert_eq!(of(None, Some(true)), Some(Mode::Development));
        assert_eq!(of(None, Some(false)), Some(Mode::Production));
    }
}
