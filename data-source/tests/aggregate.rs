//! `POST /aggregate`: partials, what is refused and how, and files of all kinds.

use std::io::Write;

use serde_json::{Value, json};
use tributary_protocol::{AggregateLine, PartialHead, ReportSpec};
use tributary_report::{ReportPlan, Total};

use crate::support::{Answer, Source, wait_for};

/// Sales per shop.
pub(crate) fn report() -> ReportSpec {
    let report = json!({
        "group_by": ["shop"],
        "metrics": [{"name": "rows", "expression": "count()"}, {"name": "sales", "expression": "sum(n)"}],
    });
    serde_json::from_value(report).unwrap()
}

/// The hash of a file in the manifest.
pub(crate) fn hash_of(source: &Source, path: &str) -> String {
    let manifest = source.get("/sense/files").json();
    let files = manifest["files"].as_array().unwrap();
    let file = files.iter().find(|file| file["path"] == path);
    file.unwrap_or_else(|| panic!("no {path}"))["hash"].as_str().unwrap().to_owned()
}

/// A valid request.
pub(crate) fn request(source: &Source, path: &str) -> Value {
    let hash = hash_of(source, path);
    json!({"path": path, "hash": hash, "format": tributary_report::partial_format(), "report": report()})
}

/// The lines of an answer.
pub(crate) fn lines(text: &str) -> Vec<AggregateLine> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The value of a counter in `/metrics`.
pub(crate) fn count(source: &Source, name: &str) -> u64 {
    let metrics = source.get("/metrics").text();
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name}"));
    line.trim().parse().unwrap()
}

/// Reads a good answer: its head, and the total's rows as `SHOP ROWS SALES`.
fn result(answer: &Answer) -> (PartialHead, Vec<String>) {
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/x-ndjson"));
    assert_eq!(answer.header("cache-control"), "no-store");
    let plan = ReportPlan::compile(&report()).unwrap();
    let (mut head, mut total, mut is_ended) = (None, Total::new(&plan), false);
    for line in lines(&answer.text()) {
        assert!(!is_ended, "`end` is the last line");
        match line {
            AggregateLine::Progress { .. } => assert!(head.is_none(), "first the file is read"),
            AggregateLine::Partial(found) => head = Some(found),
            AggregateLine::Group(group) => total.add(&group).unwrap(),
            AggregateLine::End => is_ended = true,
            other => panic!("{other:?}"),
        }
    }
    assert!(is_ended, "an answer without an `end` is cut");
    let mut rows = Vec::new();
    let take = |key: Vec<String>, values: Vec<Option<tributary_report::Number>>| {
        let values = values.into_iter().map(|value| value.map_or_else(String::new, |value| value.to_string()));
        rows.push(key.into_iter().chain(values).collect::<Vec<_>>().join(" "));
        Ok::<(), std::io::Error>(())
    };
    total.finish().unwrap().each(&plan, take).unwrap();
    (head.expect("a head"), rows)
}

const SALES: &str = "Shop,Date,N\nnorth,2026-01-01,3\nsouth,2026-01-01,1\nnorth,2026-01-02,x\nnorth,2026-01-03,4\n";

#[test]
fn a_partial_says_what_the_file_holds() {
    let source = Source::of(&[("sub/sales 1.csv", SALES)]);
    let answer = source.post("/aggregate", &request(&source, "sub/sales 1.csv").to_string());
    let (head, rows) = result(&answer);
    assert_eq!(rows, ["north 2 7", "south 1 1"]);
    assert_eq!((head.rows, head.passed_over, head.rejected, head.groups), (4, 0, 1, 2));
    let reject = &head.rejects[0];
    assert_eq!((reject.line, reject.reason.as_str()), (4, "`n` is not a number: `x`"));
    assert_eq!((reject.raw.as_str(), reject.byte), ("north,2026-01-02,x", 50));
}

/// Guards against a partial of other dates being given out for a report that differs only in how it groups them.
#[test]
fn dates_are_grouped_where_the_file_is() {
    let source = Source::of(&[("a.csv", SALES)]);
    let mut body = request(&source, "a.csv");
    let mut keys = |by: &str| {
        body["report"] = json!({
            "group_by": [{"column": "date", "by": by}],
            "metrics": [{"name": "rows", "expression": "count()"}],
        });
        let answer = source.post("/aggregate", &body.to_string());
        let key = |line: AggregateLine| match line {
            AggregateLine::Group(group) => Some(group.0[0].clone()),
            _ => None,
        };
        lines(&answer.text()).into_iter().filter_map(key).collect::<Vec<_>>()
    };
    assert_eq!(keys("month"), ["2026-01"]);
    assert_eq!(keys("day"), ["2026-01-01", "2026-01-02", "2026-01-03"]);
    assert_eq!(keys("week"), ["2026-W01"]);
}

#[test]
fn what_was_computed_is_given_out_again() {
    let source = Source::of(&[("a.csv", SALES), ("copy.csv", SALES)]);
    let counts =
        || ["tributary_source_partials_total", "tributary_source_partials_kept_total"].map(|name| count(&source, name));
    let ask = |body: &Value| source.post("/aggregate", &body.to_string()).text();
    let body = request(&source, "a.csv");
    let first = ask(&body);
    assert_eq!(counts(), [1, 0]);
    assert_eq!(ask(&body), first);
    assert_eq!(counts(), [1, 1]);
    // Names of metrics make no difference, expressions do.
    let mut renamed = body.clone();
    renamed["report"]["metrics"][1]["name"] = "other".into();
    assert_eq!(ask(&renamed), first);
    assert_eq!(counts(), [1, 2]);
    renamed["report"]["metrics"][1]["expression"] = "max(n)".into();
    assert_ne!(ask(&renamed), first);
    assert_eq!(counts(), [2, 2]);
    // The ending of a path says how a file is packed, so another path is another file.
    assert_eq!(ask(&request(&source, "copy.csv")), first);
    assert_eq!(counts(), [3, 2]);
    source.write("a.csv", b"shop,n\nwest,1\n");
    wait_for("the new content", || hash_of(&source, "a.csv") != body["hash"]);
    source.post("/aggregate", &body.to_string()).problem(412);
    assert_eq!(result(&source.post("/aggregate", &request(&source, "a.csv").to_string())).1, ["west 1 1"]);
    assert_eq!(counts(), [4, 2]);
}

#[test]
fn what_cannot_be_answered_is_refused() {
    let source = Source::of(&[("a.csv", SALES)]);
    let good = request(&source, "a.csv");
    let check = |change: &dyn Fn(&mut Value), status: u16, words: &str| {
        let mut body = good.clone();
        change(&mut body);
        let detail = source.post("/aggregate", &body.to_string()).problem(status);
        assert!(detail.contains(words), "{detail}");
    };
    check(&|body| body["path"] = "b.csv".into(), 404, "/sense/files");
    check(&|body| body["path"] = "../a.csv".into(), 404, "no such file");
    check(&|body| body["hash"] = format!("blake3:{}", "0".repeat(64)).into(), 412, "a.csv");
    check(&|body| body["hash"] = "".into(), 412, "a.csv");
    check(&|body| body["format"] = "0.0".into(), 409, &tributary_report::partial_format());
    check(&|body| body["report"]["where"] = "n >".into(), 422, "where: `n >` cannot be read");
    check(&|body| body["report"]["metrics"] = json!([]), 422, "metrics: ");
    check(&|body| body["report"]["metrics"][1]["expression"] = "median(n)".into(), 422, "metrics, `sales`: ");
    check(&|body| body["report"]["check"] = format!("n > {}", "(".repeat(10_000)).into(), 422, "check: ");
    check(&|body| body["report"]["check"] = format!("n > 0{}", "+n".repeat(990)).into(), 422, "200 are the limit");
    check(&|body| body["report"]["else"] = 1.into(), 400, "else");
    check(&|body| body["report"]["group_by"] = json!([{"column": "Date", "by": "hour"}]), 400, "`hour` is unknown");
    check(&|body| body["else"] = 1.into(), 400, "else");
    check(&|body| drop(body.as_object_mut().unwrap().remove("report")), 400, "report");
    check(&|body| *body = json!([]), 400, "is not a request for a partial");
    for body in ["", "{", "path=a.csv", "[[[[["] {
        assert!(source.post("/aggregate", body).problem(400).contains("is not a request for a partial"), "{body}");
    }
    let long = format!("{{\"path\":\"{}\"}}", "x".repeat(300 << 10));
    assert_eq!(source.post("/aggregate", &long).status, 413);
    for method in ["GET", "HEAD", "PUT", "DELETE"] {
        let answer = source.ask(method, "/aggregate", &[]);
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "POST"), "{method}");
    }
    assert_eq!(result(&source.post("/aggregate", &good.to_string())).1, ["north 2 7", "south 1 1"], "it goes on");
}

#[test]
fn the_token_is_asked_of_those_who_want_a_partial_too() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "s3cretq7Yh2mVt9Kp4Zx8Rb1Nc5\n").unwrap();
    let source =
        Source::with(&[("a.csv", SALES)], &["--settle", "50ms", "--token-file", secret.path().to_str().unwrap()]);
    source.post("/aggregate", "{}").problem(401);
}

/// The last line of an answer.
fn last_line(source: &Source, path: &str) -> AggregateLine {
    let answer = source.post("/aggregate", &request(source, path).to_string());
    assert_eq!(answer.status, 200);
    lines(&answer.text()).pop().expect("a line")
}

#[test]
fn files_that_are_no_good_for_the_report_are_told_of() {
    let long = format!("shop,n\n{}\n", "x".repeat(17 << 20));
    let source = Source::of(&[
        ("other.csv", "shop,count\na,1\n"),
        ("empty.csv", ""),
        ("quotes.csv", "\"shop,n\na,1\n"),
        ("packed.csv.gz", "PK\u{3}\u{4}shop,n\na,1\n"),
        ("long.csv", &long),
    ]);
    let check = |path: &str, expect: (u64, &str)| match last_line(&source, path) {
        AggregateLine::Rejected { line, reason, .. } => {
            assert!(line == expect.0 && reason.contains(expect.1), "{path}: {line} {reason}");
        }
        other => panic!("{path}: {other:?}"),
    };
    check("other.csv", (0, "no column `n`"));
    check("empty.csv", (0, "no header"));
    check("quotes.csv", (1, "no usable header"));
    check("packed.csv.gz", (0, "zip"));
    assert_eq!(count(&source, "tributary_source_partials_total"), 0);
    let (head, rows) = result(&source.post("/aggregate", &request(&source, "long.csv").to_string()));
    assert_eq!((head.rows, head.rejected, rows.len()), (1, 1, 0));
    assert!(head.rejects[0].raw.len() <= 1024);
}

#[test]
fn files_of_all_encodings_and_packings_are_read() {
    let text = "Shop;N\nmünchen;3\nköln;1\nmünchen;4\n";
    let source = Source::of(&[]);
    let utf16: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin: Vec<u8> = text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&utf16).unwrap();
    source.write("utf8.csv", text.as_bytes());
    source.write("utf16.csv", &utf16);
    source.write("windows-1252.txt", &latin);
    source.write("packed.csv.GZ", &gzip.finish().unwrap());
    source.write("packed.csv.zst", &zstd::encode_all(&latin[..], 1).unwrap());
    wait_for("the files", || source.paths().len() == 5);
    for path in source.paths() {
        let (head, rows) = result(&source.post("/aggregate", &request(&source, &path).to_string()));
        assert_eq!((rows, head.rejected), (vec!["köln 1 1".to_owned(), "münchen 2 7".to_owned()], 0), "{path}");
    }
}

/// A caller chose how much memory a source takes; and a report of many groups, or of two callers at once, failed.
#[test]
fn groups_beyond_the_memory_go_to_a_file_and_are_all_there() {
    let long = "x".repeat(500);
    let rows: String = (0..9_000).map(|row| format!("shop {} {long},{row}\n", row % 6_000)).collect();
    let file = format!("shop,n\n{rows}");
    let groups = |memory: &str| {
        let source = Source::with(&[("a.csv", &file)], &["--settle", "20ms", "--report-memory", memory]);
        result(&source.post("/aggregate", &request(&source, "a.csv").to_string()))
    };
    let (head, rows) = groups("1MiB");
    assert_eq!((head.groups, rows.len()), (6_000, 6_000));
    assert!((head, rows) == groups("1GiB"));
}
