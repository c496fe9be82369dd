//! Hosts of their own, each in a network namespace, and a wire between them and this machine that loses, delays and parts. It is made of TUN
//! devices, because not every kernel has `netem`.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicU8, Ordering},
};

use tributary_testkit::process::{self, Daemon};

use crate::Talk;

const WIRE: &str = include_str!("wire.py");
/// Networks that were taken in this process.
static TAKEN: AtomicU8 = AtomicU8::new(0);

/// Hosts and the wire between them; they end when this is dropped.
pub struct Hosts {
    wire: Talk,
    /// First three numbers of all addresses; this machine has the fourth number 1, and the hosts have the next ones.
    network: String,
    names: Vec<String>,
    namespaces: Vec<String>,
}

impl Hosts {
    /// Starts hosts of these names.
    ///
    /// # Errors
    /// Why this machine allows no hosts.
    ///
    /// # Panics
    /// It allows them, and something else is wrong, here and below.
    pub fn start(names: &[&str]) -> Result<Self, String> {
        let device = fs::OpenOptions::new().read(true).write(true).open("/dev/net/tun");
        device.map_err(|error| format!("/dev/net/tun cannot be opened: {error}"))?;
        let id = std::process::id();
        let number = TAKEN.fetch_add(1, Ordering::Relaxed);
        // Addresses for tests of networks (RFC 2544).
        let network = format!("198.18.{}", (id.wrapping_mul(7) as u8).wrapping_add(number));
        let namespace = |host: &&str| format!("tributary-{id}-{number}-{host}");
        let namespaces: Vec<_> = names.iter().map(namespace).collect();
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        for namespace in &namespaces {
            ip(&["netns", "add", namespace])?;
        }
        let ends: Vec<_> = (0..=names.len()).map(|end| (format!("tt{id}-{number}{end}"), end + 1)).collect();
        let arguments: Vec<_> = ends.iter().map(|(device, host)| format!("{device}={network}.{host}")).collect();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let wire = Talk::python(WIRE, &arguments);
        wire.hear("the wire is there", |said| (said == "ready").then_some(()));
        let hosts = Self { wire, network, names, namespaces };
        for (end, (device, host)) in ends.iter().enumerate() {
            let mut inside = Vec::new();
            if let Some(namespace) = end.checked_sub(1).map(|host| hosts.namespaces[host].as_str()) {
                ip(&["link", "set", device, "netns", namespace])?;
                inside.extend(["-n", namespace]);
            }
            let address = format!("{}.{host}/24", hosts.network);
            ip(&[&inside[..], &["address", "add", &address, "dev", device]].concat())?;
            ip(&[&inside[..], &["link", "set", device, "up"]].concat())?;
        }
        Ok(hosts)
    }

    /// The address of a host.
    #[must_use]
    pub fn address(&self, host: &str) -> String {
        format!("{}.{}", self.network, self.number(host) + 2)
    }

    fn number(&self, host: &str) -> usize {
        self.names.iter().position(|name| name == host).expect("there is this host")
    }

    /// A command of `ip`, or another program, on a host.
    #[must_use]
    pub fn command(&self, host: &str, program: &Path, folder: &Path) -> Command {
        let mut command = process::command_at(Path::new("ip"), folder);
        command.args(["netns", "exec", &self.namespaces[self.number(host)]]).arg(program);
        command
    }

    /// Serves a folder on a host, to those who have the token in this file.
    #[must_use]
    pub fn serve(&self, host: &str, folder: &Path, token_file: &Path, more: &[&str]) -> Daemon {
        let mut source = self.command(host, &process::binary("data-source"), folder);
        source.args(["--listen", &format!("{}:5001", self.address(host)), "--settle", "20ms", "--rescan", "200ms"]);
        source.arg("--dir").arg(folder).arg("--token-file").arg(token_file).args(more).env("RUST_LOG", "error");
        Daemon::start(source)
    }

    /// Makes the wire lose this share of all packets, and delay the others by so many seconds.
    pub fn disturb(&mut self, loss: f64, delay: f64) {
        self.tell(&format!("loss {loss}"));
        self.tell(&format!("delay {delay}"));
    }

    /// Parts a host from all others.
    pub fn part(&mut self, host: &str) {
        self.tell(&format!("part {}", self.address(host)));
    }

    /// Ends that.
    pub fn join(&mut self, host: &str) {
        self.tell(&format!("join {}", self.address(host)));
    }

    fn tell(&mut self, line: &str) {
        self.wire.tell(line);
        let words: Vec<_> = line.split(' ').collect();
        self.wire.hear(line, |said| (*said == serde_json::json!(words)).then_some(()));
    }

    /// The connections of a host that are open, as its kernel has them.
    #[must_use]
    pub fn connections(&self, host: &str) -> Vec<String> {
        let mut ss = self.command(host, Path::new("ss"), Path::new("/"));
        let output = ss.args(["-tnH", "state", "established", "( sport = :5001 )"]).output().expect("ss runs");
        assert!(output.status.success(), "{}", process::stderr(&output));
        process::stdout(&output).lines().map(str::to_owned).collect()
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for namespace in &self.namespaces {
            let _ = ip(&["netns", "delete", namespace]);
        }
    }
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("`ip` cannot be run: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("`ip {}` fails: {}", arguments.join(" "), process::stderr(&output).trim())),
    }
}
