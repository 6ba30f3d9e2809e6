//! Durations as operators write them: a number and a unit.

use std::time::Duration;

/// Reads `30s`, `15m`, `1h` or `7d`.
///
/// # Errors
/// Anything else, and zero.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let refused = || format!("`{text}` is no duration such as 30s, 15m, 1h or 7d");
    let unit = text.chars().last().ok_or_else(refused)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return Err(refused()),
    };
    let number: u32 = text[..text.len() - 1].parse().map_err(|_| refused())?;
    if number == 0 { Err(refused()) } else { Ok(Duration::from_secs(u64::from(number) * seconds)) }
}

/// A duration in microseconds, as times in the database are.
pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_number_and_a_unit() {
        assert_eq!(duration("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(duration("7d"), Ok(Duration::from_secs(604_800)));
        for text in ["", "7", "d", "0s", "-1s", "1.5h", "1w", "1µ"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
