//! Periods as steps of a calendar, so that those without rows have their place on a line too.

use chrono::{Datelike, NaiveDate, Weekday};
use tributary_protocol::CalendarPart;

/// The number of a period in its calendar; `None` for a text that is none.
pub(super) fn step(text: &str, by: CalendarPart) -> Option<i64> {
    let year: i32 = text.get(..4)?.parse().ok()?;
    let part = |at: usize| text.get(at..)?.parse::<u32>().ok();
    Some(match by {
        CalendarPart::Day => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.num_days_from_ce().into(),
        CalendarPart::Week => {
            i64::from(NaiveDate::from_isoywd_opt(year, part(6)?, Weekday::Mon)?.num_days_from_ce() - 1) / 7
        }
        CalendarPart::Month => i64::from(year) * 12 + i64::from(part(5)?) - 1,
        CalendarPart::Quarter => i64::from(year) * 4 + i64::from(part(6)?) - 1,
        CalendarPart::Year => year.into(),
    })
}

/// The text of a step; the opposite of [`step`].
pub(super) fn text(step: i64, by: CalendarPart) -> Option<String> {
    let day = |days: i64| NaiveDate::from_num_days_from_ce_opt(i32::try_from(days).ok()?);
    Some(match by {
        CalendarPart::Day => day(step)?.format("%Y-%m-%d").to_string(),
        CalendarPart::Week => day(step * 7 + 1)?.format("%G-W%V").to_string(),
        CalendarPart::Month => format!("{:04}-{:02}", step.div_euclid(12), step.rem_euclid(12) + 1),
        CalendarPart::Quarter => format!("{:04}-Q{}", step.div_euclid(4), step.rem_euclid(4) + 1),
        CalendarPart::Year => format!("{step:04}"),
    })
}

/// A word for the part of the calendar.
pub(super) fn word(by: CalendarPart) -> &'static str {
    match by {
        CalendarPart::Day => "day",
        CalendarPart::Week => "week",
        CalendarPart::Month => "month",
        CalendarPart::Quarter => "quarter",
        CalendarPart::Year => "year",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_and_texts_follow_each_other() {
        for (by, first, next) in [
            (CalendarPart::Day, "2024-02-29", "2024-03-01"),
            (CalendarPart::Week, "2026-W53", "2027-W01"),
            (CalendarPart::Week, "0001-W01", "0001-W02"),
            (CalendarPart::Month, "2026-12", "2027-01"),
            (CalendarPart::Quarter, "2026-Q4", "2027-Q1"),
            (CalendarPart::Year, "0999", "1000"),
        ] {
            let steps = [first, next].map(|text| step(text, by).unwrap());
            assert_eq!(steps[1], steps[0] + 1, "{first}");
            assert_eq!(steps.map(|step| text(step, by).unwrap()), [first, next]);
        }
        for (text, by) in [("", CalendarPart::Year), ("2026-é", CalendarPart::Month), ("2026-W54", CalendarPart::Week)]
        {
            assert_eq!(step(text, by), None, "{text}");
        }
    }
}
