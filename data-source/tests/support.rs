//! Starts a `data-source` on its own folder and sends requests. Everything that waits has a time limit.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use reqwest::{StatusCode, header::HeaderMap};
use serde_json::Value;
use tributary_testkit::process;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running data-source and its folder; both end with it.
pub(crate) struct Source {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) child: Child,
    /// `ADDR:PORT`.
    pub(crate) address: String,
}

/// A response.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// `Err` if the connection was cut.
    pub(crate) body: Result<Vec<u8>, String>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone().expect("a whole body")).expect("text")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text()).expect("JSON")
    }

    /// A header's value; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Asserts that this is a problem of this status, and returns its detail.
    pub(crate) fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        problem["detail"].as_str().expect("a detail").to_owned()
    }
}

impl Source {
    /// Serves these files, given as path and content, and waits until it is ready.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self::with(files, &["--settle", "50ms"])
    }

    pub(crate) fn with(files: &[(&str, &str)], args: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (path, content) in files {
            write(dir.path(), path, content.as_bytes());
        }
        let mut child = spawn(&[&["--dir", dir.path().to_str().unwrap(), "--listen", "127.0.0.1:0"], args].concat());
        let line = first_line(&mut child);
        let address =
            line.strip_prefix("listening on http://").unwrap_or_else(|| panic!("printed `{line}`")).to_owned();
        Self { dir, child, address }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, content: &[u8]) {
        write(self.dir.path(), path, content);
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[])
    }

    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        ask(&format!("http://{}{path}", self.address), method, headers)
    }

    /// The answer to a body of JSON.
    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        let url = format!("http://{}{path}", self.address);
        send(&url, "POST", &[("content-type", "application/json")], body.to_owned())
    }

    /// The version that `/sense` gives.
    pub(crate) fn version(&self) -> String {
        self.get("/sense").json()["version"].as_str().expect("a version").to_owned()
    }

    /// The paths of the manifest.
    pub(crate) fn paths(&self) -> Vec<String> {
        let manifest = self.get("/sense/files").json();
        let files = manifest["files"].as_array().expect("files");
        files.iter().map(|file| file["path"].as_str().unwrap().to_owned()).collect()
    }

    /// Sends a raw request, for tests that read slowly or check the raw bytes.
    pub(crate) fn send(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    pub(crate) fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn write(dir: &Path, path: &str, content: &[u8]) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

pub(crate) fn spawn(args: &[&str]) -> Child {
    let mut command = process::command("data-source", Path::new("."));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// The first line that the program prints.
pub(crate) fn first_line(child: &mut Child) -> String {
    let stdout = child.stdout.take().unwrap();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let _ = sender.send(line);
    });
    receiver.recv_timeout(PATIENCE).expect("a line on stdout").trim_end().to_owned()
}

/// Reads what the program wrote to stderr until it ended.
pub(crate) fn stderr(child: &mut Child) -> String {
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    text
}

/// Sends a request to any server, and takes the body as it comes over the wire.
pub(crate) fn ask(url: &str, method: &str, headers: &[(&str, &str)]) -> Answer {
    send(url, method, headers, String::new())
}

pub(crate) fn send(url: &str, method: &str, headers: &[(&str, &str)], body: String) -> Answer {
    // Another test may have installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_gzip().no_zstd().timeout(PATIENCE).build().unwrap();
        let request = client.request(method.parse().unwrap(), url);
        let request = if body.is_empty() { request } else { request.body(body) };
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map(Vec::from).map_err(|error| error.to_string());
        Answer { status, headers, body }
    })
}

/// Waits until the condition holds.
pub(crate) fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until the program ends.
pub(crate) fn ended(child: &mut Child) -> ExitStatus {
    let mut status = None;
    wait_for("the end of the program", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    status.expect("just waited for")
}
