//! Names, texts and numbers that nobody expects, from the file to the table and out again.

use serde_json::{Value, json};
use tributary_store::{ReportRange, ReportValue};
use tributary_testkit::http;

use super::{wait_for, with_reports};
use crate::system::System;

#[test]
fn columns_may_be_called_anything() {
    let long = "ü".repeat(31) + "x";
    assert_eq!(long.len(), 63);
    let report = format!(
        r#"
[[report]]
name = "a{digits}"
files = "*.csv"
columns = {{ "from" = ["a\"b", "nothing"] }}
where = "\"order\" <> 'skip'"
check = "\"from\" >= 0"
group_by = ["select", "a\"b", "Größe in cm", "rowid", "; DROP TABLE products; --"]
metrics = {{ "count(*)" = "count()", "{long}" = "sum(\"select\")", "?" = "min(\"a\"\"b\")", "%s $1 :a @b" = "max(\"from\")", "'" = "mean(\"Größe in cm\")", "\\" = "sum(-\"group\" * 2)" }}
"#,
        digits = "_0".repeat(19),
    );
    let file = "select,\"a\"\"b\", GRÖSSE in cm ,größe IN cm,ROWID,\"; drop table products; --\",group,order\n\
                1,2,7,3,4,x,5,go\n1,2,8,3,4,x,6,go\n1,2,8,3,4,x,6,skip\n";
    let system = with_reports(&[("a.csv", file)], &report);
    let expect = json!([{
        "select": "1", "a\"b": "2", "Größe in cm": "3", "rowid": "4", "; DROP TABLE products; --": "x",
        "count(*)": 2, (long.as_str()): 2, "?": 2, "%s $1 :a @b": 2, "'": 3.0, "\\": -22
    }]);
    let name = format!("a{}", "_0".repeat(19));
    wait_for(&system, &name, &expect);
    for column in ["select", "-a\"b", "-?", "'", "-\\"] {
        let order: String = column.bytes().map(|byte| format!("%{byte:02x}")).collect();
        assert_eq!(system.json(&format!("/api/v1/reports/{name}?order={order}"))["items"], expect);
    }
    let csv =
        http::request("GET", &system.master_url(&format!("/api/v1/reports/{name}")), &[("Accept", "text/csv")], b"");
    let csv = csv.unwrap().text();
    let mut lines = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(&lines.headers().unwrap()[1], "a\"b");
    assert_eq!(lines.records().count(), 1, "{csv}");
    let table = system.store().stored_report(&name);
    assert_eq!(table.unwrap().unwrap().group_by[4], "; DROP TABLE products; --");
    assert_eq!(system.json("/api/v1/products")["items"], json!([]));
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn groups_may_be_any_texts() {
    const REPORT: &str = r#"
[[report]]
name = "texts"
files = "*.csv"
group_by = ["g", "h"]
metrics = { n = "count()" }
"#;
    let long = "long ".repeat(200_000) + "end";
    let texts = [
        "say \"x\"",
        "a,b",
        "two\nlines",
        "cr\r\nlf",
        "=1+1",
        "-",
        "é",
        "e\u{301}",
        "\u{1f600}",
        "NULL",
        "null",
        "a\u{1}b",
        // At the start of a record it would be the mark of a file that was joined to this one.
        "y\u{feff}x",
        "0",
        "00",
        "'",
        &long,
    ];
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["g", "h"]).unwrap();
    for text in texts {
        writer.write_record([text, "x"]).unwrap();
        writer.write_record(["x", text]).unwrap();
        writer.write_record([&format!(" {text}\t"), "\u{a0}x\u{2003}"]).unwrap();
    }
    // Not the same groups, though the texts stand side by side in the same way.
    for pair in [["a", "b c"], ["a b", "c"], ["ab", "c"], ["a", "bc"]] {
        writer.write_record(pair).unwrap();
    }
    let mut file = writer.into_inner().unwrap();
    file.extend(b"a\0b,c\n \t,x\n\xff,x\n");
    let mut system = System::new();
    system.write("north", "texts.csv", file);
    system.serve("north");
    super::configure(&system, &["north"], REPORT);
    system.start_master(&[]);
    let mut groups: Vec<(&str, &str, u64)> = texts.iter().map(|text| (*text, "x", 2)).collect();
    groups.extend(texts.iter().map(|text| ("x", *text, 1)));
    groups.extend([("a", "b c", 1), ("a b", "c", 1), ("ab", "c", 1), ("a", "bc", 1)]);
    groups.sort_unstable();
    let expect: Value = groups.iter().map(|(g, h, n)| json!({ "g": g, "h": h, "n": n })).collect();
    let path = "/api/v1/reports/texts";
    tributary_testkit::wait::until("the texts are there", || {
        let found = system.json(path)["items"].as_array().unwrap().len();
        (found > 0).then_some(())
    });
    assert!(system.json(path)["items"] == expect, "the groups are not those of the file");
    let csv = http::request("GET", &system.master_url(path), &[("Accept", "text/csv")], b"").unwrap().body;
    let records = csv::Reader::from_reader(&csv[..]).into_records().map(Result::unwrap);
    let found: Vec<_> = records.map(|row| (row[0].to_owned(), row[1].to_owned(), row[2].parse().unwrap())).collect();
    assert!(found.iter().map(|(g, h, n)| (g.as_str(), h.as_str(), *n)).eq(groups), "the CSV is not the JSON");
    let rejects = system.json("/api/v1/rejects?report=texts");
    assert_eq!(rejects["items"].as_array().unwrap().len(), 3, "{rejects}");
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn numbers_at_the_edges_are_exact() {
    const REPORT: &str = r#"
[[report]]
name = "numbers"
files = "*.csv"
group_by = "g"
metrics = { n = "count()", s = "sum(x)", l = "min(x)", m = "max(x)", d = "sum(-x * 1)" }
"#;
    let i128_max = "170141183460469231731687303715884105727";
    let files = [
        ("i64", vec!["9223372036854775807", "1"]),
        ("i64 least", vec!["-9223372036854775808"]),
        ("i128", vec![i128_max, "0"]),
        ("i128 least", vec![&*format!("-{i128_max}").leak(), "-1"]),
        ("float", vec!["1e300", "-1e300", "1"]),
        ("zero", vec!["-0", "-0.0", "0e5", "+0"]),
        ("decimals", vec!["0.1", "0.2", "1e-20"]),
        ("many decimals", vec!["0.123456789012345678901234567890", "1"]),
        ("digits", vec!["0000000000000000000000000000000000000000000000000001.50"]),
        (
            "rejects",
            vec![
                "1e301",
                "1e-400",
                "10e9223372036854775807",
                "inf",
                "0x1",
                "1_000",
                "\"1,2,3\"",
                "٣",
                "--1",
                "1e",
                "7",
            ],
        ),
    ];
    let mut lines = "g,x\n".to_owned();
    for (group, numbers) in &files {
        numbers.iter().for_each(|number| lines += &format!("{group},{number}\n"));
    }
    // In two files and two orders: neither may show.
    let (header, rows) = lines.split_once('\n').unwrap();
    let turned: String = rows.lines().rev().map(|line| format!("{line}\n")).collect();
    let system = with_reports(&[("a.csv", &lines)], REPORT);
    let look = || -> Vec<(String, Vec<ReportValue>)> {
        let mut store = system.store();
        let Some(table) = store.stored_report("numbers").unwrap() else { return Vec::new() };
        let rows = store.report_rows(&table, ReportRange::ALL).unwrap();
        rows.into_iter().map(|row| (row.group[0].clone(), row.values)).collect()
    };
    let first =
        tributary_testkit::wait::until("the numbers are there", || Some(look()).filter(|rows| !rows.is_empty()));
    let of = |group: &str| first.iter().find(|(found, _)| found == group).unwrap().1.clone();
    use ReportValue::{Decimal, Integer, Real, Text};
    let text = |text: &str| Text(text.to_owned());
    assert_eq!(
        of("i64"),
        [Integer(2), text("9223372036854775808"), Integer(1), Integer(i64::MAX), text("-9223372036854775808")].map(
            |value| match value {
                Text(digits) if digits == i64::MIN.to_string() => Integer(i64::MIN),
                value => value,
            }
        )
    );
    assert_eq!(
        of("i64 least"),
        [Integer(1), Integer(i64::MIN), Integer(i64::MIN), Integer(i64::MIN), text("9223372036854775808")]
    );
    assert_eq!(of("i128"), [Integer(2), text(i128_max), Integer(0), text(i128_max), text(&format!("-{i128_max}"))]);
    assert_eq!(of("i128 least")[1..3], [Real(-1.7014118346046923e38), text(&format!("-{i128_max}"))]);
    assert_eq!(of("float"), [Integer(3), Real(1.0), Real(-1e300), Real(1e300), Real(-1.0)]);
    assert_eq!(of("zero"), [Integer(4), Integer(0), Integer(0), Integer(0), Integer(0)]);
    assert_eq!(of("decimals")[1..4], [Decimal("0.30000000000000000001".to_owned()), Real(1e-20), Real(0.2)]);
    assert_eq!(of("many decimals")[1..4], [Real(1.1234567890123457), Real(0.12345678901234568), Integer(1)]);
    assert_eq!(of("digits")[1..2], [Real(1.5)]);
    assert_eq!(of("rejects"), [Integer(1), Integer(7), Integer(7), Integer(7), Integer(-7)]);
    let items = system.json("/api/v1/reports/numbers?limit=1&order=g")["items"].clone();
    assert_eq!(items[0]["l"].to_string(), "1e-20", "{items}");
    let raw = system.ask("GET", "/api/v1/reports/numbers", "").text();
    assert!(raw.contains(&format!("\"s\":{i128_max}")), "{raw}");
    // The other order, in two files.
    let (one, two) = turned.split_at(turned[..turned.len() / 2].rfind('\n').unwrap() + 1);
    system.write("north", "b.csv", format!("{header}\n{one}"));
    std::fs::remove_file(system.folder("north").join("a.csv")).unwrap();
    system.write("north", "a.csv", format!("{header}\n{two}"));
    system.sync();
    tributary_testkit::wait::until("the numbers are the same again", || {
        let files = system.json("/api/v1/reports/numbers?file=b.csv");
        (look() == first && files["items"] != json!([])).then_some(())
    });
}
