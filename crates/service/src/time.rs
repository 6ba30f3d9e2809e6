//! Times and durations as operators and clients write and read them.

use std::time::{Duration, UNIX_EPOCH};

/// Reads a duration as an operator writes it: `30s`, `15m`, `72h`, `7d`, or several of those.
///
/// # Errors
/// Anything else, and nothing at all.
pub fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if duration.is_zero() => Err("must be more than nothing".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("no duration such as 30s, 15m, 72h or 7d: {error}")),
    }
}

/// A duration in microseconds, as times in databases are.
pub fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// A time as clients read it, in UTC (RFC 3339): `2025-01-27T12:30:45.123456Z`, from microseconds
/// since 1970. Earlier times are taken for 1970.
pub fn timestamp(microseconds: i64) -> String {
    let since = Duration::from_micros(u64::try_from(microseconds).unwrap_or(0));
    humantime::format_rfc3339_micros(UNIX_EPOCH + since).to_string()
}

/// Whether a text is a date of the calendar: `2026-01-31`.
pub fn is_date(text: &str) -> bool {
    text.len() == 10 && humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        assert_eq!(duration("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(duration("7d"), Ok(Duration::from_secs(604_800)));
        for text in ["", "7", "d", "0s", "-1s", "1w2", "1µ"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_written_as_the_documents_write_them() {
        assert_eq!(timestamp(1_737_981_045_123_456), "2025-01-27T12:30:45.123456Z");
        assert_eq!(timestamp(951_782_400_000_000), "2000-02-29T00:00:00.000000Z");
        assert_eq!(timestamp(-1), "1970-01-01T00:00:00.000000Z");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert!(is_date("2028-02-29"));
        for text in ["", "2027-02-29", "2026-13-01", "2026-1-1", "26-01-01", "2026-01-01Z", "2026-01-0é"] {
            assert!(!is_date(text), "{text}");
        }
    }
}
