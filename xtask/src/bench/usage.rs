//! The cost of a process that has ended, as Linux counts it for `wait4`.

use std::{
    io::{Read, Seek},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use wait4::Wait4;

pub(super) use crate::processes::{cpu as cpu_so_far, peak_memory as peak_so_far};

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
