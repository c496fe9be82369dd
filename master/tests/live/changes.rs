//! Changes are followed without being asked for, whatever else happens.

use std::time::{Duration, Instant};

use serde_json::Value;
use tributary_testkit::{
    faulty::{Answer, FaultySource},
    feed, http,
    process::{self, Daemon},
    wait,
};

use crate::{
    model::{Model, Source},
    system::System,
};

/// Gives a system the source `north`, whose feed has one product, and a master that has applied it.
pub(crate) fn one_source(mut system: System) -> System {
    system.write("north", "feed.csv", "sku,name\na,First\n");
    system.serve("north");
    system.configure_sources(&[("north", "")]);
    system.start_master(&[]);
    system.sync();
    system
}

pub(crate) fn name_of(system: &System, sku: &str) -> Option<String> {
    let response = system.ask("GET", &format!("/api/v1/products/{sku}"), "");
    let product: Value = serde_json::from_slice(&response.body).unwrap();
    product["name"].as_str().map(str::to_owned)
}

fn state_of(system: &System, source: &str) -> String {
    let sources = system.json("/api/v1/sources");
    let source = sources["items"].as_array().unwrap().iter().find(|row| row["name"] == source).unwrap().clone();
    source["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_changed_file_is_followed_and_told_of() {
    let system = one_source(System::new());
    let mut events = http::lines(&system.master_url("/api/v1/events"), &[]).unwrap();
    assert_eq!(events.next().unwrap(), "retry: 1000");
    system.write("north", "feed.csv", "sku,name\na,Second\nb,New\n,no sku\n");
    wait::until("the change is shown", || (name_of(&system, "a")? == "Second").then_some(()));
    let mut told = events.skip_while(|line| !line.is_empty()).skip(1);
    let id: i64 = told.next().unwrap()["id: ".len()..].parse().unwrap();
    assert_eq!(told.next().unwrap(), "event: applied");
    let applied: Value = serde_json::from_str(&told.next().unwrap()["data: ".len()..]).unwrap();
    let counts = ["added", "updated", "removed", "rejected"].map(|count| applied[count].as_u64().unwrap());
    assert_eq!((applied["source"].as_str().unwrap(), counts), ("north", [1, 1, 0, 1]));
    assert!(applied["seconds"].as_f64().unwrap() > 0.0 && applied["version"].is_string());

    // Who comes back with an older number gets the same again; one that is not known is told to begin anew.
    let again = |last: &str| {
        let lines = http::lines(&system.master_url("/api/v1/events"), &[("Last-Event-ID", last)]).unwrap();
        lines.skip(1).take_while(|line| !line.starts_with("data: ")).collect::<Vec<_>>()
    };
    let (before, at) = (format!("id: {}", id - 1), format!("id: {id}"));
    assert_eq!(again(&(id - 1).to_string()), [&before, "", &at, "event: applied"]);
    assert_eq!(again("99999"), [&at, "event: reset"]);
    assert_eq!(again("nonsense"), [&at, "event: reset"]);
}

#[test]
fn a_plain_source_is_read_at_the_start_and_when_it_says_so() {
    let source = FaultySource::start(&[
        ("/sense", Answer::json(r#"{"status":0}"#)),
        ("/read", Answer::csv("sku,name\na,First\n")),
    ]);
    let mut system = System::new();
    system.configure(&format!("[[source]]\nname = \"plain\"\nurl = \"{}\"\n", source.url));
    system.start_master(&[]);
    wait::until("it is read without asking", || (name_of(&system, "a")? == "First").then_some(()));
    // Said to be unchanged, it is not read.
    source.answer("/read", Answer::csv("sku,name\na,Second\n"));
    let asked = source.requests().len();
    wait::until("it is asked a few times", || (source.requests().len() > asked + 3).then_some(()));
    assert_eq!(name_of(&system, "a").unwrap(), "First");
    source.answer("/sense", Answer::json(r#"{"status":1}"#));
    wait::until("it is read again", || (name_of(&system, "a")? == "Second").then_some(()));
    let requests = source.requests();
    assert!(requests.iter().all(|line| line.starts_with("GET /sense HTTP") || line.starts_with("GET /read HTTP")));
}

#[test]
fn a_bad_source_is_down_stops_no_other_and_comes_back() {
    for bad in [Answer::Hang, Answer::Status("500 Internal Server Error"), Answer::csv("no json")] {
        let mut system = one_source(System::new());
        let source = FaultySource::start(&[("/sense", bad)]);
        system.kill_master();
        system.configure(&format!(
            "[[source]]\nname = \"north\"\nurl = \"{}\"\n[[source]]\nname = \"bad\"\nurl = \"{}\"\n",
            system.url("north"),
            source.url
        ));
        system.start_master(&[]);
        system.write("north", "feed.csv", "sku,name\na,Second\n");
        wait::until("the good one is followed", || (name_of(&system, "a")? == "Second").then_some(()));
        wait::until("the bad one is down", || (state_of(&system, "bad") == "down").then_some(()));
        assert_eq!(state_of(&system, "north"), "up");
        source.answer("/sense", Answer::json(r#"{"status":1}"#));
        source.answer("/read", Answer::csv("sku,name\nb,Back\n"));
        wait::until("it has come back", || (name_of(&system, "b")? == "Back").then_some(()));
        wait::until("it is up", || (state_of(&system, "bad") == "up").then_some(()));
    }
}

#[test]
fn a_source_that_restarts_is_followed_again() {
    let mut system = one_source(System::new());
    system.stop("north");
    wait::until("it is down", || (state_of(&system, "north") == "down").then_some(()));
    assert_eq!(name_of(&system, "a").unwrap(), "First", "its rows stay");
    system.write("north", "feed.csv", "sku,name\na,Second\n");
    // On the port of before, as after a restart of its machine.
    let url = system.json("/api/v1/sources")["items"][0]["url"].as_str().unwrap().to_owned();
    let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let mut command = process::command("data-source", &system.folder("north"));
    command.args(["--dir", ".", "--settle", "20ms", "--listen", &address]).env("RUST_LOG", "error");
    let _source = Daemon::start(command);
    wait::until("its change is followed", || (name_of(&system, "a")? == "Second").then_some(()));
    wait::until("it is up", || (state_of(&system, "north") == "up").then_some(()));
}

#[test]
fn what_the_configuration_changes_makes_followers_begin_anew() {
    let mut system = one_source(System::new());
    system.write("south", "feed.csv", "sku,name\na,South\nb,Only\n");
    let south = system.serve("south");
    let north = system.url("north").to_owned();
    let configure = |system: &mut System, sources: &[(&str, &str)]| {
        system.stop_master();
        let section = |(name, url): &(&str, &str)| format!("[[source]]\nname = \"{name}\"\nurl = \"{url}\"\n");
        system.configure(&sources.iter().map(section).collect::<String>());
        system.start_master(&["--drop-sources", "all"]);
        system.sync();
    };
    let follow = |system: &System, last: &str| {
        let lines = http::lines(&system.master_url("/api/v1/events"), &[("Last-Event-ID", last)]).unwrap();
        let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
        (head[1]["id: ".len()..].to_owned(), head.iter().any(|line| line == "event: reset"))
    };
    configure(&mut system, &[("north", &north), ("south", &south)]);
    assert_eq!(name_of(&system, "a").unwrap(), "South");
    let (last, _) = follow(&system, "99999");
    // Nothing has changed: who comes back goes on.
    configure(&mut system, &[("north", &north), ("south", &south)]);
    assert_eq!(follow(&system, &last), (last.clone(), false));
    configure(&mut system, &[("south", &south), ("north", &north)]);
    assert_eq!(name_of(&system, "a").unwrap(), "First");
    assert!(follow(&system, &last).1, "winners were chosen again");
    system.write("south", "more.csv", "sku,name\nc,C\n");
    system.sync();
    let (last, is_reset) = follow(&system, "99999");
    assert!(is_reset);
    configure(&mut system, &[("north", &north)]);
    assert_eq!(name_of(&system, "b"), None);
    assert!(follow(&system, &last).1, "a source has gone with its rows");
}

#[test]
fn nothing_is_said_to_be_applied_of_a_source_that_cannot_be_read() {
    let manifest =
        r#"{"version":"v1","files":[{"path":"a.csv","size":9,"modified":"2026-11-24T00:00:00Z","hash":"blake3:00"}]}"#;
    for read in [Answer::Status("500 Internal Server Error"), Answer::csv("sku,name\n")] {
        let source = FaultySource::start(&[
            ("/sense", Answer::json(r#"{"status":1,"version":"v1"}"#)),
            ("/sense/files", Answer::json(manifest)),
            ("/read/a.csv", read),
        ]);
        let mut system = System::new();
        system.configure(&format!("[[source]]\nname = \"bad\"\nurl = \"{}\"\n", source.url));
        system.start_master(&[]);
        wait::until("it was tried a few times", || {
            (source.requests().iter().filter(|line| line.contains("/read/")).count() > 6).then_some(())
        });
        let lines = http::lines(&system.master_url("/api/v1/events"), &[("Last-Event-ID", "0")]).unwrap();
        system.stop_master();
        let kinds: Vec<_> = lines.filter(|line| line.starts_with("event:")).collect();
        assert_eq!(kinds, ["event: source"], "it is another state, and nothing was applied");
    }
}

#[test]
fn a_source_that_always_claims_to_have_changed_is_not_asked_all_the_time() {
    let files = r#"{"version":"real","files":[]}"#;
    let source = FaultySource::start(&[
        ("/sense", Answer::json(r#"{"status":1,"version":"claimed"}"#)),
        ("/sense/files", Answer::json(files)),
    ]);
    let mut system = System::new();
    system.configure(&format!("[[source]]\nname = \"liar\"\nurl = \"{}\"\n", source.url));
    let started = Instant::now();
    system.start_master(&[]);
    wait::until("it was passed over twenty times", || (source.requests().len() >= 40).then_some(()));
    // Once an interval, which is 50 ms here. A machine that is slow only makes this longer.
    assert!(started.elapsed() > Duration::from_millis(850), "{:?}", started.elapsed());
}

#[test]
fn it_ends_cleanly_while_answers_are_held() {
    let mut system = one_source(System::new());
    let mut events = http::lines(&system.master_url("/api/v1/events"), &[]).unwrap();
    assert!(events.next().is_some());
    let (code, took) = system.stop_master();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(events.all(|line| !line.starts_with("event:")), "the stream has ended, and not with an event");
    system.assert_one_file();
}

/// Each deleted the files of the other at its next start.
#[test]
fn two_masters_cannot_share_a_folder_of_uploads() {
    let [mut first, second] = [System::new(), System::new()];
    let uploads = first.folder("shared");
    for system in [&first, &second] {
        system.configure(&format!("[uploads]\ndir = {uploads:?}\nkeep_free = \"0B\"\n"));
    }
    first.start_master(&[]);
    for args in [&["--once"][..], &["--listen", "127.0.0.1:0"]] {
        let output = second.run("master", args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(process::stderr(&output).contains("shared is in use by another"), "{}", process::stderr(&output));
    }
    first.stop_master();
    assert!(second.run("master", &["--once"]).status.success());
}

#[test]
fn a_master_killed_at_any_moment_goes_on_where_it_was() {
    const KILLS: u32 = 12;
    let generated = |rows, first, seed| {
        let mut out = Vec::new();
        feed::write(&mut out, rows, first, seed).unwrap();
        out
    };
    let mut system = System::new();
    let source = |name: &str| Source { name: name.into(), folder: name.into(), priority: 0, name_column: None };
    let sources = [source("north"), source("south")];
    for name in ["north", "south"] {
        system.write(name, "feed.csv", generated(2_000, 0, 1));
        system.serve(name);
    }
    // Each feed replaces most skus of the one before.
    system.configure_sources(&[("north", "max_removal = false"), ("south", "max_removal = false")]);
    let started = Instant::now();
    system.start_master(&[]);
    system.sync();
    let whole = started.elapsed();
    for kill in 0..KILLS {
        system.start_master(&[]);
        system.write("north", "feed.csv", generated(2_000, u64::from(kill) * 500, u64::from(kill)));
        system.write("south", &format!("feed-{}.csv", kill % 3), generated(2_000, 1_000, u64::from(kill) + 50));
        let edited = format!("edited-{kill}");
        let put = system.ask("PUT", &format!("/api/v1/products/{edited}"), r#"{"name":"n","description":"d"}"#);
        assert_eq!(put.status, 201, "an edit is answered when it is stored");
        // The moments are spread over the length of a pass: this is the one place where time itself is the condition.
        std::thread::sleep(whole * kill / KILLS);
        system.kill_master();
    }
    system.start_master(&[]);
    system.sync();
    let mut model = Model::default();
    model.pass(&sources, |folder| system.folder(folder));
    for kill in 0..KILLS {
        let put = crate::model::EditRequest::Put("n".into(), "d".into(), None);
        model.edit(&sources, &format!("edited-{kill}"), &put);
    }
    let (products, aggr) = model.tables(&sources);
    let stored =
        system.products().into_iter().map(|(sku, (name, description))| (sku, vec![name, description])).collect();
    assert_eq!(products, stored);
    assert_eq!(system.aggr(), aggr);
    let tally = http::get(&system.master_url("/metrics")).unwrap().1;
    let tally = String::from_utf8(tally).unwrap();
    assert!(tally.contains(&format!("\ntributary_products {}\n", products.len())), "{tally}");
    assert!(tally.contains(&format!("\ntributary_names {}\n", aggr.len())), "{tally}");
}
