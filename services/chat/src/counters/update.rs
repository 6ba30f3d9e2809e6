//! A change of a counter, and how it is read.

use std::time::Duration;

use carillon_contract::Channel;
use carillon_service::time::{microseconds, timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

/// The largest number that every JSON reader keeps exact (RFC 8259, section 6): no value and no
/// total goes beyond it, on either side of 0.
pub(super) const LARGEST: i64 = (1 << 53) - 1;

/// What a value must be.
pub(super) const EXPECTED: &str = "a whole number from -9007199254740991 to 9007199254740991";

/// For how long a frame is recognised that its gateway repeats: it does so within seconds.
const FRAMES_REPEATABLE: Duration = Duration::from_secs(600);

/// For how long an Idempotency-Key is recognised.
const KEYS_REPEATABLE: Duration = Duration::from_secs(86_400);

/// What is done to a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
    Increment,
    Decrement,
    Reset,
}

/// A change of a counter.
#[derive(Debug, Clone)]
pub(super) struct Update {
    pub(super) counter: String,
    pub(super) channel: Channel,
    pub(super) change: Change,
    /// Unique for the counter: the same again is the same update.
    pub(super) cause: String,
    /// For how long, in microseconds.
    pub(super) repeatable: i64,
}

/// What is done to a counter, and by how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) action: Action,
    pub(super) value: i64,
}

impl Action {
    /// As it is written in frames and tables.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Increment => "increment",
            Self::Decrement => "decrement",
            Self::Reset => "reset",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Increment, Self::Decrement, Self::Reset].into_iter().find(|action| action.as_str() == text)
    }
}

impl Change {
    /// `value` as a caller gave it: 1 if it gave none, and of no account to a reset. `None` for what
    /// is no whole number, or too large.
    pub(super) fn new(action: Action, value: Option<&Value>) -> Option<Self> {
        let value = match (action, value) {
            (Action::Reset, _) => 0,
            (_, None | Some(Value::Null)) => 1,
            (_, Some(value)) => whole(value)?,
        };
        Some(Self { action, value })
    }

    /// A counter's total after it. `None` if it would be too large.
    pub(super) fn apply(self, total: i64) -> Option<i64> {
        let total = match self.action {
            Action::Increment => total.checked_add(self.value)?,
            Action::Decrement => total.checked_sub(self.value)?,
            Action::Reset => 0,
        };
        (-LARGEST..=LARGEST).contains(&total).then_some(total)
    }
}

impl Update {
    /// What a client asks for: its frame is the cause.
    pub(super) fn of_frame(
        counter: &str,
        channel: Channel,
        change: Change,
        connection: &str,
        number: u64,
    ) -> Self {
        let cause = format!("frame:{connection}:{number}");
        Self {
            counter: counter.to_owned(),
            channel,
            change,
            cause,
            repeatable: microseconds(FRAMES_REPEATABLE),
        }
    }

    /// What a back end asks for.
    pub(super) fn of_request(counter: &str, channel: Channel, change: Change, cause: String) -> Self {
        Self {
            counter: counter.to_owned(),
            channel,
            change,
            cause,
            repeatable: microseconds(KEYS_REPEATABLE),
        }
    }

    /// Document 2's frame, with the new total (S2-06).
    pub(super) fn frame(&self, total: i64, now: i64) -> Value {
        json!({
            "type": "counter_update",
            "action": self.change.action.as_str(),
            "value": self.change.value,
            "timestamp": timestamp(now),
            "counter": total,
        })
    }
}

/// Some programs write whole numbers as `5.0`. As reading those may be off by the last bit, they count
/// only where that would leave a fraction.
fn whole(value: &Value) -> Option<i64> {
    const FLOATS: f64 = (1_i64 << 52) as f64;
    let is_whole = |float: &f64| float.fract() == 0.0 && float.abs() < FLOATS;
    let number = value.as_i64().or_else(|| value.as_f64().filter(is_whole).map(|float| float as i64))?;
    (-LARGEST..=LARGEST).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<i64> {
        let value: Value = serde_json::from_str(text).expect("JSON");
        Change::new(Action::Increment, Some(&value)).map(|change| change.value)
    }

    #[test]
    fn values_are_whole_numbers() {
        for (text, expected) in [
            ("5", 5),
            ("-5", -5),
            ("0", 0),
            ("5.0", 5),
            ("1e3", 1_000),
            ("null", 1),
            ("9007199254740991", LARGEST),
            ("-9007199254740991", -LARGEST),
        ] {
            assert_eq!(value(text), Some(expected), "{text}");
        }
        for text in [
            "9007199254740992",
            "-9007199254740992",
            "9223372036854775807",
            "18446744073709551615",
            "1e300",
            "0.5",
            "9007199254740991.0",
            "\"5\"",
            "[]",
            "true",
        ] {
            assert_eq!(value(text), None, "{text}");
        }
        assert_eq!(Change::new(Action::Decrement, None).map(|change| change.value), Some(1));
        let reset = Change::new(Action::Reset, Some(&json!(7))).expect("a change");
        assert_eq!((reset.value, reset.apply(5)), (0, Some(0)));
    }

    #[test]
    fn totals_stay_exact() {
        let by = |action, value| Change { action, value };
        assert_eq!(by(Action::Increment, 1).apply(LARGEST), None);
        assert_eq!(by(Action::Decrement, 1).apply(-LARGEST), None);
        assert_eq!(by(Action::Decrement, -LARGEST).apply(0), Some(LARGEST));
        assert_eq!(by(Action::Increment, -LARGEST).apply(LARGEST), Some(0));
    }
}
