//! Remembers the cluster that `up` started, so that `down` finds it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::members::{Cluster, Member};
use crate::services::pause;

/// The variables in which tests find the scheduler, and the processes of the executors.
const SCHEDULER: &str = "TRIBUTARY_E2E_BALLISTA";
const EXECUTORS: &str = "TRIBUTARY_E2E_EXECUTORS";

const FILE: &str = "cluster.json";
/// The longest stop before a member is killed.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A cluster that runs without this program.
pub(super) struct State {
    url: String,
    scheduler: Process,
    executors: Vec<Process>,
}

#[derive(Debug, PartialEq, Eq)]
struct Process {
    id: u32,
    program: PathBuf,
}

impl State {
    pub(super) fn of(cluster: &Cluster) -> Self {
        Self {
            url: cluster.url.clone(),
            scheduler: Process::of(&cluster.scheduler),
            executors: cluster.executors.iter().map(Process::of).collect(),
        }
    }

    /// The variables by which tests find it.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let ids: Vec<_> = self.executors.iter().map(|executor| executor.id.to_string()).collect();
        vec![(SCHEDULER, self.url.clone()), (EXECUTORS, ids.join(","))]
    }

    /// Whether all of it runs.
    pub(super) fn is_running(&self) -> bool {
        self.processes().all(Process::is_running)
    }

    /// Stops what is left of it. A process that has taken the number of a member is left alone.
    pub(super) fn stop(&self) -> Result<()> {
        for signal in [Signal::TERM, Signal::KILL] {
            let deadline = Instant::now() + TIMEOUT;
            self.processes().filter(|process| process.is_running()).for_each(|process| process.send(signal));
            while self.processes().any(Process::is_running) && Instant::now() < deadline {
                pause();
            }
        }
        ensure!(!self.processes().any(Process::is_running), "the cluster does not end");
        Ok(())
    }

    /// Reads what [`Self::write`] wrote into this folder.
    pub(super) fn read(place: &Path) -> Result<Option<Self>> {
        let file = place.join(FILE);
        let text = match fs::read(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.with_context(|| format!("failed to read {}", file.display()))?,
        };
        let parsed = serde_json::from_slice(&text).ok().as_ref().and_then(Self::parse);
        parsed.map(Some).with_context(|| format!("{} is no state of a cluster: delete it", file.display()))
    }

    pub(super) fn write(&self, place: &Path) -> Result<()> {
        let executors: Vec<_> = self.executors.iter().map(Process::value).collect();
        let state = json!({ "url": self.url, "scheduler": self.scheduler.value(), "executors": executors });
        let file = place.join(FILE);
        fs::write(&file, state.to_string()).with_context(|| format!("failed to write {}", file.display()))
    }

    /// Deletes everything that the cluster wrote.
    pub(super) fn forget(place: &Path) -> Result<()> {
        match fs::remove_dir_all(place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("failed to delete {}", place.display()))
            }
            _ => Ok(()),
        }
    }

    fn parse(state: &Value) -> Option<Self> {
        Some(Self {
            url: state["url"].as_str()?.to_owned(),
            scheduler: Process::parse(&state["scheduler"])?,
            executors: state["executors"].as_array()?.iter().map(Process::parse).collect::<Option<_>>()?,
        })
    }

    fn processes(&self) -> impl Iterator<Item = &Process> {
        [&self.scheduler].into_iter().chain(&self.executors)
    }
}

impl Process {
    fn of(member: &Member) -> Self {
        Self { id: member.id(), program: member.program.clone() }
    }

    fn value(&self) -> Value {
        json!({ "id": self.id, "program": self.program })
    }

    fn parse(process: &Value) -> Option<Self> {
        let id = u32::try_from(process["id"].as_u64()?).ok()?;
        Some(Self { id, program: process["program"].as_str()?.into() })
    }

    /// Whether it is there, and still this program.
    fn is_running(&self) -> bool {
        let program = fs::canonicalize(&self.program).ok();
        program.is_some() && fs::read_link(format!("/proc/{}/exe", self.id)).ok() == program
    }

    fn send(&self, signal: Signal) {
        let id = i32::try_from(self.id).ok().and_then(Pid::from_raw);
        if let Some(id) = id {
            // It fails if the process has ended meanwhile, which is fine.
            let _ = kill_process(id, signal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_found_again_and_only_its_own_processes_are_stopped() {
        let place = tempfile::tempdir().unwrap();
        assert!(State::read(place.path()).unwrap().is_none());
        let own = Process { id: std::process::id(), program: "/usr/bin/another-program".into() };
        let state = State {
            url: "http://127.0.0.1:1".to_owned(),
            scheduler: own,
            executors: vec![Process { id: 7, program: "/e".into() }, Process { id: 8, program: "/e".into() }],
        };
        state.write(place.path()).unwrap();
        let found = State::read(place.path()).unwrap().unwrap();
        assert_eq!((&found.scheduler, &found.executors), (&state.scheduler, &state.executors));
        assert_eq!(found.variables(), [(SCHEDULER, state.url), (EXECUTORS, "7,8".to_owned())]);
        assert!(!found.is_running());
        found.stop().unwrap();
        State::forget(place.path()).unwrap();
        State::forget(place.path()).unwrap();
        assert!(State::read(place.path()).unwrap().is_none());
    }
}
