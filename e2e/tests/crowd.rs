//! Many people look at once: a change on a source reaches every open page and every dashboard, and their connections end with them.

use std::fmt::Write as _;

use e2e::{Kind, System, Talk, browse, metric};
use serde_json::{Value, json};
use tributary_testkit::wait;

const CROWD: &str = include_str!("crowd/crowd.js");

const PAGES: u32 = 200;
const DASHBOARDS: u32 = 200;
/// Windows of a real browser, which opens at most six connections to a server: a stream each, and one for the rest.
const WINDOWS: usize = 5;
/// Files that a master may have opened meanwhile for itself: readers of the database.
const OWN_FILES: f64 = 20.0;

/// 1,000 products, of which these have been changed.
fn feed(changed: &[&str]) -> String {
    let mut feed = "sku,name\n".to_owned();
    for number in 0..1000 {
        let sku = format!("s{number:04}");
        let name = if changed.contains(&sku.as_str()) { "Changed" } else { "Name" };
        writeln!(feed, "{sku},{name}").unwrap();
    }
    feed
}

/// Whether all pages and all dashboards are said to be open, or to show a change.
fn all(said: &Value, word: &str) -> Option<()> {
    (*said == json!([word, PAGES, DASHBOARDS])).then_some(())
}

#[test]
fn a_change_reaches_all_of_200_open_pages_and_200_dashboards() {
    let system = System::start(&feed(&[]));
    let url = system.page("");
    let files = || metric(&url, "process_open_fds").unwrap();
    let before = files();
    let mut crowd = Talk::node(CROWD, &[&url, &PAGES.to_string(), &DASHBOARDS.to_string()]);
    crowd.hear("all are open", |said| all(said, "open"));
    browse(Kind::Desktop, async |browser| {
        let mut windows = Vec::new();
        for _ in 0..WINDOWS {
            browser.goto_in_new_window(&system.page("/")).await;
            browser.shows("#live", "live").await;
            windows.push(browser.tab().await);
        }
        assert_eq!(metric(&url, "tributary_socketio_clients"), Some(f64::from(DASHBOARDS)));
        assert!(files() >= before + f64::from(PAGES + DASHBOARDS), "each has a connection");
        let changes = ["s0500", "s0501"];
        for (number, sku) in changes.iter().enumerate() {
            crowd.tell(&format!("{sku} Changed"));
            system.write(&feed(&changes[..=number]));
            crowd.hear("the change reaches all", |said| all(said, "shown"));
            for window in &windows {
                browser.switch_to(window).await;
                browser.shows("#changes", sku).await;
            }
        }
        browser.goto(&system.page("/products/s0501")).await;
        browser.shows("#product .name", "Changed").await;
        assert_eq!(browser.console().await, [""; 0]);
    });
    crowd.tell("leave");
    crowd.hear("all leave", |said| (said[0] == "left").then_some(()));
    wait::until("all connections end", || {
        let clients = metric(&url, "tributary_socketio_clients")?;
        (clients == 0.0 && files() <= before + OWN_FILES).then_some(())
    });
}
