//! The claims `exp`, `nbf` and `iat`: seconds since 1970, possibly with a fraction.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use crate::VerifyError;

/// 31 December 9999: later times are mistakes, such as milliseconds, and could overflow elsewhere.
const LATEST_SECONDS: f64 = 253_402_300_799.0;

/// When a token was issued and when it ends, in microseconds since 1970.
pub(crate) struct Times {
    /// 0 if the token doesn't say.
    pub(crate) issued_at: i64,
    pub(crate) expires_at: i64,
}

impl Times {
    /// Reads and checks the times of a token whose signature is good.
    pub(crate) fn check(claims: &Map<String, Value>, leeway: Duration) -> Result<Self, VerifyError> {
        let leeway = i64::try_from(leeway.as_micros()).unwrap_or(i64::MAX);
        let now = now();
        let expires_at = time(claims, "exp")?.ok_or(VerifyError::Invalid("no expiry"))?;
        let issued_at = time(claims, "iat")?.unwrap_or_default();
        if time(claims, "nbf")?.is_some_and(|not_before| not_before > now.saturating_add(leeway)) {
            return Err(VerifyError::Invalid("not valid yet"));
        }
        if issued_at > now.saturating_add(leeway) {
            return Err(VerifyError::Invalid("issued in the future"));
        }
        if expires_at.saturating_add(leeway) <= now {
            return Err(VerifyError::Expired);
        }
        Ok(Self { issued_at, expires_at })
    }
}

fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, VerifyError> {
    let Some(value) = claims.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
    let seconds = value.as_f64().ok_or(VerifyError::Invalid("a time is not a number"))?;
    if !(0.0..=LATEST_SECONDS).contains(&seconds) {
        return Err(VerifyError::Invalid("a time is out of range"));
    }
    #[allow(clippy::cast_possible_truncation, reason = "the range was checked")]
    Ok(Some((seconds * 1e6) as i64))
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
