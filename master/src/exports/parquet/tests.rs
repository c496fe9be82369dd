//! Files that the reader of the same library reads back; `e2e` has another reader.

use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::Field,
};
use proptest::prelude::*;

use super::*;

fn file(text: &str) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn columns(kinds: &[Kind]) -> Vec<Column> {
    (0..).zip(kinds).map(|(at, kind)| Column { name: format!("c{at}"), kind: *kind }).collect()
}

/// The types of the columns, and the rows as texts.
fn read(csv: &str, kinds: &[Kind]) -> (Vec<String>, Vec<Vec<String>>) {
    let mut out = tempfile::tempfile().unwrap();
    write(&file(csv), &columns(kinds), out.try_clone().unwrap()).unwrap();
    out.rewind().unwrap();
    let reader = SerializedFileReader::new(out).unwrap();
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let types = schema.columns().iter().map(|column| match column.logical_type_ref() {
        Some(logical) => format!("{logical:?}"),
        None => column.physical_type().to_string(),
    });
    let text = |field: &Field| match field {
        Field::Str(text) => format!("{text:?}"),
        // It is printed with a point, even if nothing is behind it.
        Field::Decimal(_) => field.to_string().trim_end_matches('.').to_owned(),
        other => other.to_string(),
    };
    let rows = reader
        .get_row_iter(None)
        .unwrap()
        .map(|row| row.unwrap().get_column_iter().map(|(_, field)| text(field)).collect());
    (types.collect(), rows.collect())
}

const NUMBER: &[Kind] = &[Kind::Number];

#[test]
fn numbers_get_the_narrowest_exact_form() {
    let check = |numbers: &[&str], expect_type: &str, expect: &[&str]| {
        let csv = format!("c0\n{}\n", numbers.join("\n"));
        let (types, rows) = read(&csv, NUMBER);
        assert!(types[0].starts_with(expect_type), "{types:?}");
        assert_eq!(rows.concat(), expect, "{numbers:?}");
    };
    check(&["1", "-5", "\"\""], "INT64", &["1", "-5", "null"]);
    check(&["9223372036854775807"], "INT64", &["9223372036854775807"]);
    check(&["9223372036854775808", "-1"], "Decimal", &["9223372036854775808", "-1"]);
    check(&["1.5", "-2", "0.001"], "Decimal", &["1.500", "-2.000", "0.001"]);
    let long = "99999999999999999999999999999999999999";
    check(&[long, &format!("-{long}")], "Decimal", &[long, &format!("-{long}")]);
    // With 39 digits between them there is no decimal that holds both.
    check(&[long, "0.5"], "DOUBLE", &["1E38", "0.5"]);
    check(&["1e+300", "2"], "DOUBLE", &["1E300", "2.0"]);
    check(&["\"\""], "INT64", &["null"]);
}

#[test]
fn declared_kinds_do_not_depend_on_the_values() {
    let (types, rows) = read("c0,c1,c2\n\"a \"\"b\"\"\n,c\",1,3\n,,\n", &[Kind::Text, Kind::Count, Kind::Mean]);
    assert_eq!(types, ["String", "INT64", "DOUBLE"]);
    assert_eq!(rows, [["\"a \\\"b\\\"\\n,c\"", "1", "3.0"], ["\"\"", "null", "null"]]);
    let (types, rows) = read("c0,c1\n", &[Kind::Text, Kind::Number]);
    assert_eq!((types, rows.len()), (vec!["String".to_owned(), "INT64".to_owned()], 0));
}

#[test]
fn many_rows_become_several_groups() {
    let rows: String = (0..200_000).map(|at| format!("{},{at}\n", "x".repeat(60))).collect();
    let mut out = tempfile::tempfile().unwrap();
    write(&file(&format!("c0,c1\n{rows}")), &columns(&[Kind::Text, Kind::Number]), out.try_clone().unwrap()).unwrap();
    out.rewind().unwrap();
    let reader = SerializedFileReader::new(out).unwrap();
    assert!(reader.num_row_groups() > 1);
    assert_eq!(reader.metadata().file_metadata().num_rows(), 200_000);
}

#[test]
fn a_file_with_other_columns_is_refused() {
    let out = tempfile::tempfile().unwrap();
    assert!(write(&file("x\n1\n"), &columns(NUMBER), out).is_err());
}

proptest! {
    /// Each number is the one of the CSV, however they are mixed.
    #[test]
    fn no_number_changes(numbers in proptest::collection::vec("-?[0-9]{1,17}(\\.[0-9]{1,18})?", 1..20)) {
        let (types, rows) = read(&format!("c0\n{}\n", numbers.join("\n")), NUMBER);
        for (typed, read) in numbers.iter().zip(rows.concat()) {
            if types[0] == "DOUBLE" {
                prop_assert_eq!(typed.parse::<f64>().unwrap(), read.parse::<f64>().unwrap());
            } else {
                prop_assert_eq!(plain(typed), plain(&read));
            }
        }
    }
}

/// One spelling for each number.
fn plain(digits: &str) -> String {
    let (sign, unsigned) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    if whole.is_empty() && fraction.is_empty() { "0".to_owned() } else { format!("{sign}{whole}.{fraction}") }
}
