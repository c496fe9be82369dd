//! The table in BENCHMARKS.md, with what a reader must know of the machine.

use std::{env, fs, process::Command, thread};

use anyhow::{Context, Result, bail, ensure};

use super::{peers::Peers, table::Table};

const FILE: &str = "BENCHMARKS.md";
const BEGIN: &str = "<!-- catalog -->";
const END: &str = "<!-- /catalog -->";

/// Whether the table can be written, which is told before it is measured.
pub(super) fn check() -> Result<()> {
    parts().map(drop)
}

/// Puts the table in place of the one that is there.
pub(super) fn write(table: &Table, peers: &Peers) -> Result<()> {
    let (before, behind) = parts()?;
    let section = format!("{before}{BEGIN}\n{}\n\n{}\n{END}{behind}", machine(peers)?, table.markdown());
    fs::write(FILE, section).with_context(|| format!("failed to write {FILE}"))
}

/// What stands before and behind the section.
fn parts() -> Result<(String, String)> {
    let text =
        fs::read_to_string(FILE).with_context(|| format!("failed to read {FILE}: run this in the repository"))?;
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let Some((before, behind)) = parts else {
        bail!("{FILE} has no place for the table: put the lines `{BEGIN}` and `{END}` where it belongs");
    };
    Ok((before.to_owned(), behind.to_owned()))
}

/// The command, the day, the commit, the machine and the versions.
fn machine(peers: &Peers) -> Result<String> {
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
        peers.versions.join(", ")
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
