//! Uploads that become products, and their progress.

use serde_json::Value;
use tributary_testkit::{http, wait};

use super::{
    FEED, Slow, ended, feed, files, form, get, id, id_of, master, send, skus, sources, upload, wait_for_files,
    wait_for_skus,
};
use crate::system::System;

#[test]
fn there_is_no_source_before_the_first_upload() {
    let mut system = master("");
    assert_eq!(sources(&system), []);
    assert!(files(&system).is_empty() && !super::folder(&system).exists());
    assert_eq!(system.json("/api/v1/uploads")["items"], Value::Array(Vec::new()));
    send(&system, "../x.csv", "", FEED);
    assert!(!super::folder(&system).exists(), "what is refused makes none");
    upload(&system, "x.csv", "", FEED);
    assert_eq!(sources(&system), [("uploads".to_owned(), "up".to_owned())]);
    assert_eq!(system.ask("GET", "/readyz", "").status, 200);
    let source = system.json("/api/v1/sources")["items"][0].clone();
    assert_eq!((source["files"].clone(), source["offers"].clone()), (1.into(), 2.into()));
    // From now on it is there at every start, also for `--once`.
    system.stop_master();
    let summary = system.once_ok();
    assert!(summary.starts_with("1 sources: 0 files read, 0 removed; 2 products"), "{summary}");
    system.start_master(&[]);
    wait::until("it is ready", || (system.ask("GET", "/readyz", "").status == 200).then_some(()));
    assert_eq!(sources(&system), [("uploads".to_owned(), "up".to_owned())]);
    assert_eq!(skus(&system), ["a", "b"]);
}

#[test]
fn a_body_becomes_products_and_says_what_came_of_it() {
    let system = master("");
    let done = upload(&system, "Sales%202026.csv", "", "sku,name\na,A\n,no sku\nb,B\n");
    assert_eq!((done["filename"].as_str(), done["state"].as_str()), (Some("Sales 2026.csv"), Some("complete")));
    let numbers = ["bytes", "total", "rows", "rejects"].map(|name| done[name].as_u64().unwrap());
    assert_eq!(numbers, [25, 25, 3, 1]);
    assert_eq!((done["percent"].as_f64(), done["error"].as_str()), (Some(100.0), None));
    assert!(done["created_at"].is_string() && done["finished_at"].is_string());
    // Complete means committed.
    assert_eq!(skus(&system), ["a", "b"]);
    for link in done["results"].as_array().unwrap() {
        let (title, page) = (link["title"].as_str().unwrap(), system.ask("GET", link["href"].as_str().unwrap(), ""));
        assert!(page.status == 200 && !title.is_empty(), "{link}");
    }
    assert_eq!(done["results"].as_array().unwrap().len(), 2);
    assert_eq!(system.json("/api/v1/rejects?source=uploads")["items"].as_array().unwrap().len(), 1);
    let put = system.ask("PUT", "/api/v1/uploads?filename=put.csv", "sku,name\nc,C\n");
    ended(&system, &id_of(&put));
    wait_for_skus(&system, &["a", "b", "c"]);
    wait_for_files(&system, &["Sales 2026.csv", "put.csv"]);
    let all = system.json("/api/v1/uploads");
    let names: Vec<_> = all["items"].as_array().unwrap().iter().map(|item| item["filename"].clone()).collect();
    assert_eq!(names, ["put.csv", "Sales 2026.csv"], "the newest first");
    assert_eq!(system.json("/api/v1/uploads?filename=put.csv")["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_chunked_body_needs_no_length() {
    let system = master("");
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let (first, second) = FEED.split_at(7);
    let request = format!(
        "POST /api/v1/uploads?filename=a.csv HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Transfer-Encoding: chunked\r\n\r\n{}{}0\r\n\r\n",
        chunk(first),
        chunk(second)
    );
    let response = http::exchange(&system.master_url(""), request.as_bytes()).unwrap();
    assert_eq!(ended(&system, &id_of(&response))["total"], FEED.len());
    assert_eq!(skus(&system), ["a", "b"]);
}

#[test]
fn an_empty_body_is_a_file_without_a_header() {
    let system = master("");
    let response =
        http::request("POST", &system.master_url("/api/v1/uploads?filename=a.csv"), &[("Content-Length", "0")], b"");
    let failed = ended(&system, &id_of(&response.unwrap()));
    assert_eq!((failed["state"].as_str(), failed["bytes"].as_u64()), (Some("failed"), Some(0)));
    wait_for_files(&system, &[]);
}

#[test]
fn a_form_of_a_browser_is_taken() {
    let system = master("");
    let text = "name=\"note\"";
    let file = "name=\"file\"; filename=\"form.csv\"";
    let done = ended(&system, &id_of(&form(&system, "/api/v1/uploads", &[(text, "x"), (file, FEED)])));
    assert_eq!((done["filename"].as_str(), done["state"].as_str()), (Some("form.csv"), Some("complete")));
    assert_eq!(super::content(&system, "form.csv"), FEED);
    // The query's name counts more, and a client may choose the id.
    let path = format!("/api/v1/uploads?filename=named.csv&id={}", id('A'));
    let named = form(&system, &path, &[(file, "sku,name\nc,C\n")]);
    assert_eq!(id_of(&named), id('a'));
    assert_eq!(ended(&system, &id('a'))["filename"], "named.csv");
    wait_for_skus(&system, &["a", "b", "c"]);
    assert_eq!(form(&system, "/api/v1/uploads", &[(text, "x")]).status, 422);
}

#[test]
fn the_page_works_without_a_script() {
    let system = master("");
    let file = |name: &str| format!("name=\"file\"; filename=\"{name}\"");
    let two = [(file("one.csv"), FEED), (file("two.csv"), "sku,name\nc,C\n")];
    let parts: Vec<_> = two.iter().map(|(head, body)| (head.as_str(), *body)).collect();
    let sent = form(&system, "/upload", &parts);
    assert_eq!((sent.status, sent.header("location")), (303, Some("/upload")));
    wait_for_skus(&system, &["a", "b", "c"]);
    wait::until("the page says so", || {
        let page = system.ask("GET", "/upload", "").text();
        let lines = ["one.csv", "two.csv", "17 B, 2 rows", "13 B, 1 row"];
        (page.matches("state complete").count() == 2 && lines.iter().all(|line| page.contains(line))).then_some(())
    });
    assert_eq!(form(&system, "/upload", &parts).status, 409);
    let replace = [("name=\"replace\"", "1"), (parts[0].0, "sku,name\nd,D\n")];
    assert_eq!(form(&system, "/upload", &replace).status, 303);
    wait_for_skus(&system, &["c", "d"]);
    assert_eq!(form(&system, "/upload", &[("name=\"file\"; filename=\"\"", "")]).status, 422, "no file was chosen");
}

#[test]
fn an_upload_can_be_followed_from_its_first_byte_to_its_last_row() {
    const ROWS: usize = 60_000;
    let system = master("");
    let body = feed(ROWS);
    let (begin, rest) = body.split_at(100_000);
    let mut slow = Slow::start(&system, &id('e'), "&filename=big.csv", body.len(), begin);
    let receiving = get(&system, &id('e'));
    assert_eq!((receiving["total"].as_u64(), receiving["percent"].as_f64()), (Some(body.len() as u64), None));
    assert_eq!(system.json("/api/v1/uploads")["items"][0]["state"], "receiving");
    let events = http::lines(&system.master_url(&format!("/api/v1/uploads/{}/events", id('e'))), &[]).unwrap();
    slow.send(rest);
    assert_eq!(slow.answer().0, 202);
    // The stream ends by itself.
    let data = events.filter_map(|line| Some(serde_json::from_str(line.strip_prefix("data: ")?).unwrap()));
    let told: Vec<Value> = data.collect();
    let order = ["receiving", "queued", "processing", "complete"];
    let stages = told.iter().map(|event| order.iter().position(|state| event["state"] == *state).unwrap());
    let stages: Vec<_> = stages.collect();
    assert!(stages.is_sorted() && stages.contains(&0) && stages.contains(&2) && stages.ends_with(&[3]), "{stages:?}");
    let processing: Vec<_> = told.iter().filter(|event| event["state"] == "processing").collect();
    assert!(processing.iter().all(|event| (0.0..=100.0).contains(&event["percent"].as_f64().unwrap())));
    assert!(processing.is_sorted_by_key(|event| event["rows"].as_u64().unwrap()));
    assert_eq!(told.last().unwrap()["rows"], ROWS);
    assert_eq!(told.last().unwrap(), &get(&system, &id('e')));
    // One that has ended is told once.
    let lines = http::lines(&system.master_url(&format!("/api/v1/uploads/{}/events", id('e'))), &[]).unwrap();
    assert_eq!(lines.filter(|line| line == "event: upload").count(), 1);
    assert_eq!(system.ask("GET", &format!("/api/v1/uploads/{}/events", id('0')), "").status, 404);
}

#[test]
fn the_folder_may_lie_elsewhere() {
    let system = master("dir = \"came/in\"");
    upload(&system, "a.csv", "", FEED);
    let folder = system.home().join("came").join("in");
    let name = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().file_name().into_string().unwrap();
    assert!(name.starts_with("a.csv."), "{name}");
    assert!(!super::folder(&system).exists());
}

#[test]
fn the_source_stands_behind_all_others_and_has_a_priority() {
    let mut system = System::new();
    system.write("north", "feed.csv", "sku,name\na,North\n");
    system.serve("north");
    let north = format!("[[source]]\nname = \"north\"\nurl = \"{}\"\n", system.url("north"));
    let name = |system: &System| system.json("/api/v1/products/a")["name"].clone();
    system.configure(&north);
    system.start_master(&[]);
    system.sync();
    upload(&system, "a.csv", "", "sku,name\na,Upload\n");
    assert_eq!(name(&system), "Upload");
    system.stop_master();
    system.configure(&format!("{north}[uploads]\npriority = -1\n"));
    system.start_master(&[]);
    system.sync();
    assert_eq!(name(&system), "North");
}
