//! The reports over HTTP, out of a database that the tests fill.

use ReportValue::{Integer, Null, Real, Text};
use actix_web::{
    http::{
        StatusCode,
        header::{ACCEPT, CONTENT_TYPE},
    },
    test::{self, TestRequest},
    web,
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tributary_admission::Admission;
use tributary_config::{Config, ReportDisplay, report_reader};
use tributary_engine::{Engine, FileRow, FileState, GroupRow, ReportValue};
use tributary_protocol::{CalendarPart, DateGroup, GroupSpec, MetricSpec, ReportSpec};
use tributary_store::{DatabaseUrl, FailedReportRow, RejectRow, ReportRow, Store};

use super::*;

mod pages;

/// A group and a metric of names that nothing may trip over.
const ODD: [&str; 2] = ["a\"<b>,'", "-sum%"];

/// An answer as text, with its status and type.
struct Answer {
    status: StatusCode,
    kind: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        assert_eq!((self.status, self.kind.as_str()), (StatusCode::OK, "application/json"), "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }
}

fn report(name: &str, group_by: &[&str], metrics: &[&str]) -> ReportConfig {
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    ReportConfig::with_columns(name, texts(group_by), texts(metrics))
}

/// A report by month and shop.
fn monthly() -> ReportConfig {
    let date =
        DateGroup { column: "Date".into(), by: CalendarPart::Month, name: Some("Month".into()), day_first: None };
    let metric = MetricSpec { name: "revenue".into(), expression: "sum(price)".into() };
    let group_by = vec![GroupSpec::Date(date), "Shop".into()];
    let mut report =
        ReportConfig::with_spec("monthly", ReportSpec { group_by, metrics: vec![metric], ..ReportSpec::default() });
    report.display.units = [("revenue".to_owned(), "€".to_owned())].into();
    report
}

fn configured() -> Vec<ReportConfig> {
    let metric = |(name, expression): (&str, &str)| MetricSpec { name: name.into(), expression: expression.into() };
    let spec = ReportSpec {
        group_by: vec!["Department Name".into()],
        metrics: [("rows", "count()"), ("total_sales", "sum(a)"), ("avg", "mean(a)")].map(metric).into(),
        ..ReportSpec::default()
    };
    let mut sales = ReportConfig::with_spec("sales", spec);
    sales.display = ReportDisplay {
        title: Some("Sales <by> department".into()),
        description: Some("What was \"sold\".".into()),
        units: [("total_sales".to_owned(), "<€>".to_owned())].into(),
    };
    vec![
        sales,
        report("total", &[], &["rows", "price"]),
        report("odd ü/&", &[ODD[0]], &[ODD[1]]),
        report("waiting", &["a"], &["b"]),
        report("failing", &["a"], &["b"]),
        monthly(),
        report("many", &["group"], &["n"]),
    ]
}

fn row(group: &[&str], values: &[ReportValue]) -> GroupRow {
    GroupRow { group: group.iter().map(|text| (*text).to_owned()).collect(), values: values.to_vec() }
}

fn write(store: &mut Store, report: &ReportConfig, rows: Vec<GroupRow>) {
    let groups = store.write_report(&report.table(), rows).unwrap();
    let digest = report.plan.results_digest().to_owned();
    let [computed_at, standing] = ["2026-11-25T10:11:12.5Z", r#"{"north":"v1"}"#].map(str::to_owned);
    store.put_report(&ReportRow { name: report.name.clone(), digest, groups, computed_at, standing }).unwrap();
}

fn fill(store: &mut Store, reports: &[ReportConfig]) {
    let large = "123456789012345678901234567890";
    let sales = vec![
        row(&["=1+1"], &[Integer(1), Integer(-5), Null]),
        row(&["Books"], &[Integer(3), Text(large.into()), Real(0.1)]),
        row(&["Toys, \"new\""], &[Integer(2), Integer(7), Real(3.5)]),
    ];
    write(store, &reports[0], sales);
    write(store, &reports[1], vec![row(&[], &[Integer(6), Real(2.25)])]);
    write(store, &reports[2], vec![row(&["</script>\u{1}"], &[Integer(1)])]);
    // What it was before its configuration changed.
    write(store, &report("waiting", &["a"], &["before"]), vec![row(&["x"], &[Integer(1)])]);
    let source = store.put_source("north", "http://north", 0, 0).unwrap();
    for (path, rejects, state) in [("a.csv", 2, FileState::Applied), ("b <.csv", 0, FileState::Rejected)] {
        let rejected_reason = (state == FileState::Rejected).then(|| "no column `n`".to_owned());
        let new = FileRow::new(&report_reader("sales"), source, path);
        let mut file = FileRow { rejects, state, rejected_reason, row_count: 4_000, results: 3, ..new };
        let id = store.put_file(&mut file).unwrap();
        let reject = |line| RejectRow { line, byte_offset: 0, reason: "no number".into(), raw: "x".into() };
        let rejects: Vec<_> = (0..rejects).map(|number| reject(number + 2)).collect();
        store.replace_rejects(id, false, &rejects).unwrap();
    }
    write(store, &reports[4], vec![row(&["x"], &[Integer(1)])]);
    let months = [("2026-01", "<n>", 10.5), ("2026-02", "<n>", 20.25), ("2026-02", "s", 1.0)];
    let months = months.map(|(month, shop, revenue)| row(&[month, shop], &[Real(revenue)]));
    write(store, &reports[5], months.into());
    let many =
        (0..240).map(|number| row(&[&format!("group {number:03}")], &[Integer(if number == 0 { 1_000 } else { 1 })]));
    write(store, &reports[6], many.collect());
    let (report, error) = ("failing".to_owned(), "a.csv: <no answer>".to_owned());
    store.put_report_failure(&FailedReportRow { report, source_id: source, error, failed_at: "t".to_owned() }).unwrap();
}

/// Asks a server of the filled database for each path in turn.
async fn ask_all(requests: &[(&str, Option<&str>)]) -> Vec<Answer> {
    let folder = tempfile::tempdir().unwrap();
    let url: DatabaseUrl = folder.path().join("database.db").to_str().unwrap().parse().unwrap();
    let mut store = Store::open(&url).unwrap();
    let reports = configured();
    fill(&mut store, &reports);
    drop(store);
    let config = Config { database: url, reports, ..Config::default() };
    let (engine, running) = Engine::over(&config, CancellationToken::new()).unwrap();
    let app = App::new(engine, Admission::default(), None, 1_000);
    let service = test::init_service(crate::http::server::router::app(web::Data::new(app))).await;
    let mut answers = Vec::new();
    for (path, accept) in requests {
        let mut request = TestRequest::get().uri(path).insert_header(("host", "localhost"));
        if let Some(accept) = accept {
            request = request.insert_header((ACCEPT, *accept));
        }
        let response = test::call_service(&service, request.to_request()).await;
        let kind = response.headers().get(CONTENT_TYPE).unwrap().to_str().unwrap().to_owned();
        let status = response.status();
        let body = String::from_utf8(test::read_body(response).await.to_vec()).unwrap();
        answers.push(Answer { status, kind, body });
    }
    drop(service);
    running.stop().await;
    answers
}

async fn ask(path: &str, accept: Option<&str>) -> Answer {
    ask_all(&[(path, accept)]).await.remove(0)
}

#[actix_web::test]
async fn reports_are_listed_as_they_are_configured() {
    let list = ask("/api/v1/reports", None).await.json();
    let items = list["items"].as_array().unwrap();
    assert_eq!(
        items[0],
        json!({"name": "sales", "group_by": ["Department Name"], "metrics": ["rows", "total_sales", "avg"], "rows": 3,
            "files": 2, "rejects": 2, "computed_at": "2026-11-25T10:11:12.5Z", "state": "rejected",
            "error": "north/b <.csv: no column `n`", "href": "/api/v1/reports/sales",
            "failing_since": null, "title": "Sales <by> department", "description": "What was \"sold\".", "units": {"total_sales": "<€>"},
            "result_url": null, "engines": null})
    );
    let states: Vec<_> = items.iter().map(|item| (item["state"].as_str().unwrap(), item["rows"].as_i64())).collect();
    let expect = [("rejected", 3), ("current", 1), ("current", 1), ("computing", 0), ("failed", 1)]
        .map(|(state, rows)| (state, Some(rows)));
    assert_eq!(states[..5], expect);
    assert_eq!(items[1]["error"], Value::Null);
    assert_eq!(items[4]["error"], "source `north`: a.csv: <no answer>");
    assert!(items[4]["failing_since"].is_string() && items[1]["failing_since"].is_null());
    assert_eq!(items[2]["href"], "/api/v1/reports/odd%20%C3%BC%2F%26");
    assert_eq!(items[3]["computed_at"], Value::Null);
}

#[actix_web::test]
async fn rows_are_json_in_the_order_of_the_columns_with_every_digit() {
    let answer = ask("/api/v1/reports/sales", None).await;
    assert_eq!(
        answer.body,
        "{\"items\":[{\"Department Name\":\"=1+1\",\"rows\":1,\"total_sales\":-5,\"avg\":null},\n\
         {\"Department Name\":\"Books\",\"rows\":3,\"total_sales\":123456789012345678901234567890,\"avg\":0.1},\n\
         {\"Department Name\":\"Toys, \\\"new\\\"\",\"rows\":2,\"total_sales\":7,\"avg\":3.5}]}"
    );
    answer.json();
    let answers = ask_all(&[
        ("/api/v1/reports/total", None),
        ("/api/v1/reports/odd%20%C3%BC%2F%26", None),
        ("/api/v1/reports/waiting", None),
    ])
    .await;
    assert_eq!(answers[0].json(), json!({"items": [{"rows": 6, "price": 2.25}]}));
    assert_eq!(answers[1].json(), json!({"items": [{ODD[0]: "</script>\u{1}", ODD[1]: 1}]}));
    // Rows of other columns than those of the configuration are not shown as if they were of these.
    assert_eq!(answers[2].json(), json!({"items": []}));
}

#[actix_web::test]
async fn rows_come_in_the_order_that_is_asked_for() {
    let cases = [
        ("order=-total_sales", ["Books", "Toys, \"new\"", "=1+1"].as_slice()),
        ("order=total_sales", &["=1+1", "Toys, \"new\"", "Books"]),
        ("order=-avg", &["Toys, \"new\"", "Books", "=1+1"]),
        ("order=avg", &["Books", "Toys, \"new\"", "=1+1"]),
        ("order=-Department+Name", &["Toys, \"new\"", "Books", "=1+1"]),
        ("order=-total_sales&limit=1&offset=1", &["Toys, \"new\""]),
        ("limit=2", &["=1+1", "Books"]),
        ("limit=2&offset=5", &[]),
        ("q=oo", &["Books"]),
        ("q=O", &[]),
        ("q=s&order=-rows&limit=1&offset=1", &["Toys, \"new\""]),
        ("q=", &["=1+1", "Books", "Toys, \"new\""]),
        ("source=&file=", &["=1+1", "Books", "Toys, \"new\""]),
    ];
    let paths: Vec<String> = cases.iter().map(|(query, _)| format!("/api/v1/reports/sales?{query}")).collect();
    let requests: Vec<_> = paths.iter().map(|path| (path.as_str(), None)).collect();
    for (answer, (query, expect)) in ask_all(&requests).await.iter().zip(cases) {
        let list = answer.json();
        let names: Vec<_> = list["items"].as_array().unwrap().iter().map(|item| &item["Department Name"]).collect();
        assert_eq!(names, expect, "{query}");
    }
}

#[actix_web::test]
async fn rows_are_csv_exact_for_programs_and_without_formulas_for_people() {
    let exact = "Department Name,rows,total_sales,avg\n=1+1,1,-5,\n\
                 Books,3,123456789012345678901234567890,0.1\n\"Toys, \"\"new\"\"\",2,7,3.5\n";
    let escaped = "\u{feff}".to_owned() + &exact.replace("\n=1+1", "\n\"'=1+1\"");
    let path = "/api/v1/reports/sales";
    let answers = ask_all(&[
        (path, Some("text/csv")),
        ("/api/v1/reports/sales?format=csv&raw=1", None),
        ("/api/v1/reports/sales?format=csv", None),
        ("/api/v1/reports/sales?format=csv&order=-rows&limit=1", Some("application/json")),
        ("/api/v1/reports/odd%20%C3%BC%2F%26?format=csv", None),
        ("/api/v1/reports/waiting?format=csv", None),
        ("/api/v1/reports/sales?format=json", Some("text/csv")),
    ])
    .await;
    for (answer, expect) in answers.iter().zip([exact, exact, &escaped]) {
        assert_eq!((answer.body.as_str(), answer.status), (expect, StatusCode::OK));
        assert_eq!(answer.kind, "text/csv; charset=utf-8; header=present");
    }
    assert_eq!(
        answers[3].body,
        "\u{feff}Department Name,rows,total_sales,avg\nBooks,3,123456789012345678901234567890,0.1\n"
    );
    assert_eq!(answers[4].body, "\u{feff}\"a\"\"<b>,'\",\"'-sum%\"\n</script>\u{1},1\n");
    assert_eq!(answers[5].body, "\u{feff}a,b\n");
    answers[6].json();
}

#[actix_web::test]
async fn what_cannot_be_given_is_a_problem_that_names_the_mend() {
    let cases = [
        ("none", 404, "/api/v1/reports"),
        ("Sales", 404, "no report `Sales`"),
        ("%FF", 400, "not UTF-8"),
        ("sales?format=xml", 422, "`json`, `csv` or `xlsx`"),
        ("sales?raw=2", 422, "`raw`"),
        ("sales?order=none", 422, "`Department Name`, `rows`, `total_sales`, `avg`"),
        ("sales?limit=0", 400, "`limit`"),
        ("sales?offset=-1", 400, "`offset`"),
        ("sales?limit=x", 400, "query"),
    ];
    let paths: Vec<String> = cases.iter().map(|(path, ..)| format!("/api/v1/reports/{path}")).collect();
    let requests: Vec<_> = paths.iter().map(|path| (path.as_str(), None)).collect();
    for (answer, (path, status, part)) in ask_all(&requests).await.iter().zip(cases) {
        assert_eq!((answer.status.as_u16(), answer.kind.as_str()), (status, "application/problem+json"), "{path}");
        assert!(answer.body.contains(part), "{path}: {}", answer.body);
    }
}

#[actix_web::test]
async fn rejects_of_a_report_say_so() {
    let answers = ask_all(&[("/api/v1/rejects?report=sales", None), ("/api/v1/rejects?report=total", None)]).await;
    let reject = |line: i64| {
        let of = json!({"source": "north", "file": "a.csv", "line": line, "reason": "no number", "raw": "x"});
        let more = json!({"report": "sales", "cure": null, "byte_offset": 0});
        let members = [of, more].into_iter().flat_map(|part| part.as_object().unwrap().clone());
        serde_json::Value::from(members.collect::<serde_json::Map<_, _>>())
    };
    assert_eq!(answers[0].json(), json!({"items": [reject(3), reject(2)], "next": null}));
    assert_eq!(answers[1].json(), json!({"items": [], "next": null}));
}

#[actix_web::test]
async fn a_handler_that_panics_is_a_problem_like_any_other() {
    let answers = ask_all(&[("/panic", None), ("/panic", Some("text/html")), ("/healthz", None)]).await;
    for (answer, kind) in answers.iter().zip(["application/problem+json", "text/html; charset=utf-8"]) {
        assert_eq!((answer.status, answer.kind.as_str()), (StatusCode::INTERNAL_SERVER_ERROR, kind));
        assert!(answer.body.contains("the log of the master says what"), "{}", answer.body);
    }
    assert_eq!(answers[2].status, StatusCode::OK);
}
