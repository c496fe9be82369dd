//! Clients of older systems: dashboards that follow `csv_update` with python-socketio and socket.io-client, and a producer that sends
//! its rows to `POST /update`. They know nothing of this system.

use std::env;

use e2e::{Master, Talk, metric, python};
use serde_json::{Value, json};
use tributary_testkit::{http, wait};

const PYTHON: &str = include_str!("socketio/dashboard.py");
const NODE: &str = include_str!("socketio/dashboard.js");
const PRODUCER: &str = include_str!("socketio/producer.py");

/// Rows with the columns of an older system.
const COMPAT: &str = "[compat]\n\n[catalog]\ncolumns = [\"city\"]\n\n[uploads]\ncolumns = { sku = \"id\" }\n";

/// The ways to connect, and what each ends with.
const TRANSPORTS: [(&str, &str); 3] =
    [("polling", "polling"), ("websocket", "websocket"), ("polling,websocket", "websocket")];

/// A dashboard in each language, connected in each way. Each has been sent these rows.
fn dashboards(url: &str, rows: &Value) -> Vec<(String, Talk)> {
    let start = |(transports, carrier): (&str, &str)| {
        [("Python", Talk::python as fn(&str, &[&str]) -> Talk, PYTHON), ("Node", Talk::node, NODE)].map(
            |(language, start, script)| {
                let dashboard = start(script, &[url, transports, "{}"]);
                let name = format!("{language} by {transports}");
                let (mut is_connected, mut is_sent) = (false, false);
                dashboard.hear(&format!("{name} connects, and gets all rows"), |said| {
                    is_connected |= is(said, "connect", &json!(carrier)).is_some();
                    is_sent |= is(said, "csv_update", rows).is_some();
                    (is_connected && is_sent).then_some(())
                });
                (name, dashboard)
            },
        )
    };
    TRANSPORTS.into_iter().flat_map(start).collect()
}

/// Whether it is this word with this beside it.
fn is(said: &Value, word: &str, what: &Value) -> Option<()> {
    (said[0] == word && said[1] == *what).then_some(())
}

fn rows(said: &Value) -> Option<Vec<Value>> {
    (said[0] == "csv_update").then(|| said[1].as_array().expect("the rows are a list").clone())
}

fn produce(url: &str, rows: &Value) -> Value {
    serde_json::from_str(&python(PRODUCER, &[url, &rows.to_string()], &env::temp_dir())).unwrap()
}

/// Sets the name of a product by itself.
fn correct(url: &str, sku: &str, name: &str) {
    let body = json!({"name": name, "description": ""}).to_string();
    let answer = http::request("PUT", &format!("{url}/api/v1/products/{sku}"), &[], body.as_bytes()).unwrap();
    assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
}

#[test]
fn dashboards_and_a_producer_of_older_systems_need_no_change() {
    let master = Master::start(COMPAT, &[]);
    let first = json!([{"id": "p1", "name": "Pen", "city": "Bath"}, {"name": "Ink", "id": "p2", "description": 1.50}]);
    let shown = json!([
        {"sku": "p1", "name": "Pen", "description": "", "city": "Bath"},
        {"sku": "p2", "name": "Ink", "description": "1.5", "city": ""},
    ]);
    assert_eq!(produce(master.url(), &first), json!([{"status": "healthy"}, {"status": "success"}, shown]));
    let mut dashboards = dashboards(master.url(), &shown);
    for (name, dashboard) in &mut dashboards {
        dashboard.tell("request");
        dashboard.hear(&format!("{name} gets all rows when it asks"), |said| is(said, "csv_update", &shown));
        dashboard.tell("call");
        let (mut is_called, mut is_sent) = (false, false);
        dashboard.hear(&format!("{name} gets all rows and an acknowledgement"), |said| {
            is_called |= is(said, "called", &Value::Null).is_some();
            is_sent |= is(said, "csv_update", &shown).is_some();
            (is_called && is_sent).then_some(())
        });
    }
    let second = json!([{"id": "p3", "name": "Nib"}]);
    let shown = json!([{"sku": "p3", "name": "Nib", "description": "", "city": ""}]);
    assert_eq!(produce(master.url(), &second)[2], shown);
    for (name, dashboard) in &mut dashboards {
        let (mut is_sent, mut is_told) = (false, false);
        dashboard.hear(&format!("{name} gets the change in both namespaces"), |said| {
            is_sent |= is(said, "csv_update", &shown).is_some();
            is_told |= is(said, "event", &json!("applied")).is_some_and(|()| said[2]["removed"] == 2);
            (is_sent && is_told).then_some(())
        });
        dashboard.tell("leave");
        dashboard.hear(&format!("{name} leaves"), |said| (said[0] == "left").then_some(()));
    }
    wait::until("all sessions end", || {
        metric(master.url(), "tributary_socketio_clients").filter(|count| *count == 0.0)
    });
}

#[test]
fn an_unknown_namespace_is_refused() {
    let master = Master::start("", &[]);
    let refused = |dashboard: Talk| {
        let why = dashboard.hear("the namespace /shop is refused", |said| {
            assert_ne!(said[0], "shop", "there is none");
            (said[0] == "refused").then(|| said[1]["message"].to_string())
        });
        assert!(why.contains("no namespace `/shop`"), "{why}");
    };
    for (transports, _) in TRANSPORTS {
        refused(Talk::python(PYTHON, &[master.url(), transports, "{}", "/shop"]));
        refused(Talk::node(NODE, &[master.url(), transports, "{}"]));
    }
}

#[test]
fn a_burst_ends_with_the_last_state() {
    let master = Master::start("", &[]);
    let mut dashboards = dashboards(master.url(), &json!([]));
    for (_, dashboard) in &mut dashboards {
        dashboard.tell("burst");
    }
    (0..200).for_each(|number| correct(master.url(), "p1", &number.to_string()));
    for (name, dashboard) in &dashboards {
        let (mut last, mut is_answered, mut events) = (-1, false, 0);
        dashboard.hear(&format!("{name} gets every acknowledgement and event, and the last state"), |said| {
            is_answered |= said[0] == "burst";
            events += i32::from(is(said, "event", &json!("edit")).is_some());
            if let Some(row) = rows(said).as_ref().and_then(|rows| rows.first()) {
                let number = row["name"].as_str()?.parse().ok()?;
                assert!(number > last, "{name}: {number} comes after {last}");
                last = number;
            }
            (is_answered && events == 200 && last == 199).then_some(())
        });
    }
}

#[test]
fn dashboards_come_back_to_a_master_that_was_killed() {
    let mut master = Master::start("", &[]);
    let dashboards = dashboards(master.url(), &json!([]));
    master.kill();
    for (name, dashboard) in &dashboards {
        dashboard.hear(&format!("{name} notices"), |said| (said[0] == "disconnect").then_some(()));
    }
    master.revive();
    correct(master.url(), "p1", "Pen");
    for (name, dashboard) in &dashboards {
        // It says that it is connected once both namespaces are; the rows of one may come before the other.
        let (mut is_back, mut has_rows) = (false, false);
        dashboard.hear(&format!("{name} connects and gets all rows"), |said| {
            is_back |= said[0] == "connect";
            has_rows |= rows(said).is_some_and(|rows| rows.len() == 1 && rows[0]["name"] == "Pen");
            (is_back && has_rows).then_some(())
        });
    }
}

#[test]
fn clients_need_the_token() {
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "s3cretq7Yh2mVt9Kp4Zx8Rb1Nc5\n").unwrap();
    let master = Master::start("", &["--token-file", token.path().to_str().unwrap()]);
    // The password of Basic authentication, with any user.
    for header in ["Bearer s3cretq7Yh2mVt9Kp4Zx8Rb1Nc5", "Basic eDpzM2NyZXRxN1loMm1WdDlLcDRaeDhSYjFOYzU="] {
        let headers = json!({ "Authorization": header }).to_string();
        for (transports, carrier) in TRANSPORTS {
            let arguments = [master.url(), transports, &headers];
            for (language, dashboard) in
                [("Python", Talk::python(PYTHON, &arguments)), ("Node", Talk::node(NODE, &arguments))]
            {
                let what = format!("{language} is let in by {transports}");
                dashboard.hear(&what, |said| is(said, "connect", &json!(carrier)));
            }
        }
    }
    for (transports, _) in TRANSPORTS {
        let dashboard = Talk::python(PYTHON, &[master.url(), transports, "{}"]);
        dashboard.hear("it is kept out", |said| {
            assert_ne!(said[0], "connect");
            (said[0] == "failed").then_some(())
        });
    }
}

/// Rows that fill the buffers of a connection after a few updates.
const LARGE: usize = 10_000;
const CHANGES: usize = 30;

#[test]
fn a_client_that_stops_reading_misses_what_is_old_and_holds_up_nobody() {
    let master = Master::start(COMPAT, &[]);
    // Letters of two bytes, which frames cut.
    let text = "\u{fc}".repeat(125);
    let many: Vec<_> =
        (0..LARGE).map(|row| json!({"id": format!("{row:05}"), "name": "", "description": text})).collect();
    let sent = http::request(
        "POST",
        &format!("{}/update", master.url()),
        &[("Content-Type", "application/json")],
        json!(many).to_string().as_bytes(),
    );
    let sent = sent.unwrap();
    assert_eq!(sent.status, 200, "{}", sent.text());
    // Node stores nothing of what it has not read; Python would read on in another thread.
    let [stopped, follower] = [(); 2].map(|()| Talk::node(NODE, &[master.url(), "websocket", "{}"]));
    let all = |said: &Value| {
        let rows = rows(said).filter(|rows| rows.len() == LARGE)?;
        assert_eq!(rows[LARGE / 2]["description"], text);
        Some(rows[0]["name"].clone())
    };
    for client in [&stopped, &follower] {
        client.hear("it gets all rows", all);
    }
    stopped.signal("STOP");
    let before = metric(master.url(), "process_resident_memory_bytes").unwrap();
    for change in 1..=CHANGES {
        let change = change.to_string();
        correct(master.url(), "00000", &change);
        follower.hear("the other one goes on", |said| all(said).filter(|name| *name == change.as_str()));
    }
    let after = metric(master.url(), "process_resident_memory_bytes").unwrap();
    stopped.signal("CONT");
    let (mut updates, last) = (0, CHANGES.to_string());
    stopped.hear("it gets the last state", |said| {
        let name = all(said)?;
        updates += 1;
        (name.as_str() == Some(&last)).then_some(())
    });
    println!(
        "{updates} of {CHANGES} updates reached the client that stopped; the master grew by {} bytes",
        after - before
    );
    assert!(updates <= CHANGES / 2, "{updates} updates were queued");
}
