//! The cost of a running process, as Linux counts it in `/proc`.

use std::{fs, time::Duration};

use anyhow::{Context, Result, ensure};

/// Returns the processor time so far.
pub(crate) fn cpu(process: u32) -> Result<Duration> {
    let stat = read(process, "stat")?;
    // The program's name, in brackets, may contain brackets and blanks. After it come the state and numbers, of which the 12th and 13th are
    // the times, in ticks (proc_pid_stat(5)).
    let after = stat.rsplit_once(')').map(|(_, after)| after).context("/proc/PID/stat has another form")?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    ensure!(fields.len() > 12, "/proc/PID/stat has another form");
    let ticks = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// Returns the resident memory, in bytes.
pub(crate) fn memory(process: u32) -> Result<u64> {
    status(process, "VmRSS:")
}

/// Returns the most resident memory since the start, or since [`forget_peak`], in bytes.
pub(crate) fn peak_memory(process: u32) -> Result<u64> {
    status(process, "VmHWM:")
}

/// Begins a new peak (proc_pid_clear_refs(5)).
pub(crate) fn forget_peak(process: u32) -> Result<()> {
    fs::write(format!("/proc/{process}/clear_refs"), "5")
        .with_context(|| format!("failed to reset the peak memory of process {process}"))
}

/// Returns the number of open files.
pub(crate) fn open_files(process: u32) -> Result<u64> {
    Ok(fs::read_dir(format!("/proc/{process}/fd")).context("a program has ended by itself")?.count() as u64)
}

fn status(process: u32, line: &str) -> Result<u64> {
    let status = read(process, "status")?;
    let value = status.lines().find_map(|found| found.strip_prefix(line));
    let value = value.with_context(|| format!("/proc/{process}/status has no {line} the program has ended"))?;
    Ok(value.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
}

fn read(process: u32, what: &str) -> Result<String> {
    fs::read_to_string(format!("/proc/{process}/{what}"))
        .with_context(|| format!("failed to read /proc/{process}/{what}: this needs Linux, and a running process"))
}
