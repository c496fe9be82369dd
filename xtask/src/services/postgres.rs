//! A PostgreSQL server with a data folder of its own.

use std::{
    fs,
    net::TcpStream,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

/// The user that Debian's package makes. The server refuses to run as root.
const USER: &str = "postgres";
/// The folders of Debian's packages, one per version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The server of tests keeps nothing, so it writes without waiting for the disk.
pub(super) fn command(port: u16, folder: &Path) -> Result<Command> {
    let mut server = durable(port, folder)?;
    server.args(["-c", "fsync=off"]);
    Ok(server)
}

/// The server of measurements has the usual settings.
pub(super) fn durable(port: u16, folder: &Path) -> Result<Command> {
    let programs = programs()?;
    if rustix::process::geteuid().is_root() {
        let user = fs::read_to_string("/etc/passwd")?;
        let mut ids = user
            .lines()
            .find(|line| line.starts_with(&format!("{USER}:")))
            .into_iter()
            .flat_map(|line| line.split(':'))
            .skip(2);
        let mut id =
            || -> Result<u32> { ids.next().context("there is no user `postgres`")?.parse().context("no id of a user") };
        let (user, group) = (id()?, id()?);
        chown(folder, Some(user), Some(group)).context("failed to hand a folder to the user `postgres`")?;
        // It may pass through the folder of all services, which is not its own.
        if let Some(home) = folder.parent() {
            fs::set_permissions(home, fs::Permissions::from_mode(0o711)).context("failed to open a folder")?;
        }
    }
    let data = folder.join("data");
    let made = as_user(&programs.join("initdb"))
        .args(["--username=postgres", "--auth=trust", "--no-sync", "--locale=C.UTF-8", "-D"])
        .arg(&data)
        .current_dir(folder)
        .output()
        .context("failed to run initdb")?;
    ensure!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));
    let mut server = as_user(&programs.join("postgres"));
    server.arg("-D").arg(&data).current_dir(folder);
    for setting in [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        format!("unix_socket_directories={}", folder.display()),
        "max_connections=300".to_owned(),
    ] {
        server.arg("-c").arg(setting);
    }
    Ok(server)
}

/// Whether it accepts connections.
pub(super) fn answers(port: u16) -> bool {
    let ready = programs().map(|programs| Command::new(programs.join("pg_isready")));
    let quiet = |mut command: Command| command.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]).status();
    TcpStream::connect(("127.0.0.1", port)).is_ok()
        && ready.is_ok_and(|ready| quiet(ready).is_ok_and(|status| status.success()))
}

pub(super) fn address(port: u16) -> String {
    format!("postgres://{USER}@127.0.0.1:{port}/postgres")
}

/// The folder with the newest version.
fn programs() -> Result<PathBuf> {
    let versions = fs::read_dir(VERSIONS).with_context(|| format!("{VERSIONS} is missing: install postgresql"))?;
    let newest = versions.flatten().filter_map(|version| version.file_name().to_str()?.parse::<u32>().ok()).max();
    let newest = newest.with_context(|| format!("{VERSIONS} holds no version"))?;
    Ok(Path::new(VERSIONS).join(newest.to_string()).join("bin"))
}

fn as_user(program: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}
