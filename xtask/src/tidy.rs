//! `cargo xtask tidy`: every Rust file says at its head what it is, and none is longer than a person reads at once.

use std::{fs, process::Command};

use anyhow::{Context, Result, ensure};

const LINES: usize = 400;

pub(crate) fn run() -> Result<()> {
    let listed = Command::new("git").args(["ls-files", "--cached", "--others", "--exclude-standard", "*.rs"]).output();
    let listed = String::from_utf8(listed.context("failed to run git")?.stdout)?;
    let mut faults = Vec::new();
    for path in listed.lines() {
        // A file that was just deleted is still listed until it is committed.
        let Ok(text) = fs::read_to_string(path) else { continue };
        if !text.starts_with("//!") {
            faults.push(format!("{path}: begin it with `//!`: what it is and what it is not"));
        }
        let lines = text.lines().count();
        if lines > LINES {
            faults.push(format!("{path}: {lines} lines; split it below {LINES}"));
        }
    }
    ensure!(!listed.is_empty(), "git lists no Rust files: run this inside the repository");
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    println!("tidy: {} files", listed.lines().count());
    Ok(())
}
