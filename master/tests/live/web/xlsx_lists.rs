//! The lists as Excel files, read by another library.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use tributary_testkit::wait;

use super::{get, is_guarded, no_source, one_source, problem};
use crate::{reports, system::System};

#[track_caller]
fn sheet(system: &System, path: &str) -> Vec<Vec<Data>> {
    let response = get(system, path, &[]);
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(
        response.header("content-type"),
        Some("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    );
    assert!(response.header("content-disposition").unwrap().starts_with("attachment; filename="), "{response:?}");
    is_guarded(&response);
    let mut workbook = Xlsx::new(Cursor::new(response.body)).unwrap();
    let range = workbook.worksheet_range_at(0).unwrap().unwrap();
    range.rows().map(<[Data]>::to_vec).collect()
}

fn text(text: &str) -> Data {
    Data::String(text.to_owned())
}

#[test]
fn every_text_is_a_text_cell() {
    let texts =
        ["00123", "1E5", "12345678901234567890", "-5", "=1+1", "NULL", " x ", "\"a,b\"", "line\nend", "<&>", "_x0041_"];
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let row = |(sku, text): (&&str, &&str)| format!("{},n,{}\n", quoted(sku), quoted(text));
    let rows: String = texts.iter().zip(&texts).map(row).collect();
    let system = one_source(&[("feed.csv", &format!("sku,name,description\n{rows}empty,,\n"))]);
    let found = sheet(&system, "/api/v1/products?format=xlsx");
    assert_eq!(found[0], ["sku", "name", "description", "source", "file", "edited"].map(text));
    assert_eq!(found.len(), 1 + texts.len() + 1);
    for written in texts {
        let row =
            found.iter().find(|row| row[0] == text(written.trim())).unwrap_or_else(|| panic!("{written:?}: {found:?}"));
        assert_eq!((&row[2], &row[5]), (&text(written), &Data::Bool(false)), "{written:?}");
    }
    let empty = found.iter().find(|row| row[0] == text("empty")).unwrap();
    assert_eq!(empty[1..3], [Data::Empty, Data::Empty]);
    assert_eq!(sheet(&system, "/api/v1/products?format=xlsx&limit=1&after=00123").len(), 2);
    assert_eq!(sheet(&system, "/api/v1/sources?format=xlsx")[1][0], text("north"));
}

#[test]
fn numbers_of_reports_are_numbers_where_excel_keeps_them() {
    let report = r#"
        [[report]]
        name = "sums"
        files = "*.csv"
        group_by = ["k"]
        metrics = { n = "count()", total = "sum(v)" }
    "#;
    let rows = "001,0.1\n001,0.2\n002,99999999999999.99\n002,0.02\n003,9223372036854775807\n004,\n";
    let system = reports::with_reports(&[("a.csv", &format!("k,v\n{rows}"))], report);
    wait::until("the report is computed", || {
        (system.json("/api/v1/reports/sums")["items"].as_array()?.len() == 4).then_some(())
    });
    let found = sheet(&system, "/api/v1/reports/sums?format=xlsx");
    let expect = [
        [text("k"), text("n"), text("total")],
        [text("001"), Data::Float(2.0), Data::Float(0.3)],
        [text("002"), Data::Float(2.0), text("100000000000000.01")],
        [text("003"), Data::Float(1.0), text("9223372036854775807")],
        [text("004"), Data::Float(1.0), Data::Empty],
    ];
    assert_eq!(found, expect);
}

#[test]
fn a_text_that_no_cell_holds_is_refused_before_the_answer_begins() {
    let system = no_source();
    let long = format!(r#"{{"name":"n","description":"{}"}}"#, "x".repeat(40_000));
    assert_eq!(system.ask("PUT", "/api/v1/products/a", &long).status, 201);
    let problem = problem(&get(&system, "/api/v1/products?format=xlsx", &[]), 422);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("column `description`") && detail.contains("as CSV"), "{detail}");
}
