//! Starts a scheduler and executors on the loopback, and waits until they take queries.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use tributary_testkit::{bucket, http};

use super::install::Programs;
use crate::services::{Group, Interrupted, free_port, pause};

/// The longest start of all.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Memory of each executor for groups and sorting. By default each would take most of the machine's.
const MEMORY: &str = "1GiB";
/// Seconds between two signs of life of an executor, and after how many without one it counts as lost. The usual ones are 60 and 180.
const HEARTBEAT: &str = "2";
const SILENCE: &str = "8";
/// Seconds between two looks for lost executors.
const LOOK_INTERVAL: &str = "2";
/// Seconds after which the results of a query are deleted.
const KEEP_RESULTS: &str = "60";

/// The number of executors, and the partitions that each computes at a time.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) executors: u16,
    pub(super) cores: u16,
}

/// A running cluster. It is stopped when this is dropped.
pub(super) struct Cluster {
    /// The scheduler's URL.
    pub(super) url: String,
    pub(super) executors: Vec<Member>,
    pub(super) scheduler: Member,
}

/// A running program.
pub(super) struct Member {
    pub(super) program: PathBuf,
    group: Group,
    /// Its output, for the error message if it ends by itself.
    log: PathBuf,
}

impl Cluster {
    /// Starts a cluster whose members write into `place`.
    pub(super) fn start(programs: &Programs, size: Size, place: &Path, interrupted: &Interrupted) -> Result<Self> {
        fs::create_dir_all(place).with_context(|| format!("failed to make {}", place.display()))?;
        let deadline = Instant::now() + TIMEOUT;
        let port = free_port()?;
        let scheduler = Member::start(&programs.scheduler, scheduler(port, size), &place.join("scheduler.log"))?;
        let url = format!("http://127.0.0.1:{port}");
        let mut cluster = Self { url, executors: Vec::new(), scheduler };
        cluster.wait_for("healthz", deadline, interrupted)?;
        for number in 1..=size.executors {
            let folder = place.join(format!("executor-{number}"));
            fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
            let arguments = executor(port, size, &folder)?;
            let log = place.join(format!("executor-{number}.log"));
            cluster.executors.push(Member::start(&programs.executor, arguments, &log)?);
        }
        cluster.wait_for("readyz", deadline, interrupted)?;
        Ok(cluster)
    }

    /// Leaves the cluster running.
    pub(super) fn leave(self) {
        [self.scheduler].into_iter().chain(self.executors).for_each(|member| std::mem::forget(member.group));
    }

    fn wait_for(&mut self, probe: &str, deadline: Instant, interrupted: &Interrupted) -> Result<()> {
        let url = format!("{}/{probe}", self.url);
        while !http::get(&url).is_ok_and(|(status, _)| status == 200) {
            self.scheduler.must_run()?;
            self.executors.iter_mut().try_for_each(Member::must_run)?;
            ensure!(interrupted.signal().is_none(), "interrupted before the cluster was ready");
            ensure!(
                Instant::now() < deadline,
                "{url} is not 200 within {TIMEOUT:?}; see {}",
                self.scheduler.log.display()
            );
            pause();
        }
        Ok(())
    }
}

fn scheduler(port: u16, size: Size) -> Vec<String> {
    let (port, executors) = (port.to_string(), size.executors.to_string());
    [
        ["--bind-host", "127.0.0.1"],
        ["--external-host", "127.0.0.1"],
        ["--bind-port", &port],
        ["--executor-timeout-seconds", SILENCE],
        ["--expire-dead-executor-interval-seconds", LOOK_INTERVAL],
        ["--no-executors-grace-period-seconds", SILENCE],
        ["--finished-job-data-clean-up-interval-seconds", KEEP_RESULTS],
        ["--min-ready-executors", &executors],
    ]
    .concat()
    .into_iter()
    .chain(["--flight-sql"])
    .map(str::to_owned)
    .collect()
}

fn executor(scheduler: u16, size: Size, folder: &Path) -> Result<Vec<String>> {
    let ports = [free_port()?, free_port()?, free_port()?].map(|port| port.to_string());
    let (scheduler, cores, folder) = (scheduler.to_string(), size.cores.to_string(), folder.display().to_string());
    let flags = [
        ["--scheduler-host", "127.0.0.1"],
        ["--scheduler-port", &scheduler],
        ["--bind-host", "127.0.0.1"],
        ["--external-host", "127.0.0.1"],
        ["--bind-port", &ports[0]],
        ["--bind-grpc-port", &ports[1]],
        ["--bind-health-port", &ports[2]],
        ["--work-dir", &folder],
        ["--vcores", &cores],
        ["--memory-pool-size", MEMORY],
        ["--executor-heartbeat-interval-seconds", HEARTBEAT],
    ];
    Ok(flags.concat().into_iter().map(str::to_owned).collect())
}

impl Member {
    fn start(program: &Path, arguments: Vec<String>, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("failed to make {}", log.display()))?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        // The executors must reach the sources of this machine directly.
        command.env("NO_PROXY", "127.0.0.1,localhost");
        // They read buckets with a key of their own; unless there is another one, it is that of the bucket in the tests.
        for (name, value) in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].into_iter().zip(bucket::KEY) {
            if env::var_os(name).is_none() {
                command.env(name, value);
            }
        }
        let group = Group::start(&mut command)?;
        Ok(Self { program: program.to_owned(), group, log: log.to_owned() })
    }

    pub(super) fn id(&self) -> u32 {
        self.group.id()
    }

    /// Fails if it has ended.
    fn must_run(&mut self) -> Result<()> {
        if let Some(status) = self.group.ended()? {
            let printed = fs::read(&self.log).unwrap_or_default();
            let printed = String::from_utf8_lossy(&printed);
            bail!("{} ended by itself ({status}): {}", self.program.display(), printed.trim());
        }
        Ok(())
    }
}
