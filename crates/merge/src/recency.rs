//! The age of an offer, by the text of one of its columns: a time in ISO 8601, or a number such as a version.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};

/// The age of an offer; the greatest is the newest. Any number is older than any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recency {
    /// The text is empty.
    Unknown,
    /// A number, in units of 10^-18.
    Number(i128),
    /// An instant.
    Time(DateTime<Utc>),
}

/// Most digits of a number before its point, and behind it.
const MAX_DIGITS: (usize, usize) = (20, 18);

impl Recency {
    /// Reads a text, without the white space around it. `None` if it is neither empty nor a time nor a number.
    ///
    /// A time is a date, or a date and a time of day behind `T` or a blank, perhaps with a zone: `2026-11-29`, `2026-11-29 08:30`,
    /// `2026-11-29T08:30:00.5+01:00`. A date is its midnight; without a zone it is UTC. A number has a sign, at most 20 digits, and at
    /// most 18 behind its point.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "" => Some(Self::Unknown),
            text => number(text).map(Self::Number).or_else(|| time(text).map(Self::Time)),
        }
    }
}

fn number(text: &str) -> Option<i128> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = whole.len() <= MAX_DIGITS.0 && fraction.len() <= MAX_DIGITS.1;
    if !fits || (whole.is_empty() && fraction.is_empty()) || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let number: i128 = format!("{whole}{fraction:0<width$}", width = MAX_DIGITS.1).parse().ok()?;
    Some(if text.starts_with('-') { -number } else { number })
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.replacen(',', ".", 1).to_ascii_uppercase();
    let Some((date, time)) = text.split_once(['T', ' ']) else {
        return Some(date(&text)?.and_time(NaiveTime::MIN).and_utc());
    };
    let (time, zone) = match time.find(['Z', '+', '-']) {
        Some(at) => (time[..at].trim_end(), offset(&time[at..])?),
        None => (time, FixedOffset::east_opt(0)?),
    };
    let is_digit_last = time.ends_with(|last: char| last.is_ascii_digit());
    let formats = ["%H:%M:%S%.f", "%H:%M", "%H%M%S%.f", "%H%M"];
    let time =
        formats.iter().find_map(|format| NaiveTime::parse_from_str(time, format).ok()).filter(|_| is_digit_last)?;
    Some(NaiveDateTime::new(self::date(date)?, time).and_local_timezone(zone).single()?.to_utc())
}

/// `YYYY-MM-DD` or `YYYYMMDD`.
fn date(text: &str) -> Option<NaiveDate> {
    let format = if text.contains('-') { "%Y-%m-%d" } else { "%Y%m%d" };
    let is_whole = text.len() == if text.contains('-') { 10 } else { 8 };
    NaiveDate::parse_from_str(text, format).ok().filter(|_| is_whole)
}

/// `Z`, `±HH`, `±HH:MM` or `±HHMM`.
fn offset(text: &str) -> Option<FixedOffset> {
    let Some(digits) = text.strip_prefix(['+', '-']) else {
        return FixedOffset::east_opt(0).filter(|_| text == "Z");
    };
    let (hours, minutes) = match digits.len() {
        2 => (digits, "0"),
        4 => digits.split_at_checked(2)?,
        _ => digits.split_once(':').filter(|(hours, minutes)| (hours.len(), minutes.len()) == (2, 2))?,
    };
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds = (i32::from(hours) * 60 + i32::from(minutes)) * 60;
    FixedOffset::east_opt(if text.starts_with('-') { -seconds } else { seconds }).filter(|_| minutes < 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_compared_as_instants_and_numbers_as_numbers() {
        let ascending = [
            "",
            "-1.5",
            "0",
            "0.000000000000000001",
            "9",
            "10.0",
            "12345678901234567890",
            "2026-11-28T23:59:59.9Z",
            "2026-11-29",
            "2026-11-29T01:00:00.5+01:00",
            "2026-11-29 00:00:01",
            "20261129T0002",
            "2026-11-28T23:30-01",
            "2026-11-29T00:31:00,25Z",
        ];
        for pair in ascending.windows(2) {
            let [before, after] =
                [pair[0], pair[1]].map(|text| Recency::parse(text).unwrap_or_else(|| panic!("{text}")));
            assert!(before < after, "{pair:?}");
        }
        let same = |one: &str, other: &str| assert_eq!(Recency::parse(one), Recency::parse(other), "{one} {other}");
        same("1", "1.0");
        same(" +01 ", "1");
        same("2026-11-29", "2026-11-29T00:00Z");
        same("2026-11-29t12:00:00z", "2026-11-29 14:00 +0200");
    }

    #[test]
    fn what_is_neither_time_nor_number_is_said() {
        for text in [
            "yesterday",
            "29.11.2026",
            "2026-13-01",
            "2026-1-1",
            "2026-11-29T",
            "2026-11-29T25:00",
            "2026-11-29T10:00+1",
            "2026-11-29T10:00+01:60",
            "1e5",
            "1,5",
            ".",
            "-",
            "1.2.3",
            "123456789012345678901",
        ] {
            assert_eq!(Recency::parse(text), None, "{text}");
        }
    }
}
