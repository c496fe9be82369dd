//! Uploads as browsers and programs send them: taken, refused, taken back, and what a pulled plug leaves of them.

mod claimed;
mod endings;
mod refused;
mod restart;
mod resumed;
mod taken;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
};

use serde_json::Value;
use tributary_testkit::{
    http::{self, Response},
    wait,
};

use crate::system::System;

const FEED: &str = "sku,name\na,A\nb,B\n";

/// A master without another source, with these settings for uploads.
fn master(settings: &str) -> System {
    let mut system = System::new();
    if !settings.is_empty() {
        system.configure(&format!("[uploads]\n{settings}\n"));
    }
    system.start_master(&[]);
    system
}

/// Sends a body as `curl --data-binary` does; `query` follows the file's name.
#[track_caller]
fn send(system: &System, filename: &str, query: &str, body: &str) -> Response {
    system.ask("POST", &format!("/api/v1/uploads?filename={filename}{query}"), body)
}

/// The id of an upload that was taken.
#[track_caller]
fn id_of(response: &Response) -> String {
    assert_eq!(response.status, 202, "{}", response.text());
    let id = serde_json::from_slice::<Value>(&response.body).unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(response.header("location"), Some(format!("/api/v1/uploads/{id}").as_str()));
    id
}

/// Sends a file and waits for its end.
#[track_caller]
fn upload(system: &System, filename: &str, query: &str, body: &str) -> Value {
    ended(system, &id_of(&send(system, filename, query, body)))
}

#[track_caller]
fn get(system: &System, id: &str) -> Value {
    system.json(&format!("/api/v1/uploads/{id}"))
}

/// Waits until an upload is complete or has failed.
#[track_caller]
fn ended(system: &System, id: &str) -> Value {
    wait::until("the upload has ended", || {
        let upload = get(system, id);
        matches!(upload["state"].as_str().unwrap(), "complete" | "failed").then_some(upload)
    })
}

#[track_caller]
fn delete(system: &System, id: &str) {
    let response = system.ask("DELETE", &format!("/api/v1/uploads/{id}"), "");
    assert_eq!(response.status, 204, "{}", response.text());
}

/// The folder of uploaded files.
fn folder(system: &System) -> PathBuf {
    system.beside("uploads")
}

/// The paths of all files in the folder, and the names of hidden ones; none without a folder.
fn files(system: &System) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder(system)) else { return Vec::new() };
    let path = |name: String| match name.rsplit_once('.') {
        Some((path, id)) if id.len() == 32 => path.replace("%2F", "/"),
        _ => name,
    };
    let mut paths: Vec<_> = entries.map(|entry| path(entry.unwrap().file_name().into_string().unwrap())).collect();
    paths.sort();
    paths
}

/// Waits until the folder has these files: one that is no longer needed is deleted shortly after its upload has ended.
#[track_caller]
fn wait_for_files(system: &System, expect: &[&str]) {
    wait::until(&format!("the files are {expect:?}"), || (files(system) == expect).then_some(()));
}

/// The content of the file that a path stands for.
fn content(system: &System, path: &str) -> String {
    let id = system.json(&format!("/api/v1/documents/{path}"))["id"].as_str().unwrap().to_owned();
    fs::read_to_string(folder(system).join(format!("{path}.{id}"))).unwrap()
}

/// The sources by name and state.
fn sources(system: &System) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let sources = system.json("/api/v1/sources");
    sources["items"].as_array().unwrap().iter().map(|row| (text(&row["name"]), text(&row["state"]))).collect()
}

fn skus(system: &System) -> Vec<String> {
    let products = system.json("/api/v1/products?limit=10000");
    products["items"].as_array().unwrap().iter().map(|item| item["sku"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn wait_for_skus(system: &System, expect: &[&str]) {
    wait::until(&format!("the products are {expect:?}"), || (skus(system) == expect).then_some(()));
}

/// `rows` products, a few bytes each.
fn feed(rows: usize) -> String {
    (0..rows).fold("sku,name\n".to_owned(), |feed, row| feed + &format!("s{row:07},Name {}\n", row % 100))
}

fn id(letter: char) -> String {
    letter.to_string().repeat(32)
}

/// An upload whose body is sent piece by piece.
struct Slow(TcpStream);

impl Slow {
    /// Announces `length` bytes and sends `begin`; returns once the master knows of it.
    fn start(system: &System, id: &str, query: &str, length: usize, begin: &str) -> Self {
        let path = format!("/api/v1/uploads?id={id}{query}");
        let mut stream = TcpStream::connect(system.master_url("").trim_start_matches("http://")).unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{begin}");
        stream.write_all(head.as_bytes()).unwrap();
        wait::until("the body is received", || {
            let upload = system.ask("GET", &format!("/api/v1/uploads/{id}"), "");
            let upload: Value = (upload.status == 200).then(|| serde_json::from_slice(&upload.body).unwrap())?;
            (upload["state"] == "receiving" && upload["bytes"] == begin.len()).then_some(())
        });
        Self(stream)
    }

    fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).unwrap();
    }

    /// The status of the answer, and its body.
    fn answer(self) -> (u16, String) {
        let mut lines = BufReader::new(self.0);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(lines.read_line(&mut head).unwrap() > 0, "{head}");
        }
        let length = head.split_once("content-length: ").unwrap().1.split_once('\r').unwrap().0.parse().unwrap();
        let mut body = vec![0; length];
        lines.read_exact(&mut body).unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), String::from_utf8(body).unwrap())
    }
}

/// A form with these parts: head and body of each.
fn form(system: &System, path: &str, parts: &[(&str, &str)]) -> Response {
    let part = |(disposition, body): &(&str, &str)| {
        format!("--XX\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{body}\r\n")
    };
    let body: String = parts.iter().map(part).chain(["--XX--\r\n".to_owned()]).collect();
    let kind = ("Content-Type", "multipart/form-data; boundary=XX");
    http::request("POST", &system.master_url(path), &[kind], body.as_bytes()).unwrap()
}
