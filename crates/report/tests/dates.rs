//! Groups by a part of the calendar. The model is chrono, which shares no code with the crate.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime};
use proptest::{prelude::*, sample::select};
use tributary_protocol::{CalendarPart, DateGroup, GroupSpec, ReportSpec};

use crate::support::{check, groups, partial, plan, report};

fn dates(column: &str, by: CalendarPart) -> DateGroup {
    DateGroup { column: column.to_owned(), by, name: None, day_first: None }
}

/// A report that counts rows by these dates and columns.
fn by(groups: Vec<GroupSpec>) -> ReportSpec {
    ReportSpec { group_by: groups, ..report(&[], &["count()"]) }
}

#[test]
fn dates_are_grouped_beside_other_columns() {
    let month = DateGroup { name: Some("Month".to_owned()), ..dates("Date", CalendarPart::Month) };
    let year = dates("Date", CalendarPart::Year);
    let report = by(vec![GroupSpec::Date(month), "Shop".into(), GroupSpec::Date(year)]);
    assert_eq!(plan(&report).group_by(), ["Month", "Shop", "Date"]);
    let file = "Date,Shop\n2026-05-31,n\n 2026-05-01 12:00 ,n\n2026-06-01T00:00:00+02:00,s\n20251231,n\n";
    check(&report, file, &["2025-12|n|2025|1", "2026-05|n|2026|2", "2026-06|s|2026|1"]);
}

#[test]
fn a_cell_that_is_no_date_is_a_reject_that_says_what_to_do() {
    let group = |day_first| GroupSpec::Date(DateGroup { day_first, ..dates("d", CalendarPart::Day) });
    let with_sum = |day_first| ReportSpec { group_by: vec![group(day_first)], ..report(&[], &["sum(n)"]) };
    let file = "d,n\n2026-05-31,1\nsoon,2\n05/06/2026,3\n,4\nlater,x\n2026-05-31,5\n";
    let forms = "dates are like 2026-05-31, 20260531, 31.05.2026 or 31/05/2026, perhaps with a time";
    let unclear = "day_first = true in group_by says that the day comes first, false that the month does";
    let expect = [
        "2026-05-31|6".to_owned(),
        format!("3: `d` is not a date: `soon`; {forms}"),
        format!("4: `d` could be two dates: `05/06/2026`; {unclear}"),
        "5: no `d`".to_owned(),
        // A missing group outranks a bad number.
        format!("6: `d` is not a date: `later`; {forms}"),
    ];
    check(&with_sum(None), file, &expect.each_ref().map(String::as_str));
    check(&with_sum(Some(true)), "d,n\n05/06/2026,3\n", &["2026-06-05|3"]);
    let other = "2: `d` is not a date: `05/31/2026`; day_first = false would read it";
    check(&with_sum(Some(true)), "d,n\n05/31/2026,3\n", &[other]);
}

/// The text that a group has, by chrono.
fn expected(date: NaiveDate, by: CalendarPart) -> String {
    match by {
        CalendarPart::Day => date.format("%Y-%m-%d").to_string(),
        CalendarPart::Week => date.format("%G-W%V").to_string(),
        CalendarPart::Month => date.format("%Y-%m").to_string(),
        CalendarPart::Quarter => format!("{:04}-Q{}", date.year(), date.month0() / 3 + 1),
        CalendarPart::Year => date.format("%Y").to_string(),
    }
}

/// A date as chrono reads it; the forms in which the order of day and month is not in doubt.
fn read(cell: &str) -> Option<NaiveDate> {
    let has_length = |length: usize| cell.len() == length;
    let form = match cell {
        _ if cell.contains('.') => "%d.%m.%Y",
        _ if cell.contains('T') => {
            return NaiveDateTime::parse_from_str(cell, "%Y-%m-%dT%H:%M:%S").ok().map(|at| at.date());
        }
        _ if cell.contains('-') => "%Y-%m-%d",
        _ => "%Y%m%d",
    };
    let date = NaiveDate::parse_from_str(cell, form).ok().filter(|_| has_length(if form == "%Y%m%d" { 8 } else { 10 }));
    date.filter(|date| (1..=9999).contains(&date.year()))
}

fn any_date() -> impl Strategy<Value = NaiveDate> {
    let first = NaiveDate::from_ymd_opt(1, 1, 1).unwrap();
    let near_new_year = (1..9999_i32, 1..9_u32, any::<bool>()).prop_map(|(year, day, is_start)| {
        let (month, day) = if is_start { (1, day) } else { (12, 32 - day) };
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    });
    // 3,652,059 days are those of the years 1 to 9999.
    prop_oneof![(0..3_652_059_u64).prop_map(move |days| first + Days::new(days)), near_new_year]
}

/// Dates in the forms of [`read`], some of them damaged.
fn cells() -> impl Strategy<Value = String> {
    let forms = select(vec!["%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%Y-%m-%dT23:59:59"]);
    let good = (any_date(), forms).prop_map(|(date, form)| date.format(form).to_string());
    let digit = (0..10_usize, select(vec!['0', '3', '9']));
    let damaged =
        (any_date(), select(vec!["%Y-%m-%d", "%Y%m%d", "%d.%m.%Y"]), digit).prop_map(|(date, form, (at, to))| {
            let text = date.format(form).to_string();
            // Digits only, so that chrono's leniency towards blanks and signs plays no part.
            text.char_indices()
                .map(|(place, letter)| if place == at && letter.is_ascii_digit() { to } else { letter })
                .collect()
        });
    prop_oneof![3 => good, 1 => damaged]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_report_groups_dates_as_chrono_does(
        cells in prop::collection::vec(cells(), 1..20),
        by in select(vec![CalendarPart::Day, CalendarPart::Week, CalendarPart::Month, CalendarPart::Quarter, CalendarPart::Year]),
    ) {
        let plan = plan(&self::by(vec![GroupSpec::Date(dates("d", by))]));
        let file = format!("d,x\n{}", cells.iter().map(|cell| format!("{cell},\n")).collect::<String>());
        let partial = partial(&plan, "a.csv", file.as_bytes(), 1).unwrap();
        let mut expect = std::collections::BTreeMap::<String, u64>::new();
        let mut rejects = Vec::new();
        for (at, cell) in cells.iter().enumerate() {
            match read(cell) {
                Some(date) => *expect.entry(expected(date, by)).or_default() += 1,
                None => rejects.push(at as u64 + 2),
            }
        }
        let found: std::collections::BTreeMap<_, _> = groups(&partial).into_iter().map(|group| (group.0[0].clone(), group.1)).collect();
        prop_assert_eq!(found, expect);
        prop_assert_eq!(partial.head().rejects.iter().map(|reject| reject.line).collect::<Vec<_>>(), rejects);
    }

    #[test]
    fn any_cell_is_read_or_rejected(cell in "[0-9TZ:./+ -]{0,24}") {
        let plan = plan(&self::by(vec![GroupSpec::Date(dates("d", CalendarPart::Week))]));
        let partial = partial(&plan, "a.csv", format!("d,x\n{cell},\n").as_bytes(), 1).unwrap();
        prop_assert_eq!(partial.head().rows, partial.head().rejected + partial.head().groups);
    }
}
