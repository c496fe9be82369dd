//! Sources and rejects: how they are listed, and the events that tell of a source's state and of edits.

use serde_json::{Value, json};
use tributary_testkit::{
    faulty::{Answer, FaultySource},
    http, process, wait,
};

use super::{column, one_source};
use crate::system::System;

/// The only source of the list.
#[track_caller]
fn source(system: &System) -> Value {
    let list = system.json("/api/v1/sources");
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
    list["items"][0].clone()
}

fn is_time_or_null(value: &Value) -> bool {
    value.is_null() || is_time(value)
}

fn is_time(value: &Value) -> bool {
    chrono::DateTime::parse_from_rfc3339(value.as_str().unwrap()).is_ok()
}

#[test]
/// docs/reference/http-api.md#sources
fn a_source_has_the_fields_of_the_reference() {
    let system = one_source(&[("a.csv", "sku,name\na,A\nb,B\nb,B2\n,x\n"), ("in/b.csv", "sku,name\nc,C\n,y\n,z\n")]);
    let source = source(&system);
    for field in [
        "name",
        "url",
        "state",
        "version",
        "files",
        "offers",
        "rejects",
        "last_sensed",
        "last_applied",
        "error",
        "slow_since",
        "next_try",
    ] {
        assert!(source.get(field).is_some(), "{field} is missing: {source}");
    }
    let (_, sense) = http::get(&format!("{}/sense", system.url("north"))).unwrap();
    let sense: Value = serde_json::from_slice(&sense).unwrap();
    assert_eq!((&source["name"], &source["state"], &source["error"]), (&json!("north"), &json!("up"), &json!(null)));
    assert_eq!(source["version"], sense["version"]);
    assert_eq!(source["url"].as_str().unwrap().trim_end_matches('/'), system.url("north"));
    assert_eq!(["files", "offers", "rejects"].map(|count| source[count].as_i64().unwrap()), [2, 3, 3]);
    assert!(is_time(&source["last_sensed"]) && is_time(&source["last_applied"]), "{source}");
    assert!(source["took_seconds"].as_f64().is_some_and(|took| took > 0.0), "{source}");
    assert_eq!(
        ["rows", "report_files", "report_rows", "report_rejects"].map(|sum| source[sum].as_i64().unwrap()),
        [7, 0, 0, 0]
    );
    assert_eq!(source["errors"], json!([]));
}

#[test]
fn a_rejected_file_is_seen_and_told_of_until_it_is_mended() {
    let system = one_source(&[("good.csv", "sku,name\na,A\n"), ("other.csv", "sku,name\nb,B\n")]);
    let mut events = http::lines(&system.master_url("/api/v1/events"), &[]).unwrap();
    assert!(events.next().is_some());
    system.write("north", "other.csv", "title,price\nx,1\n");
    let rejected = wait::until("the source is rejected", || {
        let source = source(&system);
        (source["state"] == "rejected").then_some(source)
    });
    assert_eq!(["files", "offers"].map(|count| rejected[count].as_i64().unwrap()), [2, 2], "its rows stay");
    assert_eq!(column(&system.json("/api/v1/products"), "sku"), ["a", "b"]);
    let rejects = system.json("/api/v1/rejects?file=other.csv");
    assert!(column(&rejects, "reason").iter().any(|reason| reason.contains("rejected")), "{rejects}");
    system.write("north", "other.csv", "sku,name\nb,B2\n");
    wait::until("it is up again", || (source(&system)["state"] == "up").then_some(()));
    assert_eq!(system.json("/api/v1/rejects")["items"], json!([]));
    let told = states(&mut events, 2);
    assert_eq!(told, [json!({"name": "north", "state": "rejected"}), json!({"name": "north", "state": "up"})]);
}

/// The data of the next `count` events `source`.
fn states(events: &mut impl Iterator<Item = String>, count: usize) -> Vec<Value> {
    told(events, "source", count)
}

/// The data of the next `count` events of a kind.
fn told(events: &mut impl Iterator<Item = String>, kind: &str, count: usize) -> Vec<Value> {
    let mut found = Vec::new();
    while found.len() < count {
        let line = events.next().unwrap();
        if line == format!("event: {kind}") {
            let data = events.next().unwrap();
            found.push(serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap());
        }
    }
    found
}

#[test]
fn a_source_that_goes_down_and_comes_back_is_told_of_once_each() {
    let north = FaultySource::plain("sku,name\na,A\n");
    let mut system = System::new();
    system.configure(&format!("[[source]]\nname = \"nörth \\\"1\\\"\"\nurl = \"{}\"\n", north.url));
    system.start_master(&[]);
    wait::until("it is up", || (source(&system)["state"] == "up").then_some(()));
    let mut events = http::lines(&system.master_url("/api/v1/events"), &[]).unwrap();
    assert!(events.next().is_some());
    north.answer("/sense", Answer::Status("500 Internal Server Error"));
    let down = wait::until("it is down", || Some(source(&system)).filter(|source| source["state"] == "down"));
    assert!(down["error"].as_str().is_some_and(|error| !error.is_empty()), "{down}");
    assert_eq!(down["offers"], 1, "its rows stay");
    assert_eq!(down["errors"][0]["error"], down["error"]);
    let asked = north.requests().len();
    wait::until("it is asked again and again", || (north.requests().len() > asked + 2).then_some(()));
    let counted = wait::until("equal errors are counted", || {
        let source = source(&system);
        // It waits most of the time, and is asked now and then.
        (source["errors"][0]["count"].as_u64() > Some(1) && is_time_or_null(&source["next_try"])).then_some(source)
    });
    assert_eq!(counted["errors"].as_array().unwrap().len(), 1, "{counted}");
    wait::until("it says when it is asked next", || source(&system)["next_try"].as_str().map(|_| ()));
    north.answer("/sense", Answer::json(r#"{"status":1}"#));
    wait::until("it is up again", || {
        let source = source(&system);
        (source["state"] == "up" && source["error"].is_null()).then_some(())
    });
    let name = "nörth \"1\"";
    assert_eq!(
        states(&mut events, 2),
        [json!({"name": name, "state": "down"}), json!({"name": name, "state": "up"})],
        "however often it was asked meanwhile"
    );
}

#[test]
fn down_is_said_before_rejected_and_rejected_again_when_it_is_back() {
    let north = FaultySource::plain("sku,name\na,A\n");
    let mut system = System::new();
    system.configure(&format!("[[source]]\nname = \"north\"\nurl = \"{}\"\n", north.url));
    system.start_master(&[]);
    let becomes = |system: &System, state: &str| {
        wait::until(&format!("it is {state}"), || (source(system)["state"] == state).then_some(()));
    };
    becomes(&system, "up");
    north.answer("/read", Answer::csv("title\nx\n"));
    becomes(&system, "rejected");
    north.answer("/sense", Answer::Status("503 Service Unavailable"));
    becomes(&system, "down");
    // It says that nothing has changed: after a failure it is read all the same, and is as it was.
    north.answer("/sense", Answer::json(r#"{"status":0}"#));
    becomes(&system, "rejected");
    assert_eq!(column(&system.json("/api/v1/products"), "sku"), ["a"], "the last accepted rows stay");
    north.answer("/read", Answer::csv("sku,name\nb,B\n"));
    north.answer("/sense", Answer::json(r#"{"status":1}"#));
    becomes(&system, "up");
    assert_eq!(column(&system.json("/api/v1/products"), "sku"), ["b"]);
}

#[test]
fn an_edit_is_told_of_with_its_sku() {
    let system = one_source(&[("feed.csv", "sku,name\na,A\nb\u{fc}/\"x\",B\n")]);
    let mut events = http::lines(&system.master_url("/api/v1/events"), &[]).unwrap();
    assert!(events.next().is_some());
    let odd = super::product_path("b\u{fc}/\"x\"");
    assert_eq!(system.ask("PATCH", "/api/v1/products/a", r#"{"name":"x"}"#).status, 200);
    assert_eq!(system.ask("PATCH", "/api/v1/products/a", "{}").status, 200, "no edit, and no event");
    assert_eq!(system.ask("POST", "/update", "sku=b%C3%BC%2F%22x%22&name=y").status, 303);
    assert_eq!(system.ask("PUT", "/api/v1/products/new", r#"{"name":"n","description":""}"#).status, 201);
    assert_eq!(system.ask("DELETE", &odd, "").status, 204);
    assert_eq!(system.ask("DELETE", "/api/v1/products/a/edit", "").status, 204);
    let sku = |sku: &str| json!({ "sku": sku });
    let odd = "b\u{fc}/\"x\"";
    assert_eq!(told(&mut events, "edit", 5), [sku("a"), sku(odd), sku("new"), sku(odd), sku("a")]);
}

#[test]
fn rejects_are_listed_newest_first_and_by_source_and_file() {
    let mut system = System::new();
    system.write("north", "a.csv", "sku,name\n,first\na,A\n");
    system.write("south", "a.csv", "sku,name\n");
    for source in ["north", "south"] {
        system.serve(source);
    }
    system.configure_sources(&[("north", ""), ("south", "")]);
    system.start_master(&[]);
    system.sync();
    system.write("south", "in/b.csv", "sku,name\n\n,\"second\nline\"\nb,B\n");
    system.sync();
    system.write("north", "b.csv", "sku,name\nshort\nc,C\n");
    system.sync();
    let files = |query: &str| {
        let list = system.json(&format!("/api/v1/rejects{query}"));
        column(&list, "source").into_iter().zip(column(&list, "file")).map(|(a, b)| a + " " + &b).collect::<Vec<_>>()
    };
    assert_eq!(files(""), ["north b.csv", "south in/b.csv", "north a.csv"]);
    assert_eq!(files("?source=north"), ["north b.csv", "north a.csv"]);
    assert_eq!(files("?source=south"), ["south in/b.csv"]);
    assert_eq!(files("?file=a.csv"), ["north a.csv"]);
    assert_eq!(files("?file=in%2Fb.csv"), ["south in/b.csv"]);
    assert_eq!(files("?source=south&file=a.csv"), [""; 0]);
    assert_eq!(files("?source=north&file=a.csv"), ["north a.csv"]);
    assert_eq!(files("?source=nor"), [""; 0]);
    assert_eq!(files("?file=%25"), [""; 0]);
    let reject = system.json("/api/v1/rejects?source=south")["items"][0].clone();
    assert_eq!((&reject["line"], &reject["raw"]), (&json!(3), &json!(",\"second\nline\"")));
    assert!(reject["reason"].as_str().unwrap().contains("sku"), "{reject}");
    // A file that is read again has newer rejects than all others.
    system.write("north", "a.csv", "sku,name\n,first\n,again\na,A\n");
    system.sync();
    assert_eq!(files("")[..2], ["north a.csv", "north a.csv"]);
    assert_eq!(files("").len(), 4);
}

/// Such a source looked healthy but for its state: `error` was null, and the log said `rows.rejected=0`.
#[test]
fn a_rejected_file_is_named_in_the_error_and_in_the_log() {
    let mut system = System::new();
    system.write("north", "good.csv", "sku,name\na,A\n");
    system.write("north", "bad.csv", "title,price\nx,1\n");
    system.serve("north");
    system.configure_sources(&[("north", "")]);
    let summary = process::stdout(&system.once());
    assert!(summary.contains(" 1 rows rejected; "), "{summary}");

    // The content is new to this master, so that it reads it again.
    system.write("north", "bad.csv", "title,price\ny,1\n");
    system.settle("north");
    system.start_master_that_warns();
    system.sync();
    let reason = "line 1: no column `sku` among `title`, `price`";
    let both = |system: &System| [source(system)["error"].clone(), system.table("sources")[0]["error"].clone()];
    for error in both(&system) {
        let error = error.as_str().unwrap_or_default();
        assert!(error.starts_with(&format!("bad.csv is rejected: {reason}")), "{error:?}");
    }
    let log = system.log();
    let line = log.lines().find(|line| line.contains(reason)).unwrap_or_else(|| panic!("{log}"));
    for part in ["WARN", "source.id=north", "file.path=bad.csv", "reason=line 1"] {
        assert!(line.contains(part), "{part}: {line}");
    }

    system.write("north", "bad.csv", "sku,name\nb,B\n");
    system.sync();
    // The API takes the error from the pass itself, which may end a moment after its version is stored.
    wait::until("no error is left", || (both(&system) == [json!(null), json!(null)]).then_some(()));
    assert_eq!(system.log().lines().filter(|line| line.contains(reason)).count(), 1, "once per content");
}

/// A source that sent for an hour looked like one that was just being asked.
#[test]
fn a_pass_that_is_under_way_says_since_when_and_how_far() {
    let slow = FaultySource::plain("");
    slow.answer("/read", Answer::Stall("text/csv", b"sku,name\na,A\nb,B\n".to_vec()));
    let mut system = System::new();
    system.configure(&format!("[[source]]\nname = \"slow\"\nurl = \"{}\"\n", slow.url));
    system.start_master(&[]);
    let running = wait::until("some of the body is here", || {
        let running = source(&system)["running"].clone();
        (running["bytes"].as_i64() > Some(0)).then_some(running)
    });
    assert!(is_time(&running["since"]) && running["seconds"].as_f64() > Some(0.0), "{running}");
    let progress = ["phase", "files", "files_read"].map(|member| running[member].clone());
    assert_eq!(progress, [json!("reading"), json!(1), json!(0)]);
    let ready = system.ask("GET", "/readyz", "");
    assert_eq!(ready.status, 503);
    let text = ready.text();
    assert!(text.contains("1 of 1 are left; reading one of them since 20"), "{text}");
    let metrics = system.ask("GET", "/metrics", "").text();
    let seconds =
        metrics.lines().find_map(|line| line.strip_prefix("tributary_source_running_seconds{source=\"slow\"} "));
    assert!(seconds.unwrap().parse::<f64>().unwrap() > 0.0, "{metrics}");
    let good = one_source(&[("a.csv", "sku,name\na,A\n")]);
    assert_eq!(source(&good)["running"], json!(null));
}

/// A rejected file stood beside the words that no row was set aside.
#[test]
fn a_rejected_file_is_never_beside_no_rejects() {
    let system = one_source(&[("a.csv", "left,right\n1,2\n")]);
    let found = wait::until("it is rejected", || Some(source(&system)).filter(|found| found["state"] == "rejected"));
    assert_eq!((&found["rejected_files"], &found["rejects"]), (&json!(1), &json!(0)));
    let home = system.ask("GET", "/", "").text();
    assert!(home.contains("1 file rejected") && !home.contains("no rows set aside"), "{home}");
    for path in ["/sources", "/sources/north"] {
        let page = system.ask("GET", path, "").text();
        assert!(page.contains("/sources/north?files=rejected"), "{path}: {page}");
    }
}
