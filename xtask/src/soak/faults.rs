//! Fails system calls of one program after the other under the load, by `strace`: the n-th of a kind in each of its threads, once or all
//! from there on. Then the fault ends, and the tables must become right by themselves. A program that ends must have said why; it is started
//! again, as a supervisor does.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{
    Args, compare,
    load::Load,
    random::Random,
    stage::{self, Stage},
};

/// System calls and how they fail. Those that only reach the runtime's own wake-ups are left out: `write` is one, and the tests of `master`
/// let files not grow instead.
const FAULTS: [(&str, &str); 32] = [
    ("pwrite64", "ENOSPC"),
    ("pwrite64", "EIO"),
    ("pwrite64", "EROFS"),
    ("pread64", "EIO"),
    ("fsync,fdatasync", "EIO"),
    ("fsync,fdatasync", "ENOSPC"),
    ("ftruncate", "EIO"),
    ("openat", "EMFILE"),
    ("openat", "EACCES"),
    ("openat", "ENOSPC"),
    ("unlink,unlinkat", "EACCES"),
    ("unlink,unlinkat", "EIO"),
    ("rename,renameat,renameat2", "EIO"),
    ("rename,renameat,renameat2", "ENOSPC"),
    ("mkdir", "ENOSPC"),
    ("statx", "EIO"),
    ("newfstatat", "EIO"),
    ("getdents64", "EIO"),
    ("lseek", "EIO"),
    ("read", "EIO"),
    // The locks of SQLite: taken by somebody else, and in no working order.
    ("fcntl", "EAGAIN"),
    ("fcntl", "ENOLCK"),
    ("fcntl", "EIO"),
    ("connect", "ECONNREFUSED"),
    ("connect", "ENETUNREACH"),
    ("socket", "EMFILE"),
    ("socket", "ENOBUFS"),
    ("accept4", "EMFILE"),
    ("recvfrom", "ECONNRESET"),
    ("sendto", "EPIPE"),
    ("writev", "ECONNRESET"),
    ("statfs", "EIO"),
];
/// Time under a fault.
const MIN_FAULT: Duration = Duration::from_millis(400);
const MAX_MORE_MILLIS: u64 = 800;
/// Longest wait for a call that is rare.
const MAX_WAIT: Duration = Duration::from_secs(8);
/// Time over which calls are counted first, and the count below which a call is rare: it fails the first time in each thread.
const CENSUS: Duration = Duration::from_secs(5);
const RARE: usize = 100;

/// A running `strace` of a process.
struct Trace {
    strace: Child,
    log: PathBuf,
}

impl Trace {
    /// Fails the calls that `when` chooses, in each thread.
    fn fail(process: u32, (calls, error): (&str, &str), when: &str, home: &Path) -> Result<Self> {
        Self::begin(process, calls, &["-e", &format!("inject={calls}:error={error}:when={when}")], home)
    }

    fn begin(process: u32, calls: &str, more: &[&str], home: &Path) -> Result<Self> {
        let log = home.join("strace.log");
        let mut command = Command::new("strace");
        command.args(["-f", "-p", &process.to_string(), "-e", &format!("trace={calls}"), "-o"]).arg(&log).args(more);
        let started = command.stderr(Stdio::piped()).stdin(Stdio::null()).spawn();
        let mut strace = started.context("failed to run strace; `apt-get install strace` installs it")?;
        let mut line = String::new();
        let mut said = BufReader::new(strace.stderr.take().context("strace has no stderr")?);
        said.read_line(&mut line)?;
        ensure!(line.contains("attached"), "strace does not attach to a process: {line}");
        // It tells of each new thread, and would end if nobody listened.
        thread::spawn(move || io::copy(&mut said, &mut io::sink()));
        Ok(Self { strace, log })
    }

    /// Lines that it has written with this in them.
    fn lines(&self, part: &str) -> Result<usize> {
        let log = fs::read(&self.log).context("failed to read what strace wrote")?;
        Ok(String::from_utf8_lossy(&log).lines().filter(|line| line.contains(part)).count())
    }

    /// Calls that it let fail.
    fn failed(&self) -> Result<usize> {
        self.lines("(INJECTED)")
    }

    /// Lets the process go.
    fn end(&mut self) -> Result<()> {
        // It may have ended with the process.
        let _ = Command::new("kill").args(["-INT", &self.strace.id().to_string()]).stderr(Stdio::null()).status();
        self.strace.wait().context("failed to wait for strace").map(drop)
    }
}

/// The number of calls of each kind in a while without faults: of a source, and of the master.
struct Census([BTreeMap<&'static str, usize>; 2]);

impl Census {
    fn take(stage: &Stage, load: &mut Load) -> Result<Self> {
        let mut counts = [BTreeMap::new(), BTreeMap::new()];
        for (target, counts) in [0, stage::MASTER].into_iter().zip(&mut counts) {
            let all = FAULTS.map(|(calls, _)| calls).join(",");
            let mut trace = Trace::begin(stage.victim(target), &all, &[], stage.home())?;
            let began = Instant::now();
            while began.elapsed() < CENSUS {
                load.step(stage)?;
            }
            trace.end()?;
            for (calls, _) in FAULTS {
                let each = calls.split(',').map(|call| trace.lines(&format!(" {call}(")));
                counts.insert(calls, each.sum::<Result<usize>>()?);
            }
            println!("calls of {} in {CENSUS:?}: {counts:?}", stage.name(target));
        }
        Ok(Self(counts))
    }

    fn of_source(&self, calls: &str) -> usize {
        self.0[0].get(calls).copied().unwrap_or_default()
    }

    fn of_master(&self, calls: &str) -> usize {
        self.0[1].get(calls).copied().unwrap_or_default()
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
pub(super) fn run(mut stage: Stage, rounds: u64, args: &Args) -> Result<()> {
    let seed = args.seed;
    let kinds: Vec<_> = FAULTS.into_iter().filter(|(calls, _)| calls.contains(&args.calls)).collect();
    ensure!(!kinds.is_empty(), "no call that is failed has `{}` in its name", args.calls);
    let many = kinds.len() as u64;
    let (mut load, mut random) = (Load::new(seed).wide(), Random::new(seed + 2_000));
    let mut outcomes: BTreeMap<(&str, &str), Outcome> = BTreeMap::new();
    let census = Census::take(&stage, &mut load)?;
    for number in 0..rounds {
        let (level, kind) = (number / many, kinds[usize::try_from(number % many)?]);
        let (of_source, of_master) = (census.of_source(kind.0), census.of_master(kind.0));
        // Not where it is never called, if it is elsewhere.
        let is_of_source = of_source > 0 && ((number + level) % 4 == 3 || of_master == 0);
        let count = if is_of_source { of_source } else { of_master };
        // The first call once, then all from it on; then the second call, and so on.
        let first = if count < RARE { 1 } else { 1 + level / 2 };
        let when = format!("{first}{}", if level % 2 == 1 { "+" } else { "" });
        let target = if is_of_source { random.below(stage::MASTER) } else { stage::MASTER };
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
        if (number + 1) % many == 0 || number + 1 == rounds {
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
        let mut trace = Trace::fail(stage.victim(self.target), self.kind, &self.when, stage.home())?;
        let pause = self.pause;
        // A step may wait for as long as the fault lasts.
        let timer = thread::spawn(move || -> Result<usize> {
            let began = Instant::now();
            thread::sleep(pause);
            while trace.failed()? == 0 && began.elapsed() < MAX_WAIT {
                thread::sleep(MIN_FAULT);
            }
            trace.end()?;
            trace.failed()
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
