//! Dates in cells: their forms, and the part of the calendar that a report groups by. The date is that of the text itself: no
//! zone is converted, and no clock is read.

use tributary_protocol::{CalendarPart, DateGroup};

/// The forms that are read, for people.
pub(crate) const FORMS: &str = "dates are like 2026-05-31, 20260531, 31.05.2026 or 31/05/2026, perhaps with a time";
/// Years of four digits whose weeks have years of four digits too. Year 0 is nobody's date.
const YEARS: std::ops::RangeInclusive<u16> = 1..=9999;

/// The way to read the dates of a column, and the part of them that counts. Its `Debug` text is digested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DatePart {
    by: CalendarPart,
    day_first: Option<bool>,
}

/// A part of the calendar as text, such as `2026-05`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    text: [u8; LONGEST],
    length: usize,
}

/// The length of `2026-05-31`.
const LONGEST: usize = 10;

/// The reason why a cell is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DateFault {
    NotADate,
    /// Day and month can be told apart by nothing in the cell.
    Unclear,
}

/// A day that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl DatePart {
    pub(crate) fn new(group: &DateGroup) -> Self {
        Self { by: group.by, day_first: group.day_first }
    }

    /// The part of the calendar that a trimmed cell lies in.
    #[inline]
    pub(crate) fn of(self, cell: &[u8]) -> Result<Period, DateFault> {
        let date = match cell {
            [y @ .., b'-', m1, m2, b'-', d1, d2] if y.len() == 4 => {
                let number = |digits: &[u8]| digits_of(digits).ok_or(DateFault::NotADate);
                Date::new(number(y)?, number(&[*m1, *m2])?, number(&[*d1, *d2])?).ok_or(DateFault::NotADate)?
            }
            _ => self.date(cell)?,
        };
        Ok(date.period(self.by))
    }

    fn date(self, cell: &[u8]) -> Result<Date, DateFault> {
        let end = cell.iter().position(|byte| matches!(byte, b'T' | b't' | b' ')).unwrap_or(cell.len());
        let (date, time) = cell.split_at(end);
        if !time.is_empty() && !is_time(time[1..].trim_ascii()) {
            return Err(DateFault::NotADate);
        }
        match fields(date).ok_or(DateFault::NotADate)? {
            Fields::YearFirst([year, month, day]) => Date::new(year, month, day).ok_or(DateFault::NotADate),
            Fields::YearLast([one, two, year], sign) => {
                // Where points are written, the day comes first.
                let day_first = self.day_first.or((sign == b'.').then_some(true));
                let read = |day_first: bool| match day_first {
                    true => Date::new(year, two, one),
                    false => Date::new(year, one, two),
                };
                match day_first {
                    Some(day_first) => read(day_first).ok_or(DateFault::NotADate),
                    None => match (read(true), read(false)) {
                        (Some(date), Some(other)) if date != other => Err(DateFault::Unclear),
                        (date, other) => date.or(other).ok_or(DateFault::NotADate),
                    },
                }
            }
        }
    }

    /// The setting that would read a cell which is no date, or the forms that are read.
    #[cold]
    pub(crate) fn cure(self, cell: &[u8]) -> String {
        let other = |day_first: bool| Self { day_first: Some(!day_first), ..self }.of(cell).is_ok();
        match self.day_first.filter(|day_first| other(*day_first)) {
            Some(day_first) => format!("day_first = {} would read it", !day_first),
            None => FORMS.to_owned(),
        }
    }
}

impl Period {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.text[..self.length]
    }
}

/// The numbers of a date.
enum Fields {
    YearFirst([u16; 3]),
    /// With the sign between them.
    YearLast([u16; 3], u8),
}

/// Splits `2026-05-31`, `20260531`, `31/05/2026` and the like.
fn fields(date: &[u8]) -> Option<Fields> {
    if date.len() == 8 && date.iter().all(u8::is_ascii_digit) {
        return Some(Fields::YearFirst([digits_of(&date[..4])?, digits_of(&date[4..6])?, digits_of(&date[6..])?]));
    }
    let sign = *date.iter().find(|byte| matches!(byte, b'-' | b'/' | b'.'))?;
    let mut parts = date.split(|byte| *byte == sign);
    let parts = [parts.next()?, parts.next()?, parts.next().filter(|_| parts.next().is_none())?];
    let numbers = [digits_of(parts[0])?, digits_of(parts[1])?, digits_of(parts[2])?];
    match parts.map(<[u8]>::len) {
        [4, 1 | 2, 1 | 2] => Some(Fields::YearFirst(numbers)),
        [1 | 2, 1 | 2, 4] => Some(Fields::YearLast(numbers, sign)),
        _ => None,
    }
}

/// The value of one to four digits.
#[inline]
fn digits_of(digits: &[u8]) -> Option<u16> {
    let is_good = (1..=4).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    is_good.then(|| digits.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0')))
}

/// Whether a text is a time of day: `12:00`, `12:00:00.5`, `120000`, perhaps with `AM` or `PM`, perhaps with a zone behind it.
fn is_time(text: &[u8]) -> bool {
    let Some((hour, behind)) = clock(text) else { return false };
    match behind.trim_ascii_start() {
        [b'A' | b'a' | b'P' | b'p', b'M' | b'm', zone @ ..] => {
            (1..=12).contains(&hour) && is_zone(zone.trim_ascii_start())
        }
        zone => is_zone(zone),
    }
}

/// The hour of a time of day, and the text behind the time.
fn clock(text: &[u8]) -> Option<(u16, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, sign): (_, &[u8]) = if text.get(digits) == Some(&b':') { (digits.min(2), b":") } else { (2, b"") };
    let (hour, behind) = number(text, digits)?;
    let (minute, behind) = number(behind.strip_prefix(sign)?, 2)?;
    let second = behind.strip_prefix(sign).and_then(|second| number(second, 2));
    // A leap second is written as 60.
    let is_good = hour < 24 && minute < 60 && second.is_none_or(|(second, _)| second <= 60);
    let behind = match second {
        Some((_, [b'.' | b',', fraction @ ..])) => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            &fraction[digits..]
        }
        Some((_, behind)) => behind,
        None => behind,
    };
    is_good.then_some((hour, behind))
}

/// Whether a text is nothing, `Z`, `UTC`, or an offset like `+02`, `+0200` or `+02:00`.
fn is_zone(text: &[u8]) -> bool {
    let [b'+' | b'-', offset @ ..] = text else {
        return text.is_empty() || text.eq_ignore_ascii_case(b"Z") || text.eq_ignore_ascii_case(b"UTC");
    };
    let Some((hours, behind)) = number(offset, 2) else { return false };
    let minutes = behind.strip_prefix(b":").unwrap_or(behind);
    let has_good_minutes = offset.len() == 2 || (minutes.len() == 2 && number(minutes, 2).is_some_and(|(m, _)| m < 60));
    hours < 24 && has_good_minutes
}

/// The number of the first `digits` bytes, and the text behind them.
fn number(text: &[u8], digits: usize) -> Option<(u16, &[u8])> {
    let (number, behind) = text.split_at_checked(digits)?;
    Some((digits_of(number)?, behind))
}

impl Date {
    #[inline]
    fn new(year: u16, month: u16, day: u16) -> Option<Self> {
        let (month, day) = (u8::try_from(month).ok()?, u8::try_from(day).ok()?);
        let exists = YEARS.contains(&year) && (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
        exists.then_some(Self { year, month, day })
    }

    #[inline]
    fn period(self, by: CalendarPart) -> Period {
        let Self { year, month, day } = self;
        let mut period = Period { text: *b"0000-00-00", length: LONGEST };
        match by {
            CalendarPart::Day => {
                period.put(5, month);
                period.put(8, day);
            }
            CalendarPart::Week => {
                let (year, week) = self.iso_week();
                period.put_year(year);
                period.text[5] = b'W';
                period.put(6, week);
                period.length = 8;
                return period;
            }
            CalendarPart::Month => {
                period.put(5, month);
                period.length = 7;
            }
            CalendarPart::Quarter => {
                period.text[5] = b'Q';
                period.text[6] = b'1' + (month - 1) / 3;
                period.length = 7;
            }
            CalendarPart::Year => period.length = 4,
        }
        period.put_year(year);
        period
    }

    /// The year and the week of ISO 8601: a week belongs to the year that its Thursday lies in.
    fn iso_week(self) -> (u16, u8) {
        let ordinal: u16 = (1..self.month).map(|month| u16::from(days_of(self.year, month))).sum();
        let ordinal = ordinal + u16::from(self.day);
        // Monday is 1, as was the first day of year 1.
        let weekday = ((days_before(self.year) + u32::from(ordinal) - 1) % 7 + 1) as u16;
        let week = (ordinal + 10 - weekday) / 7;
        match week {
            0 => (self.year - 1, weeks_of(self.year - 1)),
            53 if weeks_of(self.year) == 52 => (self.year + 1, 1),
            week => (self.year, week as u8),
        }
    }
}

impl Period {
    #[inline]
    fn put_year(&mut self, year: u16) {
        self.put(0, (year / 100) as u8);
        self.put(2, (year % 100) as u8);
    }

    /// Writes two digits.
    #[inline]
    fn put(&mut self, at: usize, number: u8) {
        self.text[at] = b'0' + number / 10;
        self.text[at + 1] = b'0' + number % 10;
    }
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of(year: u16, month: u8) -> u8 {
    match month {
        2 => 28 + u8::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The number of days from the first day of year 1 to that of `year`.
fn days_before(year: u16) -> u32 {
    let years = u32::from(year) - 1;
    years * 365 + years / 4 - years / 100 + years / 400
}

/// The number of ISO weeks of a year: 53 if it has 53 Thursdays.
fn weeks_of(year: u16) -> u8 {
    const THURSDAY: u32 = 3;
    let first = days_before(year) % 7;
    let last = (first + 364 + u32::from(is_leap(year))) % 7;
    52 + u8::from(first == THURSDAY || last == THURSDAY)
}

#[cfg(test)]
mod tests;
