//! The history of a product, undoing, and edits that expect a version (docs/reference/http-api.md#history-of-a-product).

use serde_json::{Value, json};
use tributary_testkit::{http, wait};

use crate::system::System;

fn one_source(feed: &str) -> System {
    let mut system = System::new();
    system.write("north", "feed.csv", feed);
    system.serve("north");
    system.configure_sources(&[("north", "")]);
    system.start_master(&[]);
    system.sync();
    system
}

fn send(system: &System, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> http::Response {
    let length: &[_] = if body.is_empty() && method == "POST" { &[("Content-Length", "0")] } else { &[] };
    http::request(method, &system.master_url(path), &[headers, length].concat(), body.as_bytes()).unwrap()
}

fn history(system: &System, sku: &str) -> Vec<Value> {
    let list = system.json(&format!("/api/v1/products/{sku}/history"));
    list["items"].as_array().unwrap().clone()
}

/// Name and description of a sku; null if it is not shown.
fn shown(system: &System, sku: &str) -> Value {
    let response = system.ask("GET", &format!("/api/v1/products/{sku}"), "");
    let product: Value = serde_json::from_slice(&response.body).unwrap();
    if response.status == 200 { json!([product["name"], product["description"]]) } else { Value::Null }
}

#[test]
fn sources_and_people_leave_a_history() {
    let system = one_source("sku,name,description\na,Pen,blue\nb,Ink,\n");
    assert_eq!(history(&system, "a"), Vec::<Value>::new(), "a product that appears leaves none");
    system.write("north", "feed.csv", "sku,name,description\na,Ball pen,blue\n");
    system.sync();
    let basic = [("Authorization", "Basic YW5uOng=")];
    assert_eq!(send(&system, "POST", "/update", &basic, "sku=a&description=red").status, 303);
    let changes = history(&system, "a");
    let [edit, version] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!(version["columns"], json!({"name": {"before": "Pen", "after": "Ball pen"}}));
    assert_eq!(
        [&version["cause"], &version["source"], &version["file"], &version["who"], &version["undoable"]],
        [&json!("version"), &json!("north"), &json!("feed.csv"), &json!(null), &json!(false)]
    );
    assert_eq!(edit["columns"], json!({"description": {"before": "blue", "after": "red"}}));
    assert_eq!(edit["edit"], json!({"description": {"before": null, "after": "red"}}));
    assert_eq!(
        [&edit["cause"], &edit["entrance"], &edit["who"], &edit["undoable"]],
        [&json!("edit"), &json!("form"), &json!("ann"), &json!(true)]
    );
    // One that goes tells what it was.
    let gone = history(&system, "b");
    assert_eq!(gone[0]["columns"], json!({"name": {"before": "Ink", "after": null}}));
    let csv = system.ask("GET", "/api/v1/products/a/history?format=csv&raw=1&limit=1", "").text();
    assert_eq!(csv.lines().count(), 2, "{csv}");
    assert!(csv.starts_with("id,at,cause,source,file,entrance,who,columns,edit,undoable"), "{csv}");
    assert_eq!(system.ask("GET", "/api/v1/products/a/history?limit=0", "").status, 400);
}

#[test]
fn a_version_that_changes_much_leaves_no_single_changes() {
    let feed = |name: &str| (0..10_001).map(|row| format!("s{row},{name}\n")).collect::<String>();
    let system = one_source(&format!("sku,name\n{}", feed("a")));
    system.write("north", "feed.csv", format!("sku,name\n{}", feed("b")));
    system.sync();
    assert_eq!(shown(&system, "s1"), json!(["b", ""]));
    assert_eq!(history(&system, "s1"), Vec::<Value>::new());
    system.write("north", "feed.csv", format!("sku,name\ns0,c\n{}", &feed("b")[5..]));
    system.sync();
    assert_eq!(history(&system, "s0").len(), 1);
}

#[test]
fn an_edit_is_undone_by_another() {
    let system = one_source("sku,name,description\na,Pen,blue\n");
    let undo = |id: &Value| send(&system, "POST", &format!("/api/v1/products/a/history/{id}/undo"), &[], "");
    let patch = |body: &str| assert_eq!(system.ask("PATCH", "/api/v1/products/a", body).status, 200);
    patch(r#"{"name":"Biro","description":"red"}"#);
    patch(r#"{"name":"Quill"}"#);
    let [second, first] = [0, 1].map(|at| history(&system, "a")[at]["id"].clone());
    // The name has been set again since; the description has not.
    assert_eq!(undo(&first).status, 200);
    assert_eq!(shown(&system, "a"), json!(["Quill", "blue"]));
    assert_eq!(undo(&second).status, 200);
    assert_eq!(shown(&system, "a"), json!(["Biro", "blue"]));
    assert_eq!(undo(&first).status, 200);
    assert_eq!(shown(&system, "a"), json!(["Pen", "blue"]));
    assert_eq!(system.table("edits"), Vec::<Value>::new(), "an edit that sets nothing is none");
    let again = undo(&first);
    assert_eq!(again.status, 409);
    assert!(again.text().contains("nothing left to undo"), "{}", again.text());
    assert_eq!(undo(&json!(999)).status, 404);
    assert_eq!(undo(&json!("x")).status, 400);

    // Hiding, creating and clearing are undone, too.
    assert_eq!(system.ask("DELETE", "/api/v1/products/a", "").status, 204);
    assert_eq!(shown(&system, "a"), Value::Null);
    assert_eq!(undo(&history(&system, "a")[0]["id"]).status, 200);
    assert_eq!(shown(&system, "a"), json!(["Pen", "blue"]));
    patch(r#"{"name":"Biro"}"#);
    assert_eq!(system.ask("DELETE", "/api/v1/products/a/edit", "").status, 204);
    assert_eq!(undo(&history(&system, "a")[0]["id"]).status, 200);
    assert_eq!(shown(&system, "a"), json!(["Biro", "blue"]));
    assert_eq!(system.ask("PUT", "/api/v1/products/n", r#"{"name":"N","description":""}"#).status, 201);
    let id = history(&system, "n")[0]["id"].clone();
    assert_eq!(send(&system, "POST", &format!("/api/v1/products/n/history/{id}/undo"), &[], "").status, 204);
    assert_eq!(shown(&system, "n"), Value::Null);

    system.write("north", "feed.csv", "sku,name,description\na,Pen,green\n");
    system.sync();
    let of_source = undo(&history(&system, "a")[0]["id"]);
    assert_eq!(of_source.status, 409);
    assert!(of_source.text().contains("not made by hand"), "{}", of_source.text());
    let by_form = send(&system, "POST", "/undo", &[], "sku=a&column=name");
    assert_eq!((by_form.status, by_form.header("location")), (303, Some("/products/a?saved=undone")));
    assert_eq!(shown(&system, "a"), json!(["Pen", "green"]));
}

#[test]
fn an_edit_of_an_older_version_is_refused() {
    let system = one_source("sku,name,description\na,Pen,blue\n");
    let path = "/api/v1/products/a";
    let tag = || system.ask("GET", path, "").header("etag").unwrap().to_owned();
    let first = tag();
    assert!(first.starts_with('"'), "it is a strong one: {first}");
    assert_eq!(send(&system, "GET", path, &[("If-None-Match", &first)], "").status, 304);
    let patch = |tag: &str, name: &str| {
        send(&system, "PATCH", path, &[("If-Match", tag)], &json!({ "name": name }).to_string())
    };
    let saved = patch(&first, "Biro");
    assert_eq!((saved.status, saved.header("etag").map(str::to_owned)), (200, Some(tag())));
    assert_ne!(tag(), first);
    let refused = patch(&first, "Quill");
    assert_eq!(refused.status, 412);
    let problem: Value = serde_json::from_slice(&refused.body).unwrap();
    assert_eq!((&problem["title"], &problem["current"]["name"]), (&json!("changed meanwhile"), &json!("Biro")));
    assert_eq!(shown(&system, "a"), json!(["Biro", "blue"]));
    for (method, path, body) in [
        ("PUT", path, r#"{"name":"x","description":"x"}"#),
        ("DELETE", path, ""),
        ("DELETE", "/api/v1/products/a/edit", ""),
        ("POST", "/api/v1/products/a/history/1/undo", ""),
    ] {
        assert_eq!(send(&system, method, path, &[("If-Match", &first)], body).status, 412, "{method} {path}");
    }
    assert_eq!(send(&system, "PUT", path, &[("If-None-Match", "*")], r#"{"name":"x","description":""}"#).status, 412);
    assert_eq!(send(&system, "GET", path, &[("If-Match", "x")], "").status, 200, "a condition of changes only");
    assert_eq!(patch("x", "Quill").status, 412, "a tag without quotes is none");
    assert_eq!(patch("*", "Quill").status, 200);

    // A row that moves in its file changes the answer, but is no reason to refuse an edit.
    let before = tag();
    system.write("north", "feed.csv", "sku,name,description\nz,Z,\na,Pen,blue\n");
    system.sync();
    wait::until("the line is known", || (system.json(path)["offers"][0]["row"] == json!(3)).then_some(()));
    assert_eq!(send(&system, "GET", path, &[("If-None-Match", &before)], "").status, 200);
    assert_eq!(patch(&before, "Reed").status, 200);
}

/// docs/reference/http-api.md#form
#[test]
fn a_stale_form_is_refused_and_shows_both_texts() {
    let system = one_source("sku,name,description\na,Pen,blue\n");
    let version = || {
        let page = system.ask("GET", "/products/a", "").text();
        page.split_once("name=\"version\" value=\"").unwrap().1.split('"').next().unwrap().to_owned()
    };
    let first = version();
    let save = |version: &str, more: &str| system.ask("POST", "/products/a", &format!("version={version}&{more}"));
    let saved = save(&first, "name=Biro");
    assert_eq!((saved.status, saved.header("location")), (303, Some("/products/a?saved=1")));
    assert!(
        system
            .ask("GET", "/products/a?saved=1", "")
            .text()
            .contains("role=\"status\" tabindex=\"-1\" autofocus>Saved.")
    );
    let refused = save(&first, "name=Quill&description=");
    assert_eq!(refused.status, 412);
    let page = refused.text();
    assert!(page.contains("<td class=\"now\">Biro</td><td class=\"typed\">Quill</td>"), "{page}");
    assert!(page.contains("value=\"Quill\"") && page.contains("Save over it"), "{page}");
    assert_eq!(shown(&system, "a"), json!(["Biro", "blue"]));
    // Knowingly: with the version that the page shows.
    assert_eq!(save(&version(), "name=Quill&empty-description=1").status, 303);
    assert_eq!(shown(&system, "a"), json!(["Quill", ""]));
    assert_eq!(system.ask("POST", "/update", &format!("sku=a&name=x&version={first}")).status, 412);
    assert_eq!(system.ask("POST", "/hide", &format!("sku=a&version={first}")).status, 412);
    assert_eq!(save("", "name=As+before").status, 303, "without a version as ever");
    for (wrong, status) in
        [("name=x&empty-name=1", 422), ("name=+", 422), ("empty-nothing=1", 400), ("name=a&name=b", 400)]
    {
        assert_eq!(save("", wrong).status, status, "{wrong}");
    }
    // A product is hidden, created, looked up.
    assert_eq!(system.ask("POST", "/hide", "sku=a").header("location"), Some("/products/a?saved=hidden"));
    assert_eq!(system.ask("GET", "/products/a", "").status, 200);
    assert_eq!(system.ask("GET", "/products/new", "").status, 404);
    assert_eq!(system.ask("POST", "/products/new", "form-create=1&description=d").status, 422);
    assert_eq!(system.ask("POST", "/products/new", "form-create=1&name=N").status, 303);
    assert_eq!(system.ask("POST", "/products/new", "form-create=1&name=M").status, 412);
    assert_eq!(shown(&system, "new"), json!(["N", ""]));
    assert_eq!(system.ask("GET", "/product?sku=+a%2Fb+", "").header("location"), Some("/products/a%2Fb"));
    assert_eq!(system.ask("GET", "/product?sku=..", "").header("location"), Some("/?sku=.."));
}
