//! A folder with a feed, a source that serves it, and a master that polls the source: real programs, a real database.

use std::{fs, path::Path};

use serde_json::Value;
use tempfile::TempDir;
use tributary_testkit::{
    http,
    process::{self, Daemon},
    wait,
};

/// The running system, stopped and deleted when this is dropped.
pub struct System {
    // Before `home`, so that the programs are stopped before their folder is deleted.
    master: Daemon,
    source: Option<Daemon>,
    home: TempDir,
}

impl System {
    /// Starts a system with a `data-source` called `north`, whose folder holds `feed` as `feed.csv`.
    ///
    /// # Panics
    /// It does not start, here and below.
    #[must_use]
    pub fn start(feed: &str) -> Self {
        Self::with_source(feed, |feed| Daemon::source(feed.parent().expect("a file is in a folder")))
    }

    /// Like [`System::start`], with this `tributary.toml` for the master; its sources are replaced by `north`.
    #[must_use]
    pub fn configured(feed: &str, configuration: &str) -> Self {
        Self::begin(feed, configuration, |feed| Daemon::source(feed.parent().expect("a file is in a folder")))
    }

    /// Like [`System::start`], with another source of that name; `source` gets the path of the feed.
    #[must_use]
    pub fn with_source(feed: &str, source: impl FnOnce(&Path) -> Daemon) -> Self {
        Self::begin(feed, "", source)
    }

    fn begin(feed: &str, configuration: &str, source: impl FnOnce(&Path) -> Daemon) -> Self {
        let home = tempfile::tempdir().expect("there is room for a folder");
        let path = feed_path(&home);
        fs::create_dir(path.parent().expect("a file is in a folder")).expect("a folder can be made");
        fs::write(&path, feed).expect("the feed can be written");
        fs::write(home.path().join("tributary.toml"), configuration).expect("the configuration can be written");
        let source = source(&path);
        let master = start_master(&home, "127.0.0.1:0", &source.url);
        let system = Self { master, source: Some(source), home };
        wait::until("the feed is applied", || {
            let sources = system.api("/api/v1/sources")?;
            sources["items"][0]["last_applied"].as_str().map(drop)
        });
        system
    }

    /// Replaces the feed atomically.
    pub fn write(&self, feed: &str) {
        let path = feed_path(&self.home);
        let other = path.with_extension("tmp");
        fs::write(&other, feed).and_then(|()| fs::rename(other, path)).expect("the feed can be written");
    }

    /// Kills the source.
    pub fn stop_source(&mut self) {
        self.source = None;
    }

    /// Kills the master, and starts it again at the same address.
    pub fn restart_master(&mut self) {
        let address = self.master.url.trim_start_matches("http://").to_owned();
        self.master.kill();
        self.master = start_master(&self.home, &address, self.source_url());
    }

    /// Returns the content of the only uploaded file.
    #[must_use]
    pub fn uploaded(&self) -> Vec<u8> {
        let folder = fs::read_dir(self.home.path().join("database.db.uploads")).expect("there are uploads");
        let files: Vec<_> = folder.map(|entry| entry.expect("a folder can be read").path()).collect();
        let [file] = &files[..] else { panic!("one file and not {files:?}") };
        fs::read(file).expect("an upload can be read")
    }

    /// Returns the URL of one of the master's pages.
    #[must_use]
    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.master.url)
    }

    /// Returns the URL of the source.
    ///
    /// # Panics
    /// It was stopped.
    #[must_use]
    pub fn source_url(&self) -> &str {
        &self.source.as_ref().expect("the source runs").url
    }

    /// Asks the API; `None` if the status is not 200.
    #[must_use]
    pub fn api(&self, path: &str) -> Option<Value> {
        let (status, body) = http::get(&self.page(path)).expect("the master answers");
        (status == 200).then(|| serde_json::from_slice(&body).expect("the API answers with JSON"))
    }

    /// Returns the name and the description of a product once the API and `readdb` agree; `None` if it is not shown.
    ///
    /// # Panics
    /// They keep disagreeing.
    #[must_use]
    pub fn product(&self, sku: &str) -> Option<(String, String)> {
        // A change may be applied between the two questions, so they are repeated.
        wait::until(&format!("the API and readdb agree on {sku:?}"), || {
            let answered = self.api(&format!("/api/v1/products/{}", in_path(sku))).as_ref().map(texts);
            (self.stored(sku) == answered).then_some(answered)
        })
    }

    fn stored(&self, sku: &str) -> Option<(String, String)> {
        let mut readdb = process::command("readdb", self.home.path());
        let output = readdb.args(["products", "--format", "json", "--sku", sku]).output().expect("readdb runs");
        assert!(output.status.success(), "{}", process::stderr(&output));
        let rows: Vec<Value> = serde_json::from_slice(&output.stdout).expect("readdb prints JSON");
        rows.first().map(texts)
    }

    /// Asks the master and returns the body as text.
    #[must_use]
    pub fn text(&self, path: &str) -> String {
        let (_, body) = http::get(&self.page(path)).expect("the master answers");
        String::from_utf8_lossy(&body).into_owned()
    }

    /// Whether a route of the master has answered a request, at least its head.
    #[must_use]
    pub fn was_asked(&self, route: &str) -> bool {
        self.text("/metrics").contains(&format!("tributary_http_requests_total{{route=\"{route}\""))
    }
}

fn start_master(home: &TempDir, address: &str, source: &str) -> Daemon {
    let mut master = process::command("master", home.path());
    master.args(["--listen", address, "--poll-interval", "50ms", "--source"]);
    master.arg(format!("north={source}")).env("RUST_LOG", "error");
    Daemon::start(master)
}

fn feed_path(home: &TempDir) -> std::path::PathBuf {
    home.path().join("north").join("feed.csv")
}

/// Returns the name and the description of a row.
fn texts(row: &Value) -> (String, String) {
    let text = |column: &str| row[column].as_str().expect("it is a text").to_owned();
    (text("name"), text("description"))
}

/// Percent-encodes a sku for a path.
fn in_path(sku: &str) -> String {
    sku.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
