//! The built binaries, run as a user runs them.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

/// Returns the path of one of the workspace's binaries.
///
/// # Panics
/// It is not built: run the tests of the whole workspace, which builds it.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running program has a path");
    // Tests run from target/PROFILE/deps, programs from target/PROFILE.
    let folder = test.ancestors().skip(1).find(|folder| folder.join(name).is_file());
    let folder = folder
        .unwrap_or_else(|| panic!("{name} is not built: run `cargo build --workspace` or the whole `cargo test`"));
    folder.join(name)
}

/// Prepares a command for one of the binaries, in `folder` and without inherited settings.
#[must_use]
pub fn command(name: &str, folder: &Path) -> Command {
    command_at(&binary(name), folder)
}

/// Prepares a command for a binary that was built elsewhere, in `folder` and without inherited settings.
#[must_use]
pub fn command_at(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    for (variable, _) in std::env::vars() {
        if variable.starts_with("TRIBUTARY_") || variable == "DATABASE_URL" || variable == "RUST_LOG" {
            command.env_remove(variable);
        }
    }
    command
}

/// Finds the address, as `ADDR:PORT`, of an entrance such as `gRPC` in the log of a master; none while it does not stand there.
///
/// # Panics
/// The log cannot be read.
#[must_use]
pub fn logged_address(log: &Path, entrance: &str) -> Option<String> {
    let log = std::fs::read_to_string(log).expect("the log can be read");
    let behind = log.split(&format!("{entrance} is on ")).nth(1)?;
    behind.split_whitespace().next().map(str::to_owned)
}

/// A running server, killed when this is dropped.
pub struct Daemon {
    child: Child,
    /// Its address, as `http://ADDR:PORT`.
    pub url: String,
}

impl Daemon {
    /// Starts a server and waits for its `listening on` line.
    ///
    /// # Panics
    /// It does not start, or exits before it listens.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().expect("the binary starts");
        let stdout = child.stdout.take().expect("stdout is piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("stdout is text");
        let url = line
            .trim()
            .strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("the first line is {line:?}"))
            .to_owned();
        Self { child, url }
    }

    /// Serves `folder` with `data-source`, with a short settle time and frequent rescans, so that tests do not wait.
    #[must_use]
    pub fn source(folder: &Path) -> Self {
        let mut source = command("data-source", folder);
        source
            .args(["--listen", "127.0.0.1:0", "--settle", "20ms", "--rescan", "200ms", "--dir"])
            .arg(folder)
            .env("RUST_LOG", "warn");
        Self::start(source)
    }
}

impl Daemon {
    /// Sends SIGTERM and waits for the exit. Returns the exit code and how long it took.
    ///
    /// # Panics
    /// It has exited before.
    pub fn terminate(&mut self) -> (Option<i32>, Duration) {
        let started = Instant::now();
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(killed.expect("there is a program `kill`").success(), "it has exited before");
        let status = self.child.wait().expect("a child can be waited for");
        (status.code(), started.elapsed())
    }

    /// Sends SIGKILL and waits for the exit.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Returns its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Daemon {
    /// Sends SIGKILL: nothing may depend on a clean stop.
    fn drop(&mut self) {
        self.kill();
    }
}

/// Lets no file of a running process grow beyond this size, or any size again.
///
/// # Panics
/// There is no such process, or it is another user's.
pub fn limit_file_size(process: u32, bytes: Option<u64>) {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    let limit = Rlimit { current: bytes, maximum: None };
    prlimit(pid, Resource::Fsize, limit).expect("the limits of an own process can be changed");
}

/// Returns the stdout of a finished program.
#[must_use]
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Returns the stderr of a finished program.
#[must_use]
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
