//! `/upload`: a file is chosen, sent and followed to its products; after a reload the page finds uploads under way.

use std::{fs, io::Write, net::TcpStream, path::PathBuf};

use e2e::{Browser, Kind, System, browse, until};
use tempfile::TempDir;

const ROWS: usize = 150_000;

/// Opens the page of uploads of a new system.
fn on_the_page(kind: Kind, test: impl AsyncFnOnce(&System, Browser)) {
    let system = System::start("sku,name\np1,Pen\n");
    browse(kind, async |browser| {
        browser.goto(&system.page("/upload")).await;
        test(&system, browser).await;
    });
}

/// Creates a file in a folder of its own.
fn file(name: &str, text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    (folder, path)
}

/// Creates a file of some megabytes.
fn big_file() -> (TempDir, PathBuf) {
    let mut feed = "sku,name,description\n".to_owned();
    (0..ROWS).for_each(|row| feed += &format!("u{row:06},Name {},a text of some length\n", row % 500));
    feed += ",no sku,\n";
    file("big.csv", &feed)
}

pub(crate) async fn send(browser: &Browser, path: &std::path::Path) {
    browser.write("#files", path.to_str().unwrap()).await;
    browser.click("#send").await;
}

async fn is_complete(browser: &Browser) {
    browser.shows("#uploads li:first-child .state", "complete").await;
    browser.shows("#uploads li:first-child .facts", "150,001 rows, 1 set aside").await;
}

#[test]
fn a_file_is_sent_followed_replaced_and_removed() {
    let (_folder, path) = big_file();
    on_the_page(Kind::Desktop, async |system, browser| {
        // The page records the states that it shows.
        browser
            .run(
                "window.said = new Set(); new MutationObserver(() => { \
                 const bar = document.querySelector('#uploads progress'); \
                 if (bar) window.said.add(document.querySelector('#uploads .state').textContent); \
                 }).observe(document.querySelector('#uploads'), { childList: true, subtree: true })",
            )
            .await;
        send(&browser, &path).await;
        is_complete(&browser).await;
        let said = browser.run("return [...window.said].join(' ')").await;
        for state in ["sending", "processing"] {
            assert!(said.as_str().unwrap().contains(state), "a bar shows {state}: {said}");
        }
        assert_eq!(system.product("u000007"), Some(("Name 7".into(), "a text of some length".into())));

        browser.goto(&system.page("/upload")).await;
        is_complete(&browser).await;
        let links = "return [...document.querySelectorAll('#uploads a')].map((link) => link.textContent).join()";
        until("the links are there", async || (browser.run(links).await == "Products,Rows set aside").then_some(()))
            .await;

        // The same name again needs a confirmation.
        fs::write(&path, "sku,name\nr1,Replaced\n").unwrap();
        send(&browser, &path).await;
        browser.shows("#uploads li:first-child .facts", "There is a file of this name").await;
        browser.click("#uploads li:first-child .buttons button:first-child").await;
        browser.shows("#uploads li:first-child .state", "complete").await;
        browser.shows("#uploads li:first-child .facts", "1 row").await;
        assert!(system.product("r1").is_some());
        assert_eq!(system.product("u000007"), None);

        browser.click("#uploads li:first-child .buttons button").await;
        browser.shows("#uploads li:first-child .buttons", "Remove file and rows").await;
        browser.click("#uploads li:first-child .buttons button").await;
        until("its rows have gone", async || system.product("r1").is_none().then_some(())).await;
        assert_eq!(browser.console().await, [""; 0]);
    });
}

#[test]
fn an_upload_under_way_is_found_after_a_reload_and_can_be_cancelled() {
    on_the_page(Kind::Desktop, async |system, browser| {
        let address = system.page("").trim_start_matches("http://").to_owned();
        let start = |name: &str| {
            let mut stream = TcpStream::connect(&address).unwrap();
            let head = format!(
                "POST /api/v1/uploads?filename={name} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 15\r\n\r\nsku,name"
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream
        };
        let mut slow = start("slow.csv");
        browser.goto(&system.page("/upload")).await;
        for _ in 0..2 {
            browser.shows("#uploads .state", "receiving").await;
            browser.shows("#uploads .facts", "8 B of 15 B").await;
            browser.goto(&system.page("/upload")).await;
        }
        browser.shows("#uploads .facts", "8 B of 15 B").await;
        slow.write_all(b"\ns1,Sl\n").unwrap();
        browser.shows("#uploads .state", "complete").await;

        let _other = start("other.csv");
        browser.goto(&system.page("/upload")).await;
        browser.shows("#uploads li:first-child .facts", "8 B of 15 B").await;
        browser.click("#uploads li:first-child .buttons button").await;
        browser.shows("#uploads li:first-child .error", "t was cancelled").await;
        assert_eq!(browser.console().await, [""; 0]);
    });
}

#[test]
fn a_form_without_a_script_uploads_too() {
    let (_folder, path) = file("plain.csv", "sku,name\nf1,From a form\n");
    on_the_page(Kind::WithoutScripts, async |system, browser| {
        send(&browser, &path).await;
        browser.lands_on(&system.page("/upload")).await;
        until("its rows are products", async || system.product("f1")).await;
        browser.goto(&system.page("/upload")).await;
        browser.shows("#uploads .state", "complete").await;
        browser.shows("#uploads .facts", "1 row").await;
    });
}

/// A file that nothing claims says what to write into the configuration; the file that the page still has is sent again.
#[test]
fn a_file_that_nothing_claims_shows_lines_to_copy_and_can_be_tried_again() {
    let (_folder, path) = file("stock.csv", "Artikel;Titel\n1;Stift\n");
    on_the_page(Kind::Desktop, async |system, browser| {
        send(&browser, &path).await;
        browser.shows("#uploads .state", "failed").await;
        browser.shows("#uploads .error", "no column `sku`").await;
        browser.shows("#uploads pre", "columns = { sku = \"Artikel\", name = \"Titel\" }").await;
        browser.click("#uploads .suggestions button").await;
        until("the lines are copied, or selected", async || {
            let text = browser.text("#uploads .suggestions button").await.unwrap_or_default();
            (text == "Copied" || text.starts_with("Selected")).then_some(())
        })
        .await;

        let first = browser.run("return document.querySelector('#uploads li').dataset.id").await;
        browser.shows("#uploads .buttons button:first-child", "Try again").await;
        browser.click("#uploads .buttons button:first-child").await;
        until("it was sent once more, in place of the first", async || {
            let ids =
                browser.run("return [...document.querySelectorAll('#uploads li')].map((li) => li.dataset.id)").await;
            let ids = ids.as_array().cloned().unwrap_or_default();
            (ids.len() == 1 && ids[0] != first).then_some(())
        })
        .await;
        browser.shows("#uploads .state", "failed").await;

        // After a reload the page no longer has the file.
        browser.goto(&system.page("/upload")).await;
        browser.shows("#uploads .buttons button:first-child", "Choose it again").await;
        browser.click("#uploads .buttons button:last-child").await;
        until("it is forgotten", async || {
            (browser.text("#uploads li").await.is_none() && system.text("/api/v1/uploads") == r#"{"items":[]}"#)
                .then_some(())
        })
        .await;
        assert_eq!(browser.console().await, [""; 0]);
    });
}

#[test]
fn an_upload_is_removed_without_a_script() {
    let (_folder, path) = file("plain.csv", "sku,name\nf1,From a form\n");
    on_the_page(Kind::WithoutScripts, async |system, browser| {
        send(&browser, &path).await;
        until("its rows are products", async || system.product("f1")).await;
        browser.goto(&system.page("/upload")).await;
        browser.click("#uploads summary").await;
        browser.click("#uploads .buttons button").await;
        until("its rows have gone", async || system.product("f1").is_none().then_some(())).await;
        browser.goto(&system.page("/upload")).await;
        browser.shows("#no-uploads", "No uploads yet").await;
    });
}
