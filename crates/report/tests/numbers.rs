//! Files whose format says how they write numbers.

use tributary_protocol::FormatSpec;
use tributary_report::{FileFormat, NumberFormat, Total};

use crate::support::{checked, filtered, groups, plan, report, rows, shown};

fn format(spec: &FormatSpec) -> FileFormat {
    FileFormat { numbers: NumberFormat::new(spec).unwrap(), ..FileFormat::default() }
}

fn german() -> FormatSpec {
    FormatSpec {
        decimal: Some(",".into()),
        thousands: Some(".".into()),
        currency: Some(vec!["€".into()]),
        ..FormatSpec::default()
    }
}

#[test]
fn the_format_counts_where_a_number_is_needed_and_nowhere_else() {
    let metrics = ["count()", "sum(n * 2)", "min(n)", "max(n)", "mean(n)"];
    let report = checked(filtered(report(&["g"], &metrics), "t <> '1.0' AND n > -1000.5"), "n < 1500");
    let plan = plan(&report);
    let file = "g;n;t\n\
                1.000;1.234,56 €;x\n\
                1.000;-1.000;x\n\
                1,0;€ 0,5;1.000\n\
                1,0;2;1.0\n\
                1,0;-1.000,50;x\n\
                1,0;;x\n\
                1,0;1.5;x\n\
                1,0;1.23.456;x\n\
                1,0;1.500;x\n";
    // The second file is opened again after its encoding is detected, and has to be read by the same settings.
    let latin: Vec<u8> = file.replace('€', "\u{80}").chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    for bytes in [file.as_bytes(), &latin] {
        let open = || Ok(bytes);
        let partial = plan.aggregate_file(("a.csv", bytes.len() as u64), open, &format(&german()), 2, |_| true);
        let expect = [
            "1,0|1|1|0.5|0.5|0.5",
            "1.000|2|469.12|-1000|1234.56|117.28",
            "~3",
            "8: `n` is not a number: `1.5`",
            "9: `n` is not a number: `1.23.456`",
            "10: not true: n < 1500",
        ];
        assert_eq!(shown(&plan, &partial.unwrap()), expect);
    }
}

/// Partials hold plain numbers, so that a total does not depend on how each of its files writes them.
#[test]
fn files_of_different_formats_have_one_total() {
    let plan = plan(&report(&["g"], &["sum(n)"]));
    let mut total = Total::new(&plan);
    for (file, spec) in [("g;n\na;1.000,5\n", german()), ("g;n\na;1.000\n", FormatSpec::default())] {
        let open = || Ok(file.as_bytes());
        let partial = plan.aggregate_file(("a.csv", file.len() as u64), open, &format(&spec), 1, |_| true).unwrap();
        groups(&partial).iter().for_each(|group| total.add(group).unwrap());
    }
    assert_eq!(rows(total, &plan), ["a|1001.5"]);
}
