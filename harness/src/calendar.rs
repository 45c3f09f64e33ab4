//! Date and time, in UTC.

use std::time::{SystemTime, UNIX_EPOCH};

/// `2026-11-21-074227`: for the name of a file.
pub(crate) fn name(time: SystemTime) -> String {
    let ([year, month, day], [hour, minute, second]) = utc(time);
    format!("{year:04}-{month:02}-{day:02}-{hour:02}{minute:02}{second:02}")
}

/// `2026-11-21T07:42:27Z` (RFC 3339).
pub(crate) fn timestamp(time: SystemTime) -> String {
    let ([year, month, day], [hour, minute, second]) = utc(time);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn utc(time: SystemTime) -> ([u64; 3], [u64; 3]) {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    (date(days), [second / 3600, second / 60 % 60, second % 60])
}

/// The date so many days after 1 January 1970.
fn date(days: u64) -> [u64; 3] {
    // Counted in years that begin in March, so that the leap day is the last one of its year;
    // 400 of them have always 146,097 days.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    [era * 400 + year + u64::from(month <= 2), month, day]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_day_has_its_date_leap_days_too() {
        for (seconds, expected) in [
            (0, "1970-01-01-000000"),
            (951_782_399, "2000-02-28-235959"),
            (951_782_400, "2000-02-29-000000"),
            (951_868_800, "2000-03-01-000000"),
            (1_795_246_947, "2026-11-21-074227"),
            (4_107_542_400, "2100-03-01-000000"),
        ] {
            assert_eq!(name(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
        let time = UNIX_EPOCH + Duration::from_secs(1_795_246_947);
        assert_eq!(timestamp(time), "2026-11-21T07:42:27Z");
    }
}
