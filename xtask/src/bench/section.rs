//! The tables of a bench in BENCHMARKS.md, between two marks with a name, below a line about the machine.

use std::{env, fs, path::PathBuf, thread};

use anyhow::{Context, Result, bail};

use crate::workspace::{output, root};

const FILE: &str = "BENCHMARKS.md";

/// Fails if the table could not be written.
pub(super) fn check(name: &str) -> Result<()> {
    parts(name).map(drop)
}

/// Replaces the tables that are there. `versions` are those of the peers.
pub(super) fn write(name: &str, tables: &str, versions: &[String]) -> Result<()> {
    let (before, after) = parts(name)?;
    let machine = machine(versions)?;
    let section = format!("{before}<!-- {name} -->\n{machine}\n\n{tables}\n<!-- /{name} -->{after}");
    fs::write(path(), section).with_context(|| format!("failed to write {FILE}"))
}

/// The text before and after the section.
fn parts(name: &str) -> Result<(String, String)> {
    let (begin, end) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let text = fs::read_to_string(path()).with_context(|| format!("failed to read {FILE}"))?;
    let parts = text.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    let Some((before, after)) = parts else {
        bail!("{FILE} has no place for the table: put the lines `{begin}` and `{end}` where it belongs");
    };
    Ok((before.to_owned(), after.to_owned()))
}

/// Describes the command, the day, the commit, the machine and the versions.
fn machine(versions: &[String]) -> Result<String> {
    let is_dirty = !output("git", &["status", "--porcelain"])?.is_empty();
    let commit =
        format!("{}{}", output("git", &["rev-parse", "--short", "HEAD"])?, if is_dirty { " and changes" } else { "" });
    let cores = thread::available_parallelism().context("failed to count the cores")?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").context("failed to read the kernel's version")?;
    let arguments: Vec<String> = env::args().skip(1).collect();
    Ok(format!(
        "`cargo run --release -p xtask -- {}`, {}, commit {commit}: {cores} cores, {} of memory, Linux {}, {}, {}.",
        arguments.join(" "),
        output("date", &["-u", "+%F"])?,
        memory()?,
        kernel.trim(),
        output("rustc", &["--version"])?,
        versions.join(", ")
    ))
}

fn memory() -> Result<String> {
    let text = fs::read_to_string("/proc/meminfo").context("failed to read /proc/meminfo")?;
    let total =
        text.lines().find_map(|line| line.strip_prefix("MemTotal:")).context("/proc/meminfo has no MemTotal")?;
    let kibibytes: f64 = total.trim().trim_end_matches(" kB").parse()?;
    Ok(format!("{:.1} GiB", kibibytes / f64::from(1 << 20)))
}

fn path() -> PathBuf {
    root().join(FILE)
}
