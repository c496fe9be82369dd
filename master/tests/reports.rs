//! Reports as users declare them: computed where the files lie, summed, written to their tables, and brought up to date with
//! every change.

mod changes;
mod cluster;
mod dates;
mod faults;
mod model;
mod names;
mod once;
mod positions;
mod property;
mod states;

use serde_json::{Value, json};
use tributary_testkit::{
    faulty::{Answer, FaultySource},
    process::{stderr, stdout},
    wait,
};

use crate::system::System;

/// Sales a department.
pub(crate) const SALES: &str = r#"
[[report]]
name = "sales_by_department"
files = "**/*sales*.csv"
check = "\"Number of Sales\" >= 0"
group_by = ["Department Name"]
metrics = { rows = "count()", total_sales = "sum(\"Number of Sales\")", least = "min(\"Number of Sales\")" }
"#;

/// One row over transactions whose headers differ.
const TRANSACTIONS: &str = r#"
[[report]]
name = "transactions"
files = ["t/*.csv", "*transactions*.csv"]
columns = { price = ["Price", "UnitPrice", "Unit_Price"], quantity = ["Quantity", "Qty", "Units"] }
metrics = { total_rows = "count()", total_sales = "sum(price * quantity)", min_price = "min(price)", max_price = "max(price)", avg_price = "mean(price)" }
"#;

/// Products a name, over feeds.
const NAMES: &str = r#"
[[report]]
name = "names"
files = "**/*.csv"
feed = true
where = "sku IS NOT NULL"
group_by = "name"
metrics = { products = "count()" }
"#;

/// The rows of a report, once they are as expected.
#[track_caller]
pub(crate) fn wait_for(system: &System, report: &str, expect: &Value) {
    let path = format!("/api/v1/reports/{report}");
    wait::until(&format!("{report} is {expect}"), || {
        let answer = system.ask("GET", &path, "");
        let found: Value = serde_json::from_slice(&answer.body).ok()?;
        (answer.status == 200 && found["items"] == *expect).then_some(())
    });
}

/// A source `north` with these files, and a master with these reports.
pub(crate) fn with_reports(files: &[(&str, &str)], reports: &str) -> System {
    let mut system = System::new();
    files.iter().for_each(|(path, content)| system.write("north", path, content));
    system.serve("north");
    configure(&system, &["north"], reports);
    system.start_master(&[]);
    system
}

pub(crate) fn configure(system: &System, sources: &[&str], reports: &str) {
    let source = |name: &&str| format!("[[source]]\nname = \"{name}\"\nurl = \"{}\"\n", system.url(name));
    system.configure(&(sources.iter().map(source).collect::<String>() + reports));
}

#[test]
fn sales_are_summed_a_department_and_bad_rows_are_told_of() {
    let system = with_reports(
        &[
            (
                "sales.csv",
                "Department Name,Date,Number of Sales\nToys,2024-01-01, 5 \nBooks,2024-01-01,7\nToys,2024-01-02,-1\n",
            ),
            (
                "sub/more_sales.csv",
                "date;NUMBER OF SALES;department name\n1;2;Toys\n1;x;Toys\n1;3\n1;3;\n1;;Books\n1;9223372036854775807;Books\n",
            ),
            ("feed.csv", "sku,name\na,A\n"),
        ],
        SALES,
    );
    let expect = json!([
        {"Department Name": "Books", "rows": 2, "total_sales": 9_223_372_036_854_775_814_u64, "least": 7},
        {"Department Name": "Toys", "rows": 2, "total_sales": 7, "least": 2},
    ]);
    wait_for(&system, "sales_by_department", &expect);
    let rejects = system.json("/api/v1/rejects?report=sales_by_department");
    let mut told: Vec<_> = rejects["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reject| format!("{} {} {}", reject["file"], reject["line"], reject["reason"]))
        .collect();
    told.sort();
    let expect = [
        r#""sales.csv" 4 "not true: \"Number of Sales\" >= 0""#,
        r#""sub/more_sales.csv" 3 "`Number of Sales` is not a number: `x`""#,
        r#""sub/more_sales.csv" 4 "2 fields where the header has 3: ragged = "pad" leaves the missing ones empty""#,
        r#""sub/more_sales.csv" 5 "no `Department Name`""#,
        r#""sub/more_sales.csv" 6 "not true: \"Number of Sales\" >= 0""#,
    ];
    assert_eq!(
        told.iter().map(|line| line.replace("\\\"", "\"")).collect::<Vec<_>>(),
        expect.map(|line| line.replace("\\\"", "\""))
    );
    // The files of a report are no product feeds.
    system.sync();
    assert_eq!(system.json("/api/v1/sources")["items"][0]["files"], 1);
    assert_eq!(system.json("/api/v1/rejects?report=other")["items"], json!([]));
}

#[test]
fn one_row_over_files_of_three_spellings_and_two_sources() {
    let mut system = System::new();
    system.write("north", "t/a.csv", "TransactionID,Product,Price,Quantity\n1,p,19.99,3\n2,q,0.01,1\n");
    system.write("north", "t/b.csv", "Units,UnitPrice\n2,5\n");
    system.write("south", "transactions.csv", "Unit_Price;Qty\n7.5;\n1e2;2\n");
    ["north", "south"].iter().for_each(|source| drop(system.serve(source)));
    configure(&system, &["north", "south"], TRANSACTIONS);
    system.start_master(&[]);
    let expect = json!([{
        "total_rows": 5, "total_sales": 269.98, "min_price": 0.01, "max_price": 100, "avg_price": (19.99 + 0.01 + 5.0 + 7.5 + 100.0) / 5.0
    }]);
    wait_for(&system, "transactions", &expect);
    let of =
        |query: &str| system.json(&format!("/api/v1/reports/transactions?{query}"))["items"][0]["total_sales"].clone();
    assert_eq!(of("source=north"), json!(69.98));
    assert_eq!(of("source=south&file=transactions.csv"), json!(200));
    assert_eq!(of("file=t/b.csv"), json!(10));
    assert_eq!(of("source=nobody"), json!(null));
}

#[test]
fn feeds_may_be_counted_too() {
    let system = with_reports(&[("a.csv", "sku,name\n1,A\n2,B\n3,A\n,C\n"), ("b.csv", "name,sku\nA,1\n")], NAMES);
    wait_for(&system, "names", &json!([{"name": "A", "products": 3}, {"name": "B", "products": 1}]));
    system.sync();
    assert_eq!(system.products().len(), 3);
}

#[test]
fn a_report_over_no_file_is_one_row_or_none() {
    let system = with_reports(&[], &format!("{SALES}{TRANSACTIONS}"));
    wait_for(&system, "sales_by_department", &json!([]));
    let nothing =
        json!([{"total_rows": 0, "total_sales": null, "min_price": null, "max_price": null, "avg_price": null}]);
    wait_for(&system, "transactions", &nothing);
}

#[test]
fn once_computes_reports_and_says_what_it_could_not() {
    let mut system = System::new();
    system.write("north", "sales.csv", "Department Name,Number of Sales\nToys,1\n");
    system.serve("north");
    configure(&system, &["north"], SALES);
    let done = system.run("master", &["--once"]);
    assert!(done.status.success(), "{}", stderr(&done));
    system.write("north", "bad_sales.csv", "Department,Number\nToys,1\n");
    system.settle("north");
    let done = system.run("master", &["--once"]);
    assert_eq!(done.status.code(), Some(1));
    let summary = stdout(&done);
    assert!(summary.contains("bad_sales.csv is rejected: no column `Number of Sales`"), "{summary}");
}

#[test]
fn sources_that_compute_nothing_are_read_and_computed_here() {
    let body = Answer::csv("Department Name,Number of Sales\nToys,4\nToys,5\n");
    let plain = FaultySource::start(&[("/sense", Answer::json(r#"{"status":1}"#)), ("/read", body)]);
    let mut system = System::new();
    let report = SALES.replace("**/*sales*.csv", "read.csv");
    system.configure(&format!("[[source]]\nname = \"plain\"\nurl = \"{}\"\n{report}", plain.url));
    system.start_master(&[]);
    let expect = json!([{"Department Name": "Toys", "rows": 2, "total_sales": 9, "least": 4}]);
    wait_for(&system, "sales_by_department", &expect);
}

#[test]
fn wrong_reports_are_refused_with_the_place_and_the_mend() {
    let system = System::new();
    let refused = |toml: &str, line: usize, words: &[&str]| {
        system.configure(toml);
        let output = system.run("master", &["--once"]);
        assert_eq!(output.status.code(), Some(2), "{toml}: {}", stderr(&output));
        let said = stderr(&output);
        for word in words.iter().copied().chain([format!("tributary.toml, line {line}").as_str()]) {
            assert!(said.contains(word), "{said:?} lacks {word:?}");
        }
    };
    let report = |changed: &str| {
        let lines = ["name = \"r\"", "files = \"*.csv\"", "metrics = { n = \"count()\" }"];
        let key = changed.split([' ', '=']).next().unwrap_or_default();
        let kept = lines.iter().filter(|line| !line.starts_with(key) || key.is_empty());
        format!("[[report]]\n{changed}\n{}", kept.copied().collect::<Vec<_>>().join("\n"))
    };
    refused(&report("name = \"R\""), 2, &["small letter"]);
    refused(&report("files = []"), 2, &["name the files"]);
    refused(&report("files = \"a***b\""), 2, &["pattern"]);
    refused(&report("metrics = { n = \"count(x)\" }"), 2, &["count() counts rows"]);
    refused(&report("metrics = { n = \"median(x)\" }"), 2, &["median", "mean(…)"]);
    refused(&report("metrics = { n = \"sum(x\" }"), 2, &["cannot be read"]);
    refused(&report("metrics = {}"), 2, &["count()"]);
    refused(&report("where = \"x\""), 2, &["not a condition"]);
    refused(&report("check = \"x >\""), 2, &["cannot be read"]);
    refused(&report("group_by = [\"a\", \"A\"]"), 2, &["case is ignored"]);
    refused(&report("columns = { n = 0 }"), 2, &["columns, `n`", "counted from 1"]);
    refused(&report("columns = { n = 1, m = 1 }"), 2, &["position 1 is `n` too"]);
    refused(&report("columns = { n = -1 }"), 2, &["a name in headers, a list of them, or a position"]);
    refused(&report("wehre = \"x > 1\""), 2, &["wehre"]);
    refused(&format!("{}\n{}", report(""), report("")), 8, &["line 3", "a name of its own"]);
}

#[test]
fn decimals_are_printed_as_the_decimals_that_they_are() {
    let report = r#"
        [[report]]
        name = "sums"
        files = "*.csv"
        group_by = ["k"]
        metrics = { total = "sum(v)", least = "min(v)", most = "max(v)" }
    "#;
    let files = [
        ("a.csv", "k,v\nmoney,99999999999999.99\nlong,12345678901234567.89\nsmall,0.30000000000000004\ntiny,1e-7\n"),
        ("b.csv", "k,v\nmoney,0.02\nlong,-0.00000000000000000001\nsmall,0.12345678901234568\ntiny,2e-7\n"),
    ];
    let system = with_reports(&files, report);
    let expect = [
        ("long", "12345678901234567.88999999999999999999", "-0.00000000000000000001", "12345678901234567.89"),
        ("money", "100000000000000.01", "0.02", "99999999999999.99"),
        ("small", "0.42345678901234572", "0.12345678901234568", "0.30000000000000004"),
        ("tiny", "0.0000003", "0.0000001", "0.0000002"),
    ];
    let csv = |(k, total, least, most)| format!("{k},{total},{least},{most}\n");
    let json =
        |(k, total, least, most)| format!("{{\"k\":\"{k}\",\"total\":{total},\"least\":{least},\"most\":{most}}}");
    let csv = "k,total,least,most\n".to_owned() + &expect.map(csv).concat();
    let json = format!("{{\"items\":[{}]}}", expect.map(json).join(",\n"));
    wait::until("the report is computed", || {
        let found = system.ask("GET", "/api/v1/reports/sums?format=json", "").text();
        (found == json).then_some(())
    });
    // The totals of a source are summed for the request, the others are stored.
    for query in ["", "&source=north"] {
        assert_eq!(system.ask("GET", &format!("/api/v1/reports/sums?format=csv&raw=1{query}"), "").text(), csv);
        assert_eq!(system.ask("GET", &format!("/api/v1/reports/sums?format=json{query}"), "").text(), json);
    }
    let page = system.ask("GET", "/reports/sums", "").text();
    for number in ["100,000,000,000,000.01", "12,345,678,901,234,567.89", "0.42345678901234572", "0.0000003"] {
        assert!(page.contains(&format!(">{number}<")), "{number}: {page}");
    }
}

/// A file in which nothing says whether `1.500` is one and a half was read as it always was, and nobody learned of it.
#[test]
fn a_number_that_nothing_explains_is_noted_beside_its_file() {
    const REPORT: &str = "[[report]]\nname = \"umsatz\"\nfiles = \"*.csv\"\nmetrics = { total = \"sum(Umsatz)\" }\n";
    let files = [("open.csv", "Ort;Umsatz\nA;1.500\n"), ("clear.csv", "Ort;Umsatz\nA;1.500\nB;0,5\n")];
    let system = with_reports(&files, REPORT);
    let page = wait::until("the report is there", || {
        let page = system.ask("GET", "/reports/umsatz", "").text();
        page.contains("1,502").then_some(page)
    });
    assert_eq!(page.matches("is read as one and a half").count(), 1, "{page}");
}
