//! How long a certificate is valid: the one field of it that tells (RFC 5280).

/// Tags of DER.
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// `notAfter` of a certificate in DER, in seconds since 1970. `None` if it can't be read.
pub fn valid_until(certificate: &[u8]) -> Option<i64> {
    let (_, certificate, _) = element(certificate)?;
    let (_, mut fields, _) = element(certificate)?;
    if *fields.first()? == VERSION {
        fields = element(fields)?.2;
    }
    // Serial number, algorithm, issuer.
    for _ in 0..3 {
        fields = element(fields)?.2;
    }
    let (tag, validity, _) = element(fields)?;
    let (_, _, after_not_before) = element(validity)?;
    let (kind, text, _) = element(after_not_before)?;
    (tag == SEQUENCE).then_some(())?;
    time(kind, text)
}

/// The first element: its tag, its content, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// `YYMMDDHHMMSSZ`, or with four digits of the year.
fn time(kind: u8, text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = text.split_at_checked(if kind == UTC_TIME { 2 } else { 4 })?;
    let year: i64 = year.parse().ok()?;
    let year = match kind {
        UTC_TIME if year < 50 => 2000 + year,
        UTC_TIME => 1900 + year,
        _ => year,
    };
    let number = |from: usize| rest.get(from..from + 2)?.parse::<i64>().ok();
    let (month, day) = (number(0)?, number(2)?);
    Some(days_since_1970(year, month, day) * DAY + number(4)? * 3_600 + number(6)? * 60 + number(8)?)
}

/// The calendar's days, years beginning with March so that a leap day is the last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate of openssl's.
    const CERTIFICATE: &str = "3082018f30820136a00302010202142cc0ab0b097d0569a6d8a49c9093b49973f891ea300a06082a8648ce3d04\
         030230143112301006035504030c096c6f63616c686f7374301e170d3236313132313231353134305a170d3236\
         313230313231353134305a30143112301006035504030c096c6f63616c686f73743059301306072a8648ce3d02\
         0106082a8648ce3d0301070342000429ec2823ae65aa7e6c329f996ac5a2ddf8d130fd7078f8ec7db95b0ed924\
         af6cabb3e5d2640ac328fd48cc141dfd5aa9ee0766ff82474991e9ebd0a31f3cbdbea3663064301d0603551d0e\
         0416041408e304973ca2726281f464219972b56c943600b7301f0603551d2304183016801408e304973ca27262\
         81f464219972b56c943600b730140603551d11040d300b82096c6f63616c686f7374300c0603551d130101ff04\
         023000300a06082a8648ce3d0403020347003044022042216e3b785c0a71224f874d1a7ee858ce99ac2df6d128\
         7fdc0b243688ec02b702205c4f3a998b004b73c2dcc8e84e28a934d34efc450453747e46503c45a3d986b4";

    #[test]
    fn the_end_of_a_certificate_is_found() {
        let digits = |place: usize| u8::from_str_radix(&CERTIFICATE[place..place + 2], 16).expect("digits");
        let certificate: Vec<u8> = (0..CERTIFICATE.len()).step_by(2).map(digits).collect();
        assert_eq!(valid_until(&certificate), Some(1_796_161_900));
        assert_eq!(valid_until(&certificate[..certificate.len() / 2]), None);
    }

    #[test]
    fn times_of_both_kinds_are_read() {
        assert_eq!(time(UTC_TIME, b"700101000000Z"), Some(0));
        assert_eq!(time(UTC_TIME, b"260228235959Z"), Some(1_772_323_199));
        assert_eq!(time(0x18, b"20500229120000Z"), Some(2_529_748_800));
        assert_eq!(time(0x18, b"2050"), None);
    }

    #[test]
    fn what_is_no_certificate_is_none() {
        for bytes in [&[][..], &[0x30], &[0x30, 0x82, 0xff, 0xff, 1], &[0x30, 0x03, 0x30, 0x01, 0x00]] {
            assert_eq!(valid_until(bytes), None);
        }
    }
}
