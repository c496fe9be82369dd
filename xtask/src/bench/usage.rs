//! What a process cost, by the operating system's own account: `wait4` for one that has ended, `/proc` for one that runs.

use std::{
    fs,
    io::{Read, Seek},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use wait4::Wait4;

/// What something cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    /// From before the start to after the end.
    pub(super) wall: Duration,
    /// In user mode and in the kernel, on all cores.
    pub(super) cpu: Duration,
    /// The most memory that was resident at one time. Linux counts what the parent had resident before the program was
    /// exchanged for another, so nothing here may hold a feed in memory.
    pub(super) peak_bytes: u64,
}

/// Runs a program to its end. Returns what it cost and what it printed.
///
/// # Errors
/// It does not start, or fails; the error has what it complained about.
pub(super) fn run(mut command: Command, stdin: Stdio) -> Result<(Usage, String)> {
    let program = command.get_program().display().to_string();
    // A file needs nobody who reads it meanwhile, and no terminal means no progress bars.
    let mut complaints = tempfile::tempfile().context("failed to make a temporary file")?;
    command.stdin(stdin).stdout(Stdio::piped()).stderr(complaints.try_clone()?);
    let started = Instant::now();
    let mut child = command.spawn().with_context(|| format!("failed to start {program}"))?;
    let mut printed = String::new();
    child.stdout.take().context("stdout is piped")?.read_to_string(&mut printed)?;
    let ended = child.wait4().with_context(|| format!("failed to wait for {program}"))?;
    let wall = started.elapsed();
    if !ended.status.success() {
        let mut why = String::new();
        complaints.rewind()?;
        complaints.read_to_string(&mut why)?;
        anyhow::bail!("{program} failed ({}): {printed}{why}", ended.status);
    }
    let cpu = ended.rusage.utime + ended.rusage.stime;
    Ok((Usage { wall, cpu, peak_bytes: ended.rusage.maxrss }, printed))
}

/// The processor time that a running process has taken so far.
pub(super) fn cpu_so_far(process: u32) -> Result<Duration> {
    let stat = read(process, "stat")?;
    // The program's name, in brackets, may itself have brackets and blanks. Behind it are the state and numbers, of which
    // the 12th and 13th are the times, in ticks (proc_pid_stat(5)).
    let behind = stat.rsplit_once(')').map(|(_, behind)| behind).context("/proc/PID/stat has another form")?;
    let fields: Vec<&str> = behind.split_whitespace().collect();
    ensure!(fields.len() > 12, "/proc/PID/stat has another form");
    let ticks = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// The most memory that a running process had resident so far, in bytes.
pub(super) fn peak_so_far(process: u32) -> Result<u64> {
    let status = read(process, "status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("/proc/PID/status has no VmHWM")?;
    Ok(peak.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

fn read(process: u32, what: &str) -> Result<String> {
    fs::read_to_string(format!("/proc/{process}/{what}")).with_context(|| {
        format!("failed to read /proc/{process}/{what}: this needs Linux, and a process that runs still")
    })
}
