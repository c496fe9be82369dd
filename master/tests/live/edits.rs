//! Edits: through the one writer, over whatever the feeds say, until they are taken back.

use serde_json::{Value, json};
use tributary_testkit::{feed, http, wait};

use crate::system::System;

/// A master with two sources: `a` is offered by both, south's wins; `b` by north alone.
fn two_sources() -> System {
    let mut system = System::new();
    system.write("north", "feed.csv", "sku,name,description\na,North,n\nb,Only,o\n");
    system.write("south", "feed.csv", "sku,name,description\na,South,s\n");
    system.serve("north");
    system.serve("south");
    system.configure_sources(&[("north", ""), ("south", "")]);
    system.start_master(&[]);
    system.sync();
    system
}

fn form(system: &System, body: &str) -> http::Response {
    system.ask("POST", "/update", body)
}

/// Name and description, as they are shown.
#[track_caller]
fn shows(system: &System, sku: &str, expect: Option<(&str, &str)>) {
    let response = system.ask("GET", &format!("/api/v1/products/{sku}"), "");
    let product: Value = serde_json::from_slice(&response.body).unwrap();
    let shown =
        (response.status == 200).then(|| (product["name"].as_str().unwrap(), product["description"].as_str().unwrap()));
    assert_eq!(shown, expect, "{product}");
}

#[test]
fn the_form_sets_what_is_not_blank() {
    let system = two_sources();
    let saved = form(&system, "sku=+a+&name=+Mine+&description=+");
    assert_eq!((saved.status, saved.header("location")), (303, Some("/?sku=a")));
    shows(&system, "a", Some(("Mine", "s")));
    assert_eq!(form(&system, "sku=a&description=+kept%0D%0Aas+it+is+").status, 303);
    shows(&system, "a", Some(("Mine", " kept\nas it is ")));
    let page = system.ask("GET", "/?sku=a", "");
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Mine"), "{}", page.text());

    let unknown = form(&system, "sku=nowhere&name=typed+%3Cb%3E");
    assert_eq!(unknown.status, 404);
    assert!(unknown.text().contains("value=\"nowhere\"") && unknown.text().contains("value=\"typed &#60;b&#62;\""));
    for nothing in ["sku=a", "sku=a&name=+&description=%0D%0A", "sku=&name=x", "name=x"] {
        assert_eq!(form(&system, nothing).status, 422, "{nothing}");
    }
    assert_eq!(system.ask("GET", "/update", "").status, 405);
    assert!(system.ask("GET", "/?sku=nowhere", "").text().contains("No product with this SKU is shown"));
    shows(&system, "a", Some(("Mine", " kept\nas it is ")));
}

/// The overview does all that the page of a product does to its texts, and says so once.
#[test]
fn the_overview_empties_hides_and_creates() {
    let system = two_sources();
    let page = |path: &str, cookie: &str| {
        let cookies = [("Cookie", cookie), ("Accept", "text/html")];
        http::request("GET", &system.master_url(path), &cookies, b"").unwrap()
    };
    let done = |body: &str, to: &str, words: &str| {
        let answer = system.ask("POST", to, body);
        let location = answer.header("location").unwrap_or_default().to_owned();
        assert!(answer.status == 303 && location.starts_with("/?sku="), "{body}: {}", answer.text());
        let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let shown = page(&location, &cookie);
        assert!(shown.text().contains(&format!(">{words}")), "{words}: {}", shown.text());
        assert!(shown.header("set-cookie").is_some_and(|cookie| cookie.contains("Max-Age=0")), "it is said once");
        assert!(!page("/?sku=other", &cookie).text().contains(words), "and of this product");
    };
    done("sku=a&empty-description=1", "/update", "Saved.");
    shows(&system, "a", Some(("South", "")));
    done("sku=a&page=overview", "/hide", "Hidden.");
    shows(&system, "a", None);
    done("sku=a", "/clear", "Undone.");
    assert_eq!(system.ask("POST", "/update", "sku=new&name=New&form-create=other").status, 404, "it was another one");
    done("sku=new%2F1&name=New&form-create=new%2F1", "/update", "Created.");
    shows(&system, "new%2F1", Some(("New", "")));
    assert_eq!(system.ask("POST", "/update", "sku=a&name=Mine&form-create=a").status, 412, "it is there already");
    let unknown = page("/?sku=nowhere", "").text();
    assert!(unknown.contains("name=\"form-create\" value=\"nowhere\""), "{unknown}");
}

#[test]
fn an_edit_outlives_feeds_restarts_and_kills() {
    let mut system = two_sources();
    assert_eq!(form(&system, "sku=a&name=Mine").status, 303);
    system.write("south", "feed.csv", "sku,name,description\na,Newer,newer\n");
    system.sync();
    shows(&system, "a", Some(("Mine", "newer")));
    assert_eq!(system.stop_master().0, Some(0));
    system.start_master(&[]);
    shows(&system, "a", Some(("Mine", "newer")));
    assert_eq!(form(&system, "sku=b&description=mine").status, 303);
    system.kill_master();
    system.start_master(&[]);
    shows(&system, "b", Some(("Only", "mine")));

    // The sku goes and comes back.
    system.write("north", "feed.csv", "sku,name,description\n");
    system.sync();
    shows(&system, "b", None);
    assert_eq!(form(&system, "sku=b&name=x").status, 404);
    system.write("north", "feed.csv", "sku,name,description,op\nb,Back,o,\n");
    system.sync();
    shows(&system, "b", Some(("Back", "mine")));
    system.write("north", "feed.csv", "sku,op\nb,delete\n");
    let listed = system.table("edits");
    assert_eq!(listed.len(), 2, "{listed:?}");
}

#[test]
fn put_stands_delete_hides_and_only_the_edit_itself_can_be_removed() {
    let system = two_sources();
    let ask = |method: &str, path: &str, body: Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let response = system.ask(method, &format!("/api/v1/products/{path}"), &body);
        let answer = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        (response.status, answer)
    };
    let (status, product) = ask("PUT", "new", json!({"name": " N ", "description": " d "}));
    assert_eq!((status, &product["name"], &product["description"]), (201, &json!("N"), &json!(" d ")));
    assert_eq!((&product["source"], &product["file"], &product["edited"]), (&json!(null), &json!(null), &json!(true)));
    assert_eq!((&product["offers"], &product["edit"]["stands"]), (&json!([]), &json!(true)));
    assert_eq!(ask("PUT", "new", json!({"name": "M", "description": ""})).0, 200);

    let (status, product) = ask("PATCH", "a", json!({"name": "P"}));
    assert_eq!((status, &product["name"], &product["description"]), (200, &json!("P"), &json!("s")));
    let (_, product) = ask("PATCH", "a", json!({"name": null, "description": "p"}));
    assert_eq!((&product["name"], &product["description"]), (&json!("South"), &json!("p")));
    let offers: Vec<_> = product["offers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|offer| {
            (offer["source"].as_str().unwrap(), offer["row"].as_u64().unwrap(), offer["wins"].as_bool().unwrap())
        })
        .collect();
    assert_eq!(offers, [("north", 2, false), ("south", 2, true)]);

    assert_eq!(ask("DELETE", "a", json!(null)).0, 204);
    assert_eq!(ask("DELETE", "a", json!(null)).0, 204);
    let (status, problem) = ask("GET", "a", json!(null));
    assert_eq!((status, &problem["status"], &problem["edit"]["hidden"]), (404, &json!(404), &json!(true)));
    assert_eq!(problem["offers"].as_array().unwrap().len(), 2);
    assert_eq!(ask("PATCH", "a", json!({"name": "x"})).0, 404);
    assert_eq!(ask("PUT", "a", json!({"name": "Q", "description": "q"})).0, 201);
    assert_eq!(ask("DELETE", "a/edit", json!(null)).0, 204);
    shows(&system, "a", Some(("South", "s")));
    assert_eq!(ask("DELETE", "new/edit", json!(null)).0, 204);
    shows(&system, "new", None);
    assert_eq!(ask("DELETE", "never/edit", json!(null)).0, 204);
    assert_eq!(system.table("edits"), Vec::<Value>::new());
}

#[test]
fn a_hundred_posts_at_once_are_all_kept() {
    let system = two_sources();
    let rows: String = (0..100).map(|row| format!("c{row},Name\n")).collect();
    system.write("north", "many.csv", format!("sku,name\n{rows}"));
    system.sync();
    std::thread::scope(|scope| {
        for row in 0..100 {
            let system = &system;
            scope.spawn(move || {
                assert_eq!(form(system, &format!("sku=c{row}&name=Edited+{row}")).status, 303);
            });
        }
    });
    let products = system.products();
    for row in 0..100 {
        assert_eq!(products[&format!("c{row}")].0, format!("Edited {row}"));
    }
    assert_eq!(system.table("edits").len(), 100);
}

#[test]
fn an_edit_waits_for_a_large_version_and_the_page_says_so() {
    let mut system = two_sources();
    let mut large = Vec::new();
    feed::write(&mut large, 60_000, 0, 7).unwrap();
    system.write("north", "large.csv", large);
    wait::until("the large version is being applied, and the page says so", || {
        let page = system.ask("GET", "/", "").text();
        page.contains("Applying a version of north").then_some(())
    });
    assert_eq!(form(&system, "sku=a&name=Patient").status, 303);
    shows(&system, "a", Some(("Patient", "s")));
    system.sync();
    let stopped = system.stop_master();
    assert_eq!(stopped.0, Some(0));
}
