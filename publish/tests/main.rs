//! The built `publish` against a scripted master: requests, retries, output and exit codes. Of a broker only its absence is tested here; the
//! rest is in `e2e/`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

mod fake;
mod queue;
mod refused;
mod resumed;
mod sent;
mod stopped;
mod troubled;

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Output, Stdio},
};

use tempfile::TempDir;
use tributary_testkit::{process, wait::until};

/// Creates a folder with a file of some kilobytes per name.
fn folder(names: &[&str]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for name in names {
        fs::write(folder.path().join(name), content(name)).unwrap();
    }
    folder
}

/// The content of the file of this name.
fn content(name: &str) -> String {
    format!("sku,name\n{}", format!("1,{name}\n").repeat(1_000))
}

fn command(folder: &TempDir, to: &str, words: &[&str]) -> Command {
    let mut command = process::command("publish", folder.path());
    command.args(words).args(["--to", to]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it until it exits.
fn publish(folder: &TempDir, to: &str, words: &[&str]) -> Said {
    Said::of(&command(folder, to, words).output().unwrap())
}

fn start(folder: &TempDir, to: &str, words: &[&str]) -> Child {
    command(folder, to, words).spawn().unwrap()
}

/// Waits until it logs a line that contains `text`.
fn until_it_says(child: &mut Child, text: &str) {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    until(text, || lines.next().unwrap().unwrap().contains(text).then_some(()));
}

/// Its output and exit code.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    /// Lines on stdout, all but the last one sorted, with times replaced by `T`.
    lines: Vec<String>,
    stderr: String,
}

impl Said {
    fn of(output: &Output) -> Self {
        let mut lines: Vec<_> = process::stdout(output).lines().map(timeless).collect();
        if let Some((_, files)) = lines.split_last_mut() {
            files.sort();
        }
        Self { code: output.status.code(), lines, stderr: process::stderr(output) }
    }
}

/// Replaces the time at the end of a line by `T s`.
fn timeless(line: &str) -> String {
    match line.rsplit_once(", ") {
        Some((begin, time)) if time.ends_with(" s") => format!("{begin}, T s"),
        _ => line.to_owned(),
    }
}
