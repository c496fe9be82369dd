//! A master without a source, to which things are sent.

use std::{collections::BTreeMap, fs, process::Command};

use serde_json::Value;
use tempfile::TempDir;
use tributary_testkit::{
    http,
    process::{self, Daemon},
};

/// Name and description by sku.
pub type Products = BTreeMap<String, (String, String)>;

/// A running master in a folder of its own, killed when this is dropped.
pub struct Master {
    // Before `home`, so that the program is stopped before its folder is deleted.
    daemon: Daemon,
    home: TempDir,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
}

impl Master {
    /// Starts a master with this `tributary.toml` and these arguments.
    ///
    /// # Panics
    /// It does not start, here and below.
    #[must_use]
    pub fn start(configuration: &str, arguments: &[&str]) -> Self {
        Self::start_with(configuration, arguments, &[])
    }

    /// The same with environment variables.
    #[must_use]
    pub fn start_with(configuration: &str, arguments: &[&str], variables: &[(&str, String)]) -> Self {
        let home = tempfile::tempdir().expect("there is room for a folder");
        fs::write(home.path().join("tributary.toml"), configuration).expect("the configuration can be written");
        let arguments: Vec<_> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let variables: Vec<_> = variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let daemon = start(&home, "127.0.0.1:0", (&arguments, &variables));
        Self { daemon, home, arguments, variables }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.daemon.url
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.daemon.kill();
    }

    /// Starts it again at the same address, after it was killed.
    pub fn revive(&mut self) {
        let address = self.daemon.url.trim_start_matches("http://").to_owned();
        self.daemon = start(&self.home, &address, (&self.arguments, &self.variables));
    }

    /// Kills it, and starts it again with another `tributary.toml`.
    pub fn restart(&mut self, configuration: &str) {
        self.kill();
        fs::write(self.home.path().join("tributary.toml"), configuration).expect("the configuration can be written");
        self.revive();
    }

    /// Sends it a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.daemon.id().to_string()]).status();
        assert!(sent.expect("there is a program `kill`").success());
    }

    /// The body of `/readyz`, which is 200.
    #[must_use]
    pub fn ready(&self) -> String {
        let (status, body) = http::get(&format!("{}/readyz", self.daemon.url)).expect("the master answers");
        let body = String::from_utf8(body).expect("it is text");
        assert_eq!(status, 200, "{body}");
        body
    }

    /// Asks the API; `None` if the status is not 200 or nothing answers.
    #[must_use]
    pub fn api(&self, path: &str) -> Option<Value> {
        let (status, body) = http::get(&format!("{}{path}", self.daemon.url)).ok()?;
        (status == 200).then(|| serde_json::from_slice(&body).ok()).flatten()
    }

    /// The number of the newest event.
    #[must_use]
    pub fn last_event(&self) -> Option<i64> {
        let mut lines = http::lines(&format!("{}/api/v1/events", self.daemon.url), &[]).ok()?;
        lines.find_map(|line| line.strip_prefix("id: ")?.trim().parse().ok())
    }

    /// The products, as `readdb` prints them.
    #[must_use]
    pub fn products(&self) -> Products {
        let rows = self.readdb(&["products"]);
        let text = |row: &Value, column: &str| row[column].as_str().unwrap_or_default().to_owned();
        rows.iter().map(|row| (text(row, "sku"), (text(row, "name"), text(row, "description")))).collect()
    }

    /// The rows that `readdb` prints.
    #[must_use]
    pub fn readdb(&self, arguments: &[&str]) -> Vec<Value> {
        let mut readdb = process::command("readdb", self.home.path());
        let output = readdb.args(arguments).args(["--format", "json"]).output().expect("readdb runs");
        assert!(output.status.success(), "{}", process::stderr(&output));
        serde_json::from_slice(&output.stdout).expect("readdb prints JSON")
    }
}

fn start(home: &TempDir, address: &str, (arguments, variables): (&[String], &[(String, String)])) -> Daemon {
    let mut master = process::command("master", home.path());
    master.args(["--listen", address]).args(arguments).env("RUST_LOG", "error");
    master.envs(variables.iter().map(|(name, value)| (name, value)));
    Daemon::start(master)
}
