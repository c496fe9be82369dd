//! `cargo xtask services`: starts the services that the tests in `e2e/` need, runs one command, and stops them after it. It knows how to
//! start each and when it answers, but not the tests.

mod bucket;
pub(crate) mod node;
mod postgres;
mod rabbitmq;
mod readers;

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    io,
    net::{TcpListener, TcpStream},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// First install missing Debian packages with apt-get, Python packages with pip and Node packages with npm
    #[arg(long)]
    pub(crate) install: bool,
    /// The command, such as `cargo test -p e2e`, which finds the services through its environment; its exit code is returned. Without a
    /// command the addresses are printed and the services run until Ctrl-C
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<OsString>,
}

/// The name and the value of an environment variable.
type Variable = (&'static str, String);

/// A server that tests need.
struct Service {
    name: &'static str,
    /// The port to start it on.
    port: fn() -> Result<u16>,
    /// The command that starts it in the foreground on a port of 127.0.0.1. It may write into the folder, which is its own and is deleted after
    /// it.
    command: fn(port: u16, folder: &Path) -> Result<Command>,
    /// Whether it accepts requests.
    answers: fn(port: u16) -> bool,
    /// The environment variable in which tests find its address.
    variable: &'static str,
    /// The value of the variable.
    address: fn(port: u16) -> String,
    /// Further variables, made of its folder.
    more: fn(folder: &Path) -> Vec<Variable>,
}

const SERVICES: [Service; 4] = [
    Service {
        name: "chromedriver",
        port: || Ok(free_port()?),
        command: |port, folder| {
            let mut command = Command::new("chromedriver");
            // Browsers leave temporary files.
            command.arg(format!("--port={port}")).env("TMPDIR", folder);
            Ok(command)
        },
        // Its port opens once it is ready for sessions.
        answers: |port| TcpStream::connect(("127.0.0.1", port)).is_ok(),
        variable: "TRIBUTARY_E2E_WEBDRIVER",
        address: |port| format!("http://127.0.0.1:{port}"),
        more: |_| Vec::new(),
    },
    Service {
        name: "rabbitmq",
        port: rabbitmq::port,
        command: rabbitmq::command,
        answers: rabbitmq::answers,
        variable: "TRIBUTARY_E2E_AMQP",
        address: rabbitmq::address,
        more: rabbitmq::more,
    },
    Service {
        name: "postgresql",
        port: || Ok(free_port()?),
        command: postgres::command,
        answers: postgres::answers,
        variable: "TRIBUTARY_TEST_POSTGRES",
        address: postgres::address,
        more: |_| Vec::new(),
    },
    Service {
        name: "localbucket",
        port: || Ok(free_port()?),
        command: bucket::command,
        answers: bucket::answers,
        variable: "TRIBUTARY_E2E_S3",
        address: |port| format!("http://127.0.0.1:{port}"),
        more: bucket::more,
    },
];

/// The server of measurements: what it has committed is on the disk.
const DURABLE_POSTGRES: Service = Service {
    name: "postgresql",
    port: || Ok(free_port()?),
    command: postgres::durable,
    answers: postgres::answers,
    variable: "TRIBUTARY_TEST_POSTGRES",
    address: postgres::address,
    more: |_| Vec::new(),
};

/// Programs that the services and the tests run, each with its Debian package.
const PROGRAMS: [(&str, &str); 13] = [
    ("chromedriver", "chromium-driver"),
    ("chromium", "chromium"),
    ("rabbitmqctl", "rabbitmq-server"),
    ("openssl", "openssl"),
    ("python3", "python3-venv"),
    ("pg_virtualenv", "postgresql"),
    ("Rscript", "r-base-core"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("nginx", "nginx-light"),
    ("caddy", "caddy"),
    ("ip", "iproute2"),
    // For `cargo xtask soak --faults`.
    ("strace", "strace"),
];

/// The longest start of a service, and the longest stop before it is killed.
const TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let interrupted = Interrupted::watch()?;
    if args.install {
        install()?;
    }
    let missing = missing();
    ensure!(
        missing.is_empty(),
        "missing programs: {}; run `apt-get install {}`, or add `--install`",
        missing.iter().map(|(program, _)| *program).collect::<Vec<_>>().join(", "),
        packages(&missing).join(" ")
    );
    let python = readers::python(args.install)?;
    let modules = node::modules(args.install)?;
    let home = tempfile::tempdir().context("failed to make a temporary folder")?;
    let mut running = Vec::new();
    for service in &SERVICES {
        running.push(Running::start(service, home.path(), &interrupted)?);
    }
    match args.command.split_first() {
        Some((program, arguments)) => {
            let mut command = Command::new(program);
            command.args(arguments).env(readers::VARIABLE, python).env(node::VARIABLE, modules);
            with_services(command, &running, &interrupted)
        }
        None => stay(&mut running, &interrupted),
    }
}

/// Lists programs that are not on the `PATH`, with their packages.
fn missing() -> Vec<(&'static str, &'static str)> {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_there = |program: &str| env::split_paths(&path).any(|folder| folder.join(program).is_file());
    PROGRAMS.into_iter().filter(|(program, _)| !is_there(program)).collect()
}

fn packages(missing: &[(&'static str, &'static str)]) -> Vec<&'static str> {
    missing.iter().map(|(_, package)| *package).collect()
}

fn install() -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    apt_get(&["update"])?;
    apt_get(&[&["install", "--yes", "--no-install-recommends"], packages(&missing).as_slice()].concat())
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    // Packages must not ask questions.
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).arg("--quiet").args(arguments);
    let status = command.status().context("failed to run apt-get, which `--install` needs")?;
    ensure!(status.success(), "`apt-get {}` failed; it must run as root", arguments.join(" "));
    Ok(())
}

/// Runs the command with the addresses of the services.
fn with_services(mut command: Command, running: &[Running], interrupted: &Interrupted) -> Result<ExitCode> {
    command.envs(running.iter().flat_map(Running::variables));
    run_to_end(&mut command, interrupted)
}

/// Runs a command until it ends, or until a signal arrives.
pub(crate) fn run_to_end(command: &mut Command, interrupted: &Interrupted) -> Result<ExitCode> {
    let mut group = Group::start(command)?;
    let status = loop {
        if let Some(status) = group.ended()? {
            break status;
        }
        if let Some(signal) = interrupted.signal() {
            // The command has its own process group, so its children get the signal too.
            group.stop(signal);
            return Ok(ExitCode::from(128 + signal.as_raw() as u8));
        }
        pause();
    };
    Ok(ExitCode::from(code(status)))
}

/// The exit code that a shell would return: 128 plus the signal for a program that a signal ended.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| Some(128 + status.signal()?));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Prints the addresses and waits for a signal.
fn stay(running: &mut [Running], interrupted: &Interrupted) -> Result<ExitCode> {
    for (name, value) in running.iter().flat_map(Running::variables) {
        println!("export {name}={value}");
    }
    eprintln!("the services run until Ctrl-C");
    while interrupted.signal().is_none() {
        for running in &mut *running {
            running.must_run()?;
        }
        pause();
    }
    Ok(ExitCode::SUCCESS)
}

/// Starts a PostgreSQL server in a folder of its own below `home`.
pub(crate) fn durable_postgres(home: &Path, interrupted: &Interrupted) -> Result<Running<'static>> {
    Running::start(&DURABLE_POSTGRES, home, interrupted)
}

/// A running service. It is stopped when this is dropped.
pub(crate) struct Running<'a> {
    service: &'a Service,
    group: Group,
    address: String,
    folder: PathBuf,
    /// Its output, for the error message if it ends by itself.
    log: PathBuf,
}

impl<'a> Running<'a> {
    fn start(service: &'a Service, home: &Path, interrupted: &Interrupted) -> Result<Self> {
        let name = service.name;
        let folder = home.join(name);
        fs::create_dir(&folder).with_context(|| format!("failed to make a folder for {name}"))?;
        let log = home.join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| format!("failed to make {}", log.display()))?;
        let port = (service.port)()?;
        let mut command = (service.command)(port, &folder)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let group = Group::start(&mut command)?;
        let mut running = Self { service, group, address: (service.address)(port), folder, log };
        let deadline = Instant::now() + TIMEOUT;
        while !(service.answers)(port) {
            running.must_run()?;
            ensure!(interrupted.signal().is_none(), "interrupted before {name} answered");
            ensure!(Instant::now() < deadline, "{name} does not answer within {TIMEOUT:?}: {}", running.printed());
            pause();
        }
        Ok(running)
    }

    /// The address in that variable.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The variables in which tests find it.
    fn variables(&self) -> impl Iterator<Item = Variable> {
        [(self.service.variable, self.address.clone())].into_iter().chain((self.service.more)(&self.folder))
    }

    /// Fails if it has ended.
    fn must_run(&mut self) -> Result<()> {
        if let Some(status) = self.group.ended()? {
            bail!("{} ended by itself ({status}): {}", self.service.name, self.printed());
        }
        Ok(())
    }

    fn printed(&self) -> String {
        let printed = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&printed).trim().to_owned()
    }
}

/// Finds a free port. If another program takes it first, the service fails and says so.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A program and its children, in their own process group. They are stopped when this is dropped.
pub(crate) struct Group {
    child: Child,
}

impl Group {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let child = command.process_group(0).spawn();
        Ok(Self { child: child.with_context(|| format!("failed to start {}", command.get_program().display()))? })
    }

    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().context("failed to look at a child process")
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to the group, waits for the program, and kills the rest.
    fn stop(&mut self, signal: Signal) {
        let group = Pid::from_child(&self.child);
        // It fails if the group has ended meanwhile, which is fine.
        let _ = kill_process_group(group, signal);
        let deadline = Instant::now() + TIMEOUT;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            pause();
        }
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.child.wait();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.stop(Signal::TERM);
    }
}

/// Whether a signal asked this program to stop. Without it a signal would end this program but not the services.
pub(crate) struct Interrupted {
    /// The number of the signal, or 0. A signal handler may do no more than set it.
    signal: Arc<AtomicUsize>,
}

impl Interrupted {
    pub(crate) fn watch() -> Result<Self> {
        let signal = Arc::new(AtomicUsize::new(0));
        for number in [SIGHUP, SIGINT, SIGTERM] {
            signal_hook::flag::register_usize(number, signal.clone(), number as usize)
                .context("failed to watch for signals")?;
        }
        Ok(Self { signal })
    }

    pub(crate) fn signal(&self) -> Option<Signal> {
        Signal::from_named_raw(self.signal.load(Ordering::Relaxed) as i32)
    }
}

/// Waits between two looks at processes. The standard library cannot wait for several at once.
pub(crate) fn pause() {
    thread::sleep(Duration::from_millis(20));
}
