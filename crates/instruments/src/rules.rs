//! How metrics are named (Prometheus's conventions), and what they may be labelled with.

use crate::{Instrument, Kind};

/// Labels with few values each, all of our own choosing. None of them is a user, a room, a channel or an address.
const LABELS: [&str; 21] = [
    "by",
    "code",
    "endpoint",
    "kind",
    "limit",
    "method",
    "operation",
    "outcome",
    "owner",
    "policy",
    "pool",
    "reason",
    "recipient",
    "route",
    "service",
    "source",
    "state",
    "status",
    "to",
    "version",
    "worker",
];

/// What a name may end with after its unit, and units that are not base units.
const SCALED: [&str; 10] = [
    "_milliseconds",
    "_microseconds",
    "_ms",
    "_us",
    "_minutes",
    "_hours",
    "_kilobytes",
    "_megabytes",
    "_percent",
    "_kb",
];

/// What is wrong with a metric; nothing if it keeps the rules.
pub fn violations(instrument: &Instrument) -> Vec<String> {
    let Instrument { name, kind, labels, help } = instrument;
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let is_histogram = *kind == Kind::Histogram;
    let has_unit = ["_seconds", "_bytes", "_items"].iter().any(|unit| name.ends_with(unit));
    let rules = [
        (name.starts_with("carillon_"), "its name begins with carillon_"),
        (
            name.bytes().all(is_word) && !name.contains("__"),
            "its name is made of small letters, digits and single _",
        ),
        (
            name.ends_with("_total") == (*kind == Kind::Counter),
            "a counter, and nothing else, ends with _total",
        ),
        (!is_histogram || has_unit, "a histogram ends with the unit that it measures"),
        (!SCALED.iter().any(|unit| name.trim_end_matches("_total").ends_with(unit)), "it is in a base unit"),
        (*kind != Kind::Other, "it is a counter, a gauge or a histogram"),
        (help.ends_with('.') && help.len() > 10, "its help is a sentence"),
    ];
    let broken = rules.iter().filter(|(kept, _)| !kept).map(|(_, rule)| format!("{name}: {rule}"));
    let unknown = labels.iter().filter(|label| !LABELS.contains(&label.as_str()));
    broken.chain(unknown.map(|label| format!("{name}: the label {label} is not one of {LABELS:?}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(name: &str, kind: Kind, label: &str, help: &str) -> usize {
        let labels = [label.to_owned()].into();
        violations(&Instrument { name: name.to_owned(), kind, labels, help: help.to_owned() }).len()
    }

    #[test]
    fn each_rule_can_be_broken() {
        let help = "What it is.";
        for (name, kind, label, expected) in [
            ("carillon_frames_total", Kind::Counter, "endpoint", 0),
            ("carillon_delay_seconds", Kind::Histogram, "endpoint", 0),
            ("carillon_connections", Kind::Gauge, "endpoint", 0),
            ("frames_total", Kind::Counter, "endpoint", 1),
            ("carillon_Frames_total", Kind::Counter, "endpoint", 1),
            ("carillon_frames", Kind::Counter, "endpoint", 1),
            ("carillon_connections_total", Kind::Gauge, "endpoint", 1),
            ("carillon_delay", Kind::Histogram, "endpoint", 1),
            ("carillon_delay_milliseconds", Kind::Gauge, "endpoint", 1),
            ("carillon_waited_ms_total", Kind::Counter, "endpoint", 1),
            ("carillon_connections", Kind::Gauge, "user", 1),
            ("carillon_summary", Kind::Other, "endpoint", 1),
        ] {
            assert_eq!(broken(name, kind, label, help), expected, "{name}");
        }
        assert_eq!(broken("carillon_connections", Kind::Gauge, "endpoint", "connections"), 1);
    }
}
