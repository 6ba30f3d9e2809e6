//! Durations as operators write them.

use std::time::Duration;

/// Reads a number with a unit: `30s`, `15m`, `72h`, `90d`.
///
/// # Errors
/// Anything else, and zero.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let refused = || format!("`{text}` is no duration such as 30s, 15m, 72h or 90d");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(refused)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(refused()),
    };
    let number: u32 = number.parse().map_err(|_| refused())?;
    if number == 0 { Err(refused()) } else { Ok(Duration::from_secs(u64::from(number) * seconds)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_number_and_a_unit() {
        assert_eq!(duration("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(duration("90d"), Ok(Duration::from_secs(7_776_000)));
        for text in ["", "7", "d", "0s", "-1s", "1.5h", "1w", "1µ"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
