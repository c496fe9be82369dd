//! Columns by position: in files with any header and with none, beside named ones, compared with another reader of CSV and
//! with the totals of `processor.CsvProcessor`.

use std::{collections::BTreeMap, sync::Arc};

use proptest::{prelude::*, sample::select};
use tributary_budget::{Budget, Share};
use tributary_csv_gate::{Header, Settings};
use tributary_protocol::{ColumnSpec, ReportSpec};
use tributary_report::{Error, FileFormat, Partial, ReportPlan};
use tributary_sales::Sales;

use crate::{
    model::Fraction,
    support::{at, check, checked, plan, rejected, renamed, report, shown},
};

/// Sales per department: columns 1 and 3.
fn sales() -> ReportSpec {
    at(report(&["department"], &["sum(sales)"]), &[("department", 1), ("sales", 3)])
}

fn read(report: &ReportSpec, file: &[u8], settings: Settings) -> Result<(ReportPlan, Partial), Error> {
    let (plan, format) = (plan(report), FileFormat { settings, ..FileFormat::default() });
    let partial = plan.aggregate_file(("a.csv", file.len() as u64), || Ok(file), &format, 1, |_| true)?;
    Ok((plan, partial))
}

/// Checks the sales of a file that is read by these settings.
#[track_caller]
fn check_set(settings: Settings, file: &str, expect: &[&str]) {
    let (plan, partial) = read(&sales(), file.as_bytes(), settings).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(shown(&plan, &partial), expect, "{file}");
}

fn no_header() -> Settings {
    Settings { header: Header::None, ..Settings::default() }
}

#[test]
fn the_header_may_say_anything() {
    let rows = "Toys,Mon,3\nBooks,Tue,0.1\nToys,Wed,0.25\n";
    for header in [
        "Department Name,Date,Number of Sales",
        ",,",
        "x,x,x",
        "a,,b",
        "3,2,1",
        "sales,date,department",
        "\"\",\"\",\"\"",
    ] {
        check(&sales(), &format!("{header}\n{rows}"), &["Books|0.1", "Toys|3.25"]);
    }
    check(&sales(), &format!("Sales of May\n\nDepartment,Date,Sales\n{rows}"), &["Books|0.1", "Toys|3.25"]);
}

/// Names in a header, or none, say which line it is; a first row of words was taken for the header below an odd one, and lost.
#[test]
fn a_row_is_never_the_header() {
    let word = "2: `sales` is not a number: `x`";
    for header in ["a,,b", ",,b", "x,x,x", "# by hand,b,c", ",,"] {
        check(
            &sales(),
            &format!("{header}\nToys,Mon,x\nBooks,Tue,3\nToys,Wed,4\nToys,Thu,4\n"),
            &["Books|3", "Toys|8", word],
        );
    }
    let title = "Sales of May\n,,b\nToys,Mon,x\nBooks,Tue,3\nToys,Wed,4\n";
    let (_, reason) = rejected(&sales(), title);
    assert!(reason.starts_with("no column 1 for `department`") || reason.starts_with("no column 3"), "{reason}");
    check_set(
        Settings { skip_rows: 2, ..no_header() },
        title,
        &["Books|3", "Toys|4", "3: `sales` is not a number: `x`"],
    );
}

#[test]
fn a_file_without_a_header_is_as_wide_as_most_of_its_rows() {
    check_set(no_header(), "Toys,Mon,3\nBooks,Tue,4\n", &["Books|4", "Toys|3"]);
    let few = "1: 2 fields where the header has 3: ragged = \"pad\" leaves the missing ones empty";
    check_set(no_header(), "Toys,3\nToys,Mon,3\nBooks,Tue,4\n", &["Books|4", "Toys|3", few]);
    check_set(no_header(), "Toys,Mon,3\nToys,Mon,3\n", &["Toys|6"]);
    check_set(
        Settings { skip_rows: 1, ..no_header() },
        "Sales of May\nToys,Mon,3\nBooks,Tue,4\n",
        &["Books|4", "Toys|3"],
    );
    let names = Header::Names(["a", "b", "sales"].map(str::to_owned).to_vec());
    check_set(Settings { header: names, ..Settings::default() }, "Toys,Mon,3\n", &["Toys|3"]);
}

#[test]
fn a_row_of_another_length_is_a_reject() {
    let few = "2: 2 fields where the header has 3: ragged = \"pad\" leaves the missing ones empty";
    let many =
        "3: 4 fields where the header has 3: quote cells that hold the delimiter; header = […] names more columns";
    check(&sales(), "a,b,c\nToys,1\nToys,Mon,1,5\n,Mon,3\nToys,Mon,2\n", &["Toys|2", few, many, "4: no `department`"]);
    let pad = Settings { ragged: tributary_csv_gate::Ragged::Pad, ..Settings::default() };
    check_set(pad, "a,b,c\nToys,1\nToys,Mon,2\n", &["Toys|2"]);
}

#[test]
fn a_file_that_is_too_narrow_is_rejected() {
    let why = "no column 3 for `sales`: the file has 2 columns; correct the position in the report's columns, or set delimiter = … if \
               they are cut in the wrong places";
    assert_eq!(rejected(&sales(), "Department,Sales\nToys,3\n"), (0, why.to_owned()));
    // Only columns that are used must be there.
    let unused = at(report(&["department"], &["count()"]), &[("department", 1), ("sales", 3)]);
    check(&unused, "Department,Sales\nToys,3\n", &["Toys|1"]);
}

#[test]
fn positions_stand_beside_names() {
    let mixed = report(&["department"], &["sum(price * pieces)", "max(\"Left over\")"]);
    let mixed = renamed(at(mixed, &[("department", 2)]), "price", &["Price", "Unit price"]);
    check(&mixed, "pieces,,unit price,left over\n3,Toys,0.1,7\n2,Toys,1,8\n", &["Toys|2.3|8"]);
    // A name that the report gives to a position has no other meaning.
    let other = at(report(&[], &["sum(b)", "sum(\"B \")"]), &[("b", 1)]);
    check(&other, "a,b\n1,2\n", &["1|1"]);
    // One column may have a name in the header, too.
    check(&at(report(&["a"], &["sum(n)"]), &[("n", 1)]), "a,b\n1,2\n", &["1|1"]);
}

#[test]
fn conditions_and_dates_know_positions() {
    let text = "group_by = [{\"column\": \"day\", \"by\": \"month\"}]";
    let mut dated = checked(at(report(&[], &["sum(n)"]), &[("day", 1), ("n", 2)]), "n >= 0");
    dated.filter = Some("day <> 'never'".into());
    dated.group_by = serde_json::from_str(text.split_once(" = ").unwrap().1).unwrap();
    check(
        &dated,
        ",\n2026-05-01,1\n2026-05-31,2\nnever,5\n2026-06-01,-1\n",
        &["2026-05|3", "~1", "5: not true: n >= 0"],
    );
}

/// Files that were joined may have their columns in another order below; positions mean those of the first header.
#[test]
fn a_second_header_moves_the_columns() {
    check(&sales(), "a,b,c\nToys,Mon,3\nc,b,a\n4,Tue,Toys\n", &["Toys|7"]);
}

#[test]
fn wrong_positions_are_refused() {
    let check = |columns: &[(&str, u32)], name: &str, part: &str| {
        let error = ReportPlan::compile(&at(report(&[], &["sum(a)"]), columns)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("columns, `{name}`: ")) && error.contains(part), "{error}");
    };
    check(&[("a", 0)], "a", "positions are counted from 1");
    check(&[("a", 1), ("b", 1)], "a", "position 1 is `b` too");
    check(&[("a", 1), ("A", 2)], "A", "differs only in case");
    let headers = ReportSpec {
        columns: BTreeMap::from([("a".into(), ColumnSpec::Headers(Vec::new()))]),
        ..report(&[], &["sum(a)"])
    };
    assert!(ReportPlan::compile(&headers).unwrap_err().to_string().contains("list its names in headers"));
}

/// The records of a file, as the `csv` crate reads them.
fn records(file: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file);
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// The width that most records have, the first of several.
fn usual_width(records: &[Vec<String>]) -> usize {
    let count = |width: usize| records.iter().filter(|record| record.len() == width).count();
    let widths: Vec<usize> = records.iter().map(Vec::len).collect();
    widths.iter().rev().copied().max_by_key(|width| count(*width)).unwrap_or(0)
}

/// Sums of one column by another, as texts, with the number of rejects.
fn model(records: &[Vec<String>], width: usize, (group, number): (usize, usize)) -> (Vec<String>, u64) {
    let (mut sums, mut rejects) = (BTreeMap::<String, Option<Fraction>>::new(), 0);
    for record in records {
        let cell = |position: usize| record[position - 1].trim();
        let is_number = |text: &str| text.is_empty() || Fraction::read(text).is_some();
        if record.len() != width || cell(group).is_empty() || !is_number(cell(number)) {
            rejects += 1;
            continue;
        }
        let sum = sums.entry(cell(group).to_owned()).or_default();
        if let Some(value) = Fraction::read(cell(number)) {
            *sum = Some(sum.map_or(value, |sum| sum.plus(value)));
        }
    }
    let text = |(key, sum): (String, Option<Fraction>)| format!("{key}|{sum:?}");
    (sums.into_iter().map(text).collect(), rejects)
}

fn cell() -> impl Strategy<Value = &'static str> {
    select(vec![
        "x",
        "y",
        " x ",
        "long, \"\"text\"\"",
        "é",
        "",
        "1",
        "2.5",
        "-0.75",
        "1",
        "2.50",
        "100",
        " 7 ",
        "word\nword",
    ])
}

fn quoted(cells: &[&str]) -> String {
    format!("\"{}\"\n", cells.join("\",\""))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn positions_give_what_another_reader_gives(
        (width, group, number) in (2..6_usize).prop_flat_map(|width| (Just(width), 1..=width, 1..=width)),
        header in prop::option::of(prop::collection::vec(select(vec!["", "h", "H", "name", "other"]), 6)),
        rows in prop::collection::vec((prop::collection::vec(cell(), 6), prop_oneof![9 => Just(0_i8), 1 => -1..=1_i8]), 1..30),
    ) {
        prop_assume!(group != number);
        let rows: String = rows.iter().map(|(cells, more)| quoted(&cells[..width.checked_add_signed((*more).into()).unwrap().min(6)])).collect();
        let line = header.as_ref().map(|names| quoted(&names[..width])).unwrap_or_default();
        let file = format!("{line}{rows}");
        let all = records(file.as_bytes());
        let (body, width) = match &header {
            Some(_) => (&all[1..], width),
            None => (&all[..], usual_width(&all)),
        };
        prop_assume!(width >= group.max(number));
        let report = at(report(&["g"], &["sum(n)"]), &[("g", u32::try_from(group).unwrap()), ("n", u32::try_from(number).unwrap())]);
        let settings = Settings { header: if header.is_some() { Header::FirstLine } else { Header::None }, ..Settings::default() };
        let (plan, partial) = read(&report, file.as_bytes(), settings).map_err(|error| TestCaseError::fail(format!("{error}\n{file}")))?;
        let found: Vec<_> = shown(&plan, &partial).into_iter().take(partial.head().groups as usize).map(|row| {
            let (key, sum) = row.rsplit_once('|').unwrap();
            format!("{key}|{:?}", Fraction::read(sum))
        }).collect();
        prop_assert_eq!((found, partial.head().rejected), model(body, width, (group, number)), "{}", file);
    }

    #[test]
    fn positions_give_the_totals_of_the_sales_protocol(
        header in select(vec!["Department Name,Date,Number of Sales", "", ",,", "Toys,2026-01-01,3", "Sales", "a;b;c;d"]),
        rows in prop::collection::vec((select(vec!["Toys", " Books ", "\"Arts, Crafts\"", "", "Häuser"]), select(vec![
            ",2026-01-01,3", ",,4", ",x, 7 ", ",x,+3", ",x,-3", ",x,", ",x,12345678901234567", ",x,many", ",x,0", ",3", ",x,3,4", ",\"a\nb\",5",
        ])), 1..40),
    ) {
        let rows: String = rows.iter().map(|(department, rest)| format!("{department}{rest}\n")).collect();
        prop_assume!(usual_width(&records(rows.as_bytes())) == 3);
        let file = format!("{header}\n{rows}");
        let mut expected = Sales::new(Share::new(Arc::new(Budget::new(1 << 20))));
        // The protocol has no empty header.
        expected.push(if header.is_empty() { b"x" } else { b"" }).unwrap();
        expected.push(file.as_bytes()).unwrap();
        expected.finish().unwrap();
        let mut totals = Vec::new();
        expected.write(&mut totals).unwrap();
        let report = checked(sales(), "sales >= 0");
        let settings = Settings { skip_rows: 1, delimiter: Some(",".into()), ..no_header() };
        let (plan, partial) = read(&report, file.as_bytes(), settings).map_err(|error| TestCaseError::fail(format!("{error}\n{file}")))?;
        let found: Vec<_> = shown(&plan, &partial).into_iter().take(partial.head().groups as usize).collect();
        let expect: Vec<_> = records(&totals)[1..].iter().map(|record| record.join("|")).collect();
        prop_assert_eq!(found, expect, "{}", file);
        prop_assert_eq!((partial.head().rows - partial.head().rejected, partial.head().rejected), (expected.counts().rows, expected.counts().malformed));
    }
}
