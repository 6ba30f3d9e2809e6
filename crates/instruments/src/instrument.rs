//! What a metric is, apart from its figures.

use std::{collections::BTreeSet, fmt};

use prometheus::proto::MetricType;

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// How often values came within which bounds.
    Histogram,
    /// Anything else.
    Other,
}

/// A metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrument {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: BTreeSet<String>,
    /// What it tells, in a sentence.
    pub help: String,
}

impl From<MetricType> for Kind {
    fn from(kind: MetricType) -> Self {
        match kind {
            MetricType::COUNTER => Self::Counter,
            MetricType::GAUGE => Self::Gauge,
            MetricType::HISTOGRAM => Self::Histogram,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Other => "other",
        })
    }
}
