//! The programs that are attacked: a master, and a good source that it follows beside hostile ones.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tributary_testkit::{
    disk::SmallDisk,
    http::{self, Response},
    process::{self, Daemon},
    wait,
};

use super::hostile::Hostile;

/// Rows of the good source; some ten megabytes, so that no answer fits into the buffers of the system.
const ROWS: u64 = 60_000;
/// Longest wait for anything.
const MAX_WAIT: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(20);

/// The programs to start.
#[derive(Default)]
pub(super) struct Plan {
    settings: String,
    sections: String,
    hostile: BTreeMap<String, Hostile>,
    is_disk_small: bool,
    source_arg: Option<&'static str>,
}

/// A master and a good source, and nothing else.
pub(super) fn plain() -> Result<Plan> {
    Ok(Plan::new())
}

/// The section of a report over the files of hostile sources, which are no product feeds: a source that does not serve them fails by
/// nothing but its partials.
pub(super) const REPORT: &str = "[[report]]\nname = \"totals\"\nfiles = [\"1.csv\", \"a.csv\"]\ngroup_by = \"name\"\nmetrics = { rows = \"count()\" }";

impl Plan {
    /// A master and a good source, both with the patience of a second, so that an attack does not take minutes.
    pub(super) fn new() -> Self {
        Self { settings: "patience = \"1s\"\n".to_owned(), ..Self::default() }
    }

    /// Adds a line at the top of the configuration.
    pub(super) fn setting(mut self, line: &str) -> Self {
        self.settings += &format!("{line}\n");
        self
    }

    /// Adds lines at its end.
    pub(super) fn section(mut self, lines: &str) -> Self {
        self.sections += &format!("{lines}\n");
        self
    }

    /// Adds a hostile source that has these lines in its section.
    pub(super) fn hostile<F>(mut self, name: &str, lines: &str, answer: F) -> Result<Self>
    where
        F: Fn(&str, &mut TcpStream) -> io::Result<()> + Send + Sync + 'static,
    {
        let hostile = Hostile::start(Arc::new(answer))?;
        self.sections += &format!("[[source]]\nname = \"{name}\"\nurl = \"{}\"\n{lines}\n", hostile.url);
        self.hostile.insert(name.to_owned(), hostile);
        Ok(self)
    }

    /// Adds a server that is no source.
    pub(super) fn beside(mut self, name: &str, server: Hostile) -> Self {
        self.hostile.insert(name.to_owned(), server);
        self
    }

    /// Starts the good source with this argument.
    pub(super) fn source_arg(mut self, arg: &'static str) -> Self {
        self.source_arg = Some(arg);
        self
    }

    /// Mounts a file system of 256 MiB in the folder `disk`, which only root can.
    pub(super) fn small_disk(mut self) -> Self {
        self.is_disk_small = true;
        self
    }

    /// Starts both programs, and waits until the rows of the good source are applied.
    pub(super) fn start(self) -> Result<Stage> {
        let home = tempfile::tempdir().context("failed to make a temporary folder")?;
        let folder = home.path().join("north");
        fs::create_dir(&folder)?;
        fs::write(folder.join("feed.csv"), feed())?;
        let disk = self.is_disk_small.then(|| small_disk(&home.path().join("disk"))).transpose()?;
        let mut source = process::command("data-source", home.path());
        source.args(["--listen", "127.0.0.1:0", "--settle", "20ms", "--rescan", "200ms", "--patience", "1s"]);
        source
            .args(["--dir", "north"])
            .args(self.source_arg)
            .env("RUST_LOG", "warn")
            .stderr(log(home.path(), "source")?);
        let source = Daemon::start(source);
        let good = format!("[[source]]\nname = \"north\"\nurl = \"{}\"\n", source.url);
        fs::write(home.path().join("tributary.toml"), self.settings + &good + &self.sections)?;
        let mut master = process::command("master", home.path());
        master.args(["--listen", "127.0.0.1:0"]).env("RUST_LOG", "warn,tributary_master::grpc=info");
        let master = Daemon::start({
            master.stderr(log(home.path(), "master")?);
            master
        });
        let mut stage = Stage { master, source, hostile: self.hostile, rows: Vec::new(), _disk: disk, home };
        stage
            .until("the good source is applied", || (stage.state_of("north").ok()?["offers"] == ROWS).then_some(()))?;
        stage.rows = stage.good_rows()?;
        Ok(stage)
    }
}

/// Rows that pack badly.
fn feed() -> String {
    let mut text = "sku,name,description\n".to_owned();
    let mut number = 1_u64;
    for row in 0..ROWS {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let words = format!("{number:x}{:x}{:x}", number.rotate_left(13), number.rotate_left(29));
        let _ = writeln!(text, "sku{row:06},Name {},{words}{words}", number % 5_000);
    }
    text
}

fn log(home: &Path, name: &str) -> Result<fs::File> {
    fs::File::create(home.join(format!("{name}.log"))).context("failed to make a log")
}

/// The programs that were started.
pub(super) struct Stage {
    master: Daemon,
    source: Daemon,
    hostile: BTreeMap<String, Hostile>,
    /// The products of the good source, as CSV.
    rows: Vec<u8>,
    /// Unmounted before its folder goes.
    _disk: Option<SmallDisk>,
    home: tempfile::TempDir,
}

fn small_disk(folder: &Path) -> Result<SmallDisk> {
    fs::create_dir(folder)?;
    SmallDisk::mount(folder, 256).context("a small disk can only be mounted by root")
}

impl Stage {
    /// Lets the hostile sources answer.
    pub(super) fn begin(&self) {
        self.hostile.values().for_each(Hostile::begin);
    }

    /// Ends that.
    pub(super) fn end(&self) {
        self.hostile.values().for_each(Hostile::end);
    }

    pub(super) fn hostile(&self, name: &str) -> &Hostile {
        &self.hostile[name]
    }

    /// Master and source.
    pub(super) fn processes(&self) -> [u32; 2] {
        [self.master.id(), self.source.id()]
    }

    pub(super) fn name(&self, place: usize) -> &'static str {
        ["the master", "the source"][place]
    }

    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The folder of the good source.
    pub(super) fn folder(&self) -> PathBuf {
        self.home.path().join("north")
    }

    /// The URL of a path of the master.
    pub(super) fn master(&self, path: &str) -> String {
        format!("{}{path}", self.master.url)
    }

    /// The URL of a path of the good source.
    pub(super) fn source(&self, path: &str) -> String {
        format!("{}{path}", self.source.url)
    }

    /// Asks the master for JSON.
    pub(super) fn json(&self, path: &str) -> Result<Value> {
        let answer = self.ask("GET", path, &[], b"")?;
        ensure!(answer.status == 200, "{path} was answered with {}: {}", answer.status, answer.text());
        serde_json::from_slice(&answer.body).with_context(|| format!("{path} is no JSON"))
    }

    pub(super) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Response> {
        http::request(method, &self.master(path), headers, body)
            .with_context(|| format!("{method} {path} got no answer"))
    }

    /// Returns what the API says of a source.
    pub(super) fn state_of(&self, name: &str) -> Result<Value> {
        let sources = self.json("/api/v1/sources")?;
        let items = sources["items"].as_array().context("there is no list of sources")?;
        items
            .iter()
            .find(|source| source["name"] == name)
            .cloned()
            .with_context(|| format!("there is no source `{name}`"))
    }

    /// Waits for an error of a source that contains `words`, and is not the one of before the attack.
    pub(super) fn says(&self, name: &str, words: &str) -> Result<String> {
        let mut last = String::new();
        let found = self.until(&format!("the source `{name}` says `{words}`"), || {
            last = self.state_of(name).ok()?["error"].as_str()?.to_owned();
            (last.contains(words) && !last.contains("503")).then_some(())
        });
        found.with_context(|| format!("it says `{last}`")).map(|()| last)
    }

    /// Waits until the report says that the partial of the source `bad` is refused, in these words.
    pub(super) fn report_fails(&self, words: &str) -> Result<String> {
        let mut last = String::new();
        let found = self.until(&format!("the report says `{words}`"), || {
            let report = self.json("/api/v1/reports").ok()?["items"][0].clone();
            last = report["error"].as_str()?.to_owned();
            last.contains(words).then(|| last.chars().take(160).collect())
        });
        found.with_context(|| format!("it says `{last}`"))
    }

    /// Whether a product is shown.
    pub(super) fn shows(&self, sku: &str) -> Option<bool> {
        Some(self.ask("GET", &format!("/api/v1/products/{sku}"), &[], b"").ok()?.status == 200)
    }

    /// Calls `ask` until it returns something.
    pub(super) fn until<T>(&self, what: &str, ask: impl FnMut() -> Option<T>) -> Result<T> {
        let got = wait::within(MAX_WAIT, PAUSE, ask);
        got.with_context(|| format!("waited {} s in vain until {what}", MAX_WAIT.as_secs()))
    }

    fn good_rows(&self) -> Result<Vec<u8>> {
        let answer = self.ask("GET", "/api/v1/products?source=north&format=csv&raw=1", &[], b"")?;
        ensure!(answer.status == 200, "the list of products was answered with {}", answer.status);
        Ok(answer.body)
    }

    /// Both servers must still answer, and every row of the good source must be as it was.
    pub(super) fn check_rows(&self) -> Result<()> {
        ensure!(self.good_rows()? == self.rows, "rows of the good source have changed");
        let file = http::get(&self.source("/read/feed.csv"))?;
        ensure!(file.0 == 200 && file.1 == feed().as_bytes(), "the good source does not serve its file any more");
        Ok(())
    }

    /// Opens a connection to a URL's server and sends bytes.
    pub(super) fn send(url: &str, bytes: &[u8]) -> Result<TcpStream> {
        let host = url.trim_start_matches("http://").split('/').next().unwrap_or_default();
        let mut stream = TcpStream::connect(host).with_context(|| format!("failed to connect to {host}"))?;
        stream.set_read_timeout(Some(MAX_WAIT))?;
        // Who is attacked may have hung up.
        let _ = stream.write_all(bytes);
        Ok(stream)
    }

    /// The end of both logs, for the line of an attack that was not held off.
    pub(super) fn last_log_lines(&self) -> String {
        let end = |name: &str| {
            let text = fs::read_to_string(self.home().join(format!("{name}.log"))).unwrap_or_default();
            let mut lines: Vec<_> = text.lines().rev().take(3).collect();
            lines.reverse();
            lines.iter().map(|line| line.chars().take(300).collect::<String>()).collect::<Vec<_>>().join(" / ")
        };
        format!("; the logs end with: {} // {}", end("master"), end("source"))
    }
}
