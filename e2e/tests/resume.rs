//! Uploads whose sender or whose master is killed, and whose connection is cut, go on where they were.
//!
//! `MEGABYTES=2100` asks for a large file in the browser.

use std::{
    env,
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use e2e::{Kind, Proxy, System, browse, until};
use tempfile::TempDir;
use tributary_testkit::{process, wait};

use crate::upload::send;

/// Counts the rows of the files below.
const CONFIGURATION: &str = "[[report]]\nname = \"wide\"\nfiles = \"big*.csv\"\ngroup_by = [\"name\"]\n\
                             metrics = { pieces = \"sum(pieces)\", rows = \"count()\" }\n";
const ROW_BYTES: usize = 30_000;
/// Most that is sent again after an interruption: a slice, and what was under way.
const LOST: u64 = 40_000_000;

/// Creates `big.csv` of about so many megabytes, with few rows: reading them is not the point.
fn big_file(megabytes: usize) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.csv");
    // Differs from place to place, so that a part in the wrong place is noticed.
    let mut random = 1_u64;
    let mut letter = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        b'a' + (random >> 33) as u8 % 26
    };
    let note: Vec<u8> = (0..2 * ROW_BYTES).map(|_| letter()).collect();
    let mut file = BufWriter::new(File::create(&path).unwrap());
    file.write_all(b"name,pieces,note\n").unwrap();
    for row in 0..rows(megabytes) {
        write!(file, "n{},{row},", row % 3).unwrap();
        file.write_all(&note[row * 7 % ROW_BYTES..][..ROW_BYTES]).unwrap();
        file.write_all(b"\n").unwrap();
    }
    file.flush().unwrap();
    (folder, path)
}

fn rows(megabytes: usize) -> usize {
    megabytes * 1_000_000 / ROW_BYTES
}

fn system() -> (System, Proxy) {
    let system = System::configured("sku,name\np1,Pen\n", CONFIGURATION);
    let proxy = Proxy::start(&system.page(""));
    (system, proxy)
}

/// Bytes that the master has of the only upload.
fn received(system: &System) -> Option<u64> {
    system.api("/api/v1/uploads")?["items"][0]["bytes"].as_u64()
}

/// Waits until the proxy holds up the sender and all before that has arrived.
fn has_arrived(system: &System, proxy: &Proxy, at_least: u64) {
    proxy.is_held();
    wait::until("it has arrived", || received(system).filter(|bytes| *bytes > at_least).map(drop));
}

fn is_complete(system: &System, path: &Path, megabytes: usize) {
    wait::until("the upload is complete", || {
        let uploads = system.api("/api/v1/uploads")?;
        let upload = &uploads["items"][0];
        assert_ne!(upload["state"], "failed", "{upload}");
        (upload["state"] == "complete").then(|| assert_eq!(upload["rows"], rows(megabytes), "{upload}"))
    });
    assert!(system.uploaded() == std::fs::read(path).unwrap(), "the file is the one that was sent");
    let report = system.text("/api/v1/reports/wide?format=csv&raw=1");
    let pieces = |rest: usize| (0..rows(megabytes)).skip(rest).step_by(3);
    for rest in 0..3 {
        let line = format!("n{rest},{},{}\n", pieces(rest).sum::<usize>(), pieces(rest).count());
        assert!(report.contains(&line), "{line} is in {report}");
    }
}

/// Kills the sender at a third and the master at two thirds, and returns how much was sent in all.
fn interrupt(system: &mut System, proxy: &Proxy, size: u64, start: impl Fn() -> Child) -> u64 {
    proxy.hold_after(size / 3);
    let mut sender = start();
    has_arrived(system, proxy, size / 4);
    sender.kill().unwrap();
    sender.wait().unwrap();
    proxy.cut();
    proxy.hold_after(size / 3);
    let mut sender = start();
    has_arrived(system, proxy, size / 2);
    system.restart_master();
    proxy.cut();
    assert!(sender.wait().unwrap().success());
    proxy.sent()
}

#[test]
fn another_client_of_tus_goes_on_after_it_or_the_master_was_killed() {
    let (mut system, proxy) = system();
    let (folder, path) = big_file(300);
    let size = path.metadata().unwrap().len();
    let python = env::var_os("TRIBUTARY_E2E_PYTHON").expect("`cargo xtask services` sets TRIBUTARY_E2E_PYTHON");
    let sent = interrupt(&mut system, &proxy, size, || {
        let mut command = Command::new(&python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/resume.py"));
        command.args([&format!("{}/api/v1/tus/", proxy.url), path.to_str().unwrap()]);
        command.arg(folder.path().join("memory")).spawn().unwrap()
    });
    is_complete(&system, &path, 300);
    assert!(sent < size + 2 * LOST, "{sent} of {size} bytes");
}

#[test]
fn publish_goes_on_after_it_or_the_master_was_killed() {
    let (mut system, proxy) = system();
    let (folder, path) = big_file(150);
    let size = path.metadata().unwrap().len();
    let sent = interrupt(&mut system, &proxy, size, || {
        let mut command = process::command("publish", folder.path());
        command.args(["big.csv", "--to", &proxy.url]).stdout(Stdio::null()).env("RUST_LOG", "error").spawn().unwrap()
    });
    is_complete(&system, &path, 150);
    assert!(sent < size + 2 * LOST, "{sent} of {size} bytes");
}

#[test]
fn the_page_goes_on_after_a_cut_connection_and_after_a_reload() {
    let (system, proxy) = system();
    let megabytes = env::var("MEGABYTES").map_or(100, |text| text.parse().expect("MEGABYTES is a number"));
    let (_folder, path) = big_file(megabytes);
    let size = path.metadata().unwrap().len();
    browse(Kind::Desktop, async |browser| {
        let page = format!("{}/upload", proxy.url);
        browser.goto(&page).await;
        proxy.hold_after(size / 3);
        send(&browser, &path).await;
        has_arrived(&system, &proxy, size / 4);
        // A button that is replaced at each progress gets no click of a person.
        browser.run("window.cancel = document.querySelector('#uploads button')").await;
        let facts = browser.text("#uploads .facts").await;
        proxy.hold_after(20 << 20);
        until("the page shows progress", async || (browser.text("#uploads .facts").await != facts).then_some(())).await;
        assert_eq!(browser.run("return window.cancel.isConnected").await, true);
        proxy.go_down();
        browser.shows("#uploads .facts", "connection lost, trying again").await;
        proxy.hold_after(size / 3);
        proxy.come_up();
        has_arrived(&system, &proxy, size / 2);
        // The page is left while it sends.
        browser.goto("about:blank").await;
        proxy.cut();
        browser.goto(&page).await;
        browser.shows("#uploads .facts", "choose the file again to go on").await;
        send(&browser, &path).await;
        browser.shows("#uploads .state", "complete").await;
        let lines = browser.run("return document.querySelectorAll('#uploads li').length").await;
        assert_eq!(lines, 1, "it is still the same upload");
        let kept = "return Object.keys(localStorage).filter((key) => key.startsWith('upload:')).length";
        until("the browser forgets it", async || (browser.run(kept).await == 0).then_some(())).await;
    });
    is_complete(&system, &path, megabytes);
    let sent = proxy.sent();
    assert!(sent < size + 2 * LOST, "{sent} of {size} bytes");
}
