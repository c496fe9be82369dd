//! The memory that an attack costs both servers: at most so much above what they take idle, most of which comes back.

use std::{
    fmt, thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use super::stage::Stage;
use crate::processes;

/// Memory that an attack may cost each server.
const MAX_ABOVE_IDLE: u64 = 200 << 20;
/// Time within which three quarters of it come back.
const GIVEN_BACK_WITHIN: Duration = Duration::from_secs(60);
/// Memory that may stay in any case: pages of the program that were not read before, and caches that are bounded.
const MAY_STAY: u64 = 16 << 20;

/// Memory before an attack.
pub(super) struct Idle([u64; 2]);

/// The greatest memory of the master and of the source above idle, in bytes.
pub(super) struct Memory {
    idle: [u64; 2],
    above: [u64; 2],
}

impl Memory {
    /// Notes the idle memory, and begins new peaks.
    pub(super) fn begin(stage: &Stage) -> Result<Idle> {
        let processes = stage.processes();
        for process in processes {
            processes::forget_peak(process)?;
        }
        Ok(Idle([processes::memory(processes[0])?, processes::memory(processes[1])?]))
    }

    /// Waits until most of it was given back.
    pub(super) fn given_back(self, stage: &Stage) -> Result<Self> {
        let deadline = Instant::now() + GIVEN_BACK_WITHIN;
        for (place, process) in stage.processes().into_iter().enumerate() {
            let (idle, above) = (self.idle[place], self.above[place]);
            ensure!(above <= MAX_ABOVE_IDLE, "{} took {} MiB above idle", stage.name(place), above >> 20);
            let most = idle + (above / 4).max(MAY_STAY);
            loop {
                let now = processes::memory(process)?;
                if now <= most {
                    break;
                }
                let kept = (now - idle) >> 20;
                let waited = Instant::now() < deadline;
                ensure!(waited, "{} keeps {kept} of {} MiB above idle", stage.name(place), above >> 20);
                thread::sleep(Duration::from_millis(200));
            }
        }
        Ok(self)
    }
}

impl Idle {
    pub(super) fn peak(self, stage: &Stage) -> Result<Memory> {
        let mut above = [0; 2];
        for (place, process) in stage.processes().into_iter().enumerate() {
            above[place] = processes::peak_memory(process)?.saturating_sub(self.0[place]);
        }
        Ok(Memory { idle: self.0, above })
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}, {}", self.above[0] >> 20, self.above[1] >> 20)
    }
}
