//! Forms of dates, parts of the calendar, and what is no date.

use super::*;

fn period(cell: &str, by: CalendarPart, day_first: Option<bool>) -> Result<String, DateFault> {
    let part = DatePart { by, day_first };
    part.of(cell.as_bytes()).map(|period| String::from_utf8(period.as_bytes().to_vec()).unwrap())
}

#[test]
fn every_part_of_the_calendar_has_a_text() {
    let check = |cell: &str, expect: [&str; 5]| {
        use CalendarPart::{Day, Month, Quarter, Week, Year};
        let found = [Day, Week, Month, Quarter, Year].map(|by| period(cell, by, None).unwrap());
        assert_eq!(found, expect, "{cell}");
    };
    check("2026-05-31", ["2026-05-31", "2026-W22", "2026-05", "2026-Q2", "2026"]);
    // The first and the last days of a year may lie in a week of another one.
    check("2027-01-03", ["2027-01-03", "2026-W53", "2027-01", "2027-Q1", "2027"]);
    check("2024-12-30", ["2024-12-30", "2025-W01", "2024-12", "2024-Q4", "2024"]);
    check("0001-01-01", ["0001-01-01", "0001-W01", "0001-01", "0001-Q1", "0001"]);
    check("9999-12-31", ["9999-12-31", "9999-W52", "9999-12", "9999-Q4", "9999"]);
}

#[test]
fn the_date_is_that_of_the_text() {
    for cell in [
        "2026-05-31",
        "20260531",
        "2026/05/31",
        "2026.5.31",
        "31.05.2026",
        "31.5.2026",
        "31/05/2026",
        "05/31/2026",
        "5-31-2026",
        "2026-05-31T12:00:00Z",
        "2026-05-31t00:30:00.123456+14:00",
        "2026-05-31 23:59:60 -0500",
        "2026-05-31 12:00",
        "2026-05-31 12:00:00 UTC",
        "20260531T1200",
        "5/31/2026 2:30 PM",
        "31.05.2026 09:15:00",
        "31.05.2026 9:15 pm z",
        "2026-05-31  12:00:00,5 utc",
    ] {
        assert_eq!(period(cell, CalendarPart::Day, None).as_deref(), Ok("2026-05-31"), "{cell}");
    }
}

#[test]
fn a_date_that_could_be_two_needs_the_setting() {
    let check = |cell: &str, day_first, expect: Result<&str, DateFault>| {
        assert_eq!(period(cell, CalendarPart::Day, day_first).as_deref(), expect.as_ref().copied(), "{cell}");
    };
    check("05/06/2026", None, Err(DateFault::Unclear));
    check("05-06-2026 10:00", None, Err(DateFault::Unclear));
    check("05/05/2026", None, Ok("2026-05-05"));
    check("05/06/2026", Some(true), Ok("2026-06-05"));
    check("05/06/2026", Some(false), Ok("2026-05-06"));
    check("05.06.2026", None, Ok("2026-06-05"));
    check("05.06.2026", Some(false), Ok("2026-05-06"));
    check("31/05/2026", Some(false), Err(DateFault::NotADate));
    check("05/31/2026", Some(true), Err(DateFault::NotADate));
    // The order of a date that begins with its year is never in doubt.
    check("2026-05-06", Some(true), Ok("2026-05-06"));
}

#[test]
fn a_cure_is_named_only_if_it_helps() {
    let part = |day_first| DatePart { by: CalendarPart::Day, day_first };
    assert_eq!(part(Some(false)).cure(b"31/05/2026"), "day_first = true would read it");
    assert_eq!(part(Some(true)).cure(b"05/31/2026"), "day_first = false would read it");
    assert_eq!(part(Some(true)).cure(b"32/13/2026"), FORMS);
    assert_eq!(part(None).cure(b"x"), FORMS);
}

#[test]
fn what_is_no_date_is_said() {
    for cell in [
        "",
        "x",
        "2026",
        "2026-05",
        "2026-02-29",
        "2026-13-01",
        "2026-00-10",
        "0000-01-01",
        "31.04.2026",
        "31.05.26",
        "2026-05-31-",
        "2026-05/31",
        "2026-05-31T",
        "2026-05-31 24:00",
        "2026-05-31 12",
        "2026-05-31 12:60",
        "2026-05-31 12:00.5",
        "2026-05-31 13:00 PM",
        "2026-05-31 12:00 noon",
        "2026-05-31 12:00+1",
        "2026-05-31 12:00+02:",
        "2026-05-31 12:00+0260",
        "2026-05-31 0:00 AM",
        "2026-05-31 123:00",
        "2026-05-31 905",
        "2026-05-31 12:00:00.",
        "202605311",
        "20260531120000",
        "46173",
        "٢٠٢٦-٠٥-٣١",
        "2026-05-3\u{661}",
        "/",
        "NULL",
    ] {
        assert_eq!(period(cell, CalendarPart::Day, None), Err(DateFault::NotADate), "{cell}");
    }
}
