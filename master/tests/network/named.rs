//! The words of a master on a network that fails, on the page and by the API.

use tributary_testkit::{
    proxy::{
        Fault::{self, Cut, Flip, Page, Reset, Shorten},
        Way,
    },
    wait,
};

use super::Stage;

#[test]
fn it_is_said_what_was_wrong() {
    let stage = Stage::start(&["north"], &[]);
    let mut version = 1;
    let mut check = |line: &str, fault: Fault, words: &str| {
        let proxy = stage.proxy("north");
        proxy.spoil(Way::Answer, line, fault);
        version += 1;
        stage.write("north", version);
        let mut said = String::new();
        let (mut of_api, mut of_page) = (false, false);
        // An error may follow another one, so both are looked at until each has said it.
        wait::until(&format!("{line}, {fault:?}: {words}"), || {
            let error = stage.told("north")["error"].as_str().unwrap_or_default().to_owned();
            of_api |= error.contains(words);
            of_page |= stage.system.ask("GET", "/sources/north", "").text().contains(words);
            if error != said {
                println!("{line}, {fault:?}: {error}");
                said = error;
            }
            (of_api && of_page).then_some(())
        });
        proxy.heal();
        stage.wait_for("north", version);
        assert_eq!(stage.told("north")["error"], serde_json::Value::Null);
    };
    check("/sense?", Page("200 OK"), "with a web page (text/html)");
    check("/sense?", Page("502 Bad Gateway"), "answers 502 Bad Gateway");
    check("/sense?", Page("503 Service Unavailable"), "answers 503 Service Unavailable");
    check("/sense?", Reset(0), "/sense broke the connection: ");
    check("/sense?", Cut(20), "/sense broke the connection: ");
    check("/sense?", Shorten(20), "/sense does not answer as a source does");
    check("/sense/files", Page("200 OK"), "with a web page (text/html)");
    check("/sense/files", Cut(20), "/sense/files broke the connection: ");
    check("/read/feed", Page("200 OK"), "with a web page (text/html)");
    check("/read/feed", Cut(3_000), "feed.csv: the body was cut off after ");
    check("/read/feed", Reset(3_000), "feed.csv: the body was cut off after ");
    check("/read/feed", Shorten(100), "sends 100 bytes with the hash");
    check("/read/feed", Flip(3_000), "with the hash");
}

/// A list of files has no hash of its own. Without a digest a changed letter of a path would take a file away.
#[test]
fn a_list_that_changed_on_the_way_is_not_used() {
    let stage = Stage::start(&["north"], &[]);
    let proxy = stage.proxy("north");
    for (number, at) in (450..600).step_by(30).enumerate() {
        let version = 2 + number;
        proxy.spoil(Way::Answer, "/sense/files", Flip(at));
        stage.write("north", version);
        let words = "changed on the way: it does not match its Content-Digest; look at the proxies";
        wait::until("it is said", || {
            assert_eq!(stage.version("north"), Some(version - 1), "byte {at}");
            stage.told("north")["error"].as_str().filter(|error| error.contains(words)).map(drop)
        });
        proxy.heal();
        stage.wait_for("north", version);
    }
}
