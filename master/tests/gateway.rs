//! The web gateway of streams of sales, as its clients use it. The page itself is in `e2e/tests/gateway.rs`.

mod access;
mod dialect;
mod faults;
mod keep;

use std::{fs, path::PathBuf};

use serde_json::Value;
use tributary_testkit::{
    http::{self, Response},
    process::{Daemon, logged_address},
    wait,
};

use crate::system::System;

const BOUNDARY: &str = "----WebKitFormBoundary7MA4";
const SALES: &str =
    "Department Name,Date,Number of Sales\r\nToys,2024-01-01,10\nVêtements,x,7\n\"Toys\",\"a\nb\",5\nToys,,1.5\n";
const TOTALS: &str = "Department Name,Total Number of Sales\r\nToys,15\r\nVêtements,7\r\n";

/// A master with this entrance.
pub(crate) struct Master {
    daemon: Daemon,
    pub(crate) url: String,
    results: PathBuf,
    log: PathBuf,
}

impl Master {
    pub(crate) fn start(system: &System, flags: &[&str]) -> Self {
        let log = system.folder("logs").join("gateway");
        let mut command = system.command("master", &["--listen", "127.0.0.1:0", "--sales-gateway", "127.0.0.1:0"]);
        command.args(flags).env("RUST_LOG", "info").stderr(fs::File::create(&log).unwrap());
        let daemon = Daemon::start(command);
        let url = wait::until("the address of the gateway", || {
            logged_address(&log, "gateway").map(|address| format!("http://{address}"))
        });
        Self { daemon, url, results: system.beside("results"), log }
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        http::request(method, &format!("{}{path}", self.url), headers, b"").unwrap()
    }

    /// Sends a form.
    fn send(&self, form: &[u8], headers: &[(&str, &str)]) -> Response {
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let headers = [headers, &[("Content-Type", kind.as_str())]].concat();
        http::request("POST", &format!("{}/upload", self.url), &headers, form).unwrap()
    }

    /// Sends a form that is taken, and returns the job's id.
    #[track_caller]
    fn upload(&self, form: &[u8]) -> String {
        let answer = self.send(form, &[]);
        assert_eq!(answer.status, 202, "{}", answer.text());
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        answer["job_id"].as_str().unwrap().to_owned()
    }

    /// Asks for a job until it has ended.
    fn ended(&self, job: &str) -> Value {
        wait::until("the job ends", || {
            let job: Value = serde_json::from_slice(&self.ask("GET", &format!("/status/{job}"), &[]).body).unwrap();
            (job["status"] != "processing").then_some(job)
        })
    }

    /// The names of all files of results.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.results).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// A part of a form.
fn part(disposition: &str, content: &str) -> String {
    format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
}

fn file(name: &str, content: &str) -> String {
    part(&format!("name=\"file\"; filename=\"{name}\""), content)
}

fn size(bytes: usize) -> String {
    part("name=\"file_size_bytes\"", &bytes.to_string())
}

/// A whole form of these parts.
fn form(parts: &[String]) -> Vec<u8> {
    format!("{}--{BOUNDARY}--\r\n", parts.concat()).into_bytes()
}

/// Returns the reason that a refused request is told.
#[track_caller]
fn refused(answer: &Response, status: u16) -> String {
    assert_eq!(answer.status, status, "{}", answer.text());
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    body["detail"].as_str().unwrap().to_owned()
}
