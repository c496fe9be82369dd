//! Fails system calls of one program after the other under the load, by `strace`: the n-th of a kind in each of its threads, once or all
//! from there on. Then the fault ends, and the tables must become right by themselves. A program that ends must have said why; it is started
//! again, as a supervisor does.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use super::{
    compare,
    load::Load,
    random::Random,
    stage::{self, Stage},
};

/// System calls and how they fail. Those that only reach the runtime's own wake-ups are left out: `write` is one, and the tests of `master`
/// let files not grow instead.
const FAULTS: [(&str, &str); 25] = [
    ("pwrite64", "ENOSPC"),
    ("pwrite64", "EIO"),
    ("pwrite64", "EROFS"),
    ("pread64", "EIO"),
    ("fsync", "EIO"),
    ("ftruncate", "EIO"),
    ("openat", "EMFILE"),
    ("openat", "EACCES"),
    ("openat", "ENOSPC"),
    ("unlink", "EACCES"),
    ("rename", "EIO"),
    ("mkdir", "ENOSPC"),
    ("statx", "EIO"),
    ("newfstatat", "EIO"),
    ("getdents64", "EIO"),
    ("lseek", "EIO"),
    ("read", "EIO"),
    ("connect", "ECONNREFUSED"),
    ("connect", "ENETUNREACH"),
    ("socket", "EMFILE"),
    ("accept4", "EMFILE"),
    ("recvfrom", "ECONNRESET"),
    ("sendto", "EPIPE"),
    ("writev", "ECONNRESET"),
    ("statfs", "EIO"),
];
/// Time under a fault.
const MIN_FAULT: Duration = Duration::from_millis(400);
const MAX_MORE_MILLIS: u64 = 800;
const KINDS: u64 = FAULTS.len() as u64;

/// A running `strace` that makes calls of a process fail.
struct Injection {
    strace: Child,
    log: PathBuf,
}

impl Injection {
    /// Fails the calls that `when` chooses, in each thread.
    fn begin(process: u32, (call, error): (&str, &str), when: &str, home: &Path) -> Result<Self> {
        let log = home.join("strace.log");
        let mut command = Command::new("strace");
        command.args(["-f", "-p", &process.to_string(), "-e", &format!("trace={call}"), "-o"]).arg(&log);
        command.args(["-e", &format!("inject={call}:error={error}:when={when}")]);
        let started = command.stderr(Stdio::piped()).stdin(Stdio::null()).spawn();
        let mut strace = started.context("failed to run strace; `apt-get install strace` installs it")?;
        let mut line = String::new();
        let said = strace.stderr.take().context("strace has no stderr")?;
        BufReader::new(said).read_line(&mut line)?;
        ensure!(line.contains("attached"), "strace does not attach to a process: {line}");
        Ok(Self { strace, log })
    }

    /// Lets the process go, and returns how many of its calls failed.
    fn end(mut self) -> Result<usize> {
        // It may have ended with the process.
        let _ = Command::new("kill").args(["-INT", &self.strace.id().to_string()]).stderr(Stdio::null()).status();
        self.strace.wait().context("failed to wait for strace")?;
        let log = fs::read(&self.log).context("failed to read what strace wrote")?;
        Ok(String::from_utf8_lossy(&log).matches("(INJECTED)").count())
    }
}

/// Outcome of the faults of one kind.
#[derive(Default)]
struct Outcome {
    rounds: u64,
    failed_calls: usize,
    ended: u64,
}

/// Fails system calls of the master, and of a source in every fourth round.
pub(super) fn run(mut stage: Stage, rounds: u64, seed: u64) -> Result<()> {
    let (mut load, mut random) = (Load::new(seed).wide(), Random::new(seed + 2_000));
    let mut outcomes: BTreeMap<(&str, &str), Outcome> = BTreeMap::new();
    for number in 0..rounds {
        let (level, kind) = (number / KINDS, FAULTS[usize::try_from(number % KINDS)?]);
        // The first call once, then all from it on; then the second call, and so on.
        let when = format!("{}{}", 1 + level / 2, if level % 2 == 1 { "+" } else { "" });
        let of_source = (number + level) % 4 == 3;
        let target = if of_source { random.below(stage::MASTER) } else { stage::MASTER };
        let what =
            format!("round {number} of seed {seed}, {} = {} when {when} in {}", kind.0, kind.1, stage.name(target));
        let round =
            Round { kind, when, target, pause: MIN_FAULT + Duration::from_millis(random.below(MAX_MORE_MILLIS)) };
        let (failed_calls, has_ended) = round.run(&mut stage, &mut load).with_context(|| what.clone())?;
        load.finish_pending(&stage).with_context(|| what.clone())?;
        compare::converge(&stage, &load.model).with_context(|| what.clone())?;
        compare::healthy(&stage).with_context(|| what)?;
        let outcome = outcomes.entry(kind).or_default();
        outcome.rounds += 1;
        outcome.failed_calls += failed_calls;
        outcome.ended += u64::from(has_ended);
        if (number + 1) % KINDS == 0 || number + 1 == rounds {
            println!("{} rounds, {} steps: tables are right", number + 1, load.steps);
        }
    }
    for ((call, error), Outcome { rounds, failed_calls, ended }) in &outcomes {
        println!("{call} = {error}: {rounds} rounds, {failed_calls} calls failed, the program ended {ended} times");
    }
    let failed: usize = outcomes.values().map(|outcome| outcome.failed_calls).sum();
    ensure!(failed as u64 >= rounds, "only {failed} calls failed in {rounds} rounds");
    Ok(())
}

/// One fault of one program.
struct Round {
    kind: (&'static str, &'static str),
    when: String,
    target: u64,
    pause: Duration,
}

impl Round {
    /// Goes on with the load under the fault. Returns how many calls failed, and whether the program has ended.
    fn run(&self, stage: &mut Stage, load: &mut Load) -> Result<(usize, bool)> {
        let said = stage.log_bytes(self.target);
        let injection = Injection::begin(stage.victim(self.target), self.kind, &self.when, stage.home())?;
        let pause = self.pause;
        // A step may wait for as long as the fault lasts.
        let timer = thread::spawn(move || {
            thread::sleep(pause);
            injection.end()
        });
        while !timer.is_finished() {
            load.step_that_may_fail(stage);
        }
        let failed = timer.join().map_err(|_| anyhow::anyhow!("the thread that ends the fault panicked"))??;
        let has_ended = stage.has_ended(self.target);
        if has_ended {
            ensure!(stage.log_bytes(self.target) > said, "the program has ended and did not say why");
            stage.restart(self.target)?;
        }
        Ok((failed, has_ended))
    }
}
