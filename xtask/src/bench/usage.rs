//! The cost of a process as Linux counts it: `wait4` for one that has ended, `/proc` for one that runs.

use std::{
    fs,
    io::{Read, Seek},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use wait4::Wait4;

/// The cost of a process, or of a part of its life.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    /// Time from before the start to after the end.
    pub(super) wall: Duration,
    /// Time in user mode and in the kernel, on all cores.
    pub(super) cpu: Duration,
    /// The most resident memory at one time. For a child Linux also counts the memory of its parent before `exec`, so this program must not
    /// hold a feed in memory.
    pub(super) peak_bytes: u64,
}

/// Runs a program to its end. Returns its cost and its output.
///
/// # Errors
/// It does not start, or fails; the error has its stderr.
pub(super) fn run(mut command: Command, stdin: Stdio) -> Result<(Usage, String)> {
    let program = command.get_program().display().to_string();
    // A file needs no thread that reads it, and without a terminal there are no progress bars.
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

/// The processor time of a running process so far.
pub(super) fn cpu_so_far(process: u32) -> Result<Duration> {
    let stat = read(process, "stat")?;
    // The program's name, in brackets, may contain brackets and blanks. After it come the state and numbers, of which the 12th and 13th are
    // the times, in ticks (proc_pid_stat(5)).
    let after = stat.rsplit_once(')').map(|(_, after)| after).context("/proc/PID/stat has another form")?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    ensure!(fields.len() > 12, "/proc/PID/stat has another form");
    let ticks = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// The peak resident memory of a running process so far, in bytes.
pub(super) fn peak_so_far(process: u32) -> Result<u64> {
    let status = read(process, "status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("/proc/PID/status has no VmHWM")?;
    Ok(peak.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

fn read(process: u32, what: &str) -> Result<String> {
    fs::read_to_string(format!("/proc/{process}/{what}"))
        .with_context(|| format!("failed to read /proc/{process}/{what}: this needs Linux, and a running process"))
}
