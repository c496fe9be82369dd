//! A table in BENCHMARKS.md, between two marks of its name, with what a reader must know of the machine.

use std::{env, fs, process::Command, thread};

use anyhow::{Context, Result, bail, ensure};

use super::table::Table;

const FILE: &str = "BENCHMARKS.md";

/// Whether the table can be written, which is told before it is measured.
pub(super) fn check(name: &str) -> Result<()> {
    parts(name).map(drop)
}

/// Puts the table in place of the one that is there. `versions` are those of the peers.
pub(super) fn write(name: &str, table: &Table, versions: &[String]) -> Result<()> {
    let (before, behind) = parts(name)?;
    let (machine, table) = (machine(versions)?, table.markdown());
    let section = format!("{before}<!-- {name} -->\n{machine}\n\n{table}\n<!-- /{name} -->{behind}");
    fs::write(FILE, section).with_context(|| format!("failed to write {FILE}"))
}

/// What stands before and behind the section.
fn parts(name: &str) -> Result<(String, String)> {
    let (begin, end) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let text =
        fs::read_to_string(FILE).with_context(|| format!("failed to read {FILE}: run this in the repository"))?;
    let parts = text.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    let Some((before, behind)) = parts else {
        bail!("{FILE} has no place for the table: put the lines `{begin}` and `{end}` where it belongs");
    };
    Ok((before.to_owned(), behind.to_owned()))
}

/// The command, the day, the commit, the machine and the versions.
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
    let told = fs::read_to_string("/proc/meminfo").context("failed to read /proc/meminfo")?;
    let total =
        told.lines().find_map(|line| line.strip_prefix("MemTotal:")).context("/proc/meminfo has no MemTotal")?;
    let kibibytes: f64 = total.trim().trim_end_matches(" kB").parse()?;
    Ok(format!("{:.1} GiB", kibibytes / f64::from(1 << 20)))
}

fn output(program: &str, arguments: &[&str]) -> Result<String> {
    let done = Command::new(program).args(arguments).output().with_context(|| format!("failed to run {program}"))?;
    ensure!(done.status.success(), "`{program} {}` failed", arguments.join(" "));
    Ok(String::from_utf8(done.stdout)?.trim().to_owned())
}
