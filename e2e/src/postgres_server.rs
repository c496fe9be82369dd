//! A PostgreSQL server of a test's own, which it may stop, kill or deprive of room.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tributary_testkit::wait;

/// The user that Debian's package makes. The server refuses to run as root.
const USER: &str = "postgres";
/// The folders of Debian's packages, one per version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// A server, killed when this is dropped.
pub struct PostgresServer {
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl PostgresServer {
    /// Sets a server up in this folder, with its log of writes in another, and starts it.
    ///
    /// # Panics
    /// PostgreSQL is not installed, or it does not start, here and below.
    #[must_use]
    pub fn start(folder: &Path, log: &Path) -> Self {
        hand_over(folder);
        hand_over(log);
        let (data, log) = (folder.join("data"), log.join("wal"));
        let made = as_user("initdb")
            .args(["--username=postgres", "--auth=trust", "--no-sync", "--locale=C.UTF-8", "--wal-segsize=1", "-D"])
            .arg(&data)
            .arg("--waldir")
            .arg(&log)
            .current_dir(folder)
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let port = listener.local_addr().expect("a listener has an address").port();
        drop(listener);
        let mut server = Self { folder: folder.to_owned(), port, child: None };
        server.revive();
        server
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts it again, and waits until it answers.
    pub fn revive(&mut self) {
        let mut server = as_user("postgres");
        server.arg("-D").arg(self.folder.join("data")).current_dir(&self.folder);
        for setting in [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", self.port),
            format!("unix_socket_directories={}", self.folder.display()),
            "fsync=off".to_owned(),
            "max_wal_size=8MB".to_owned(),
            "min_wal_size=2MB".to_owned(),
        ] {
            server.arg("-c").arg(setting);
        }
        self.child = Some(server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the server starts"));
        let port = self.port.to_string();
        wait::until("the server answers", || {
            let ready = Command::new(program("pg_isready")).args(["-q", "-h", "127.0.0.1", "-p", &port]).status();
            (TcpStream::connect(("127.0.0.1", self.port)).is_ok() && ready.is_ok_and(|ready| ready.success()))
                .then_some(())
        });
    }

    /// Sends it a signal, such as `INT`, and waits until it has ended.
    pub fn stop(&mut self, signal: &str) {
        let Some(mut child) = self.child.take() else { return };
        let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
        assert!(sent.expect("there is a program `kill`").success());
        child.wait().expect("a child can be waited for");
    }

    /// Waits until it has ended by itself.
    pub fn has_ended(&mut self) {
        wait::until("the server ends", || {
            let child = self.child.as_mut()?;
            matches!(child.try_wait(), Ok(Some(_))).then_some(())
        });
        self.child = None;
    }

    /// Runs a statement as a client that is none of ours, and returns what it prints.
    #[must_use]
    pub fn psql(&self, statement: &str) -> String {
        let ran = Command::new("psql")
            .args(["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-c", statement, &self.url()])
            .output()
            .expect("psql runs");
        assert!(ran.status.success(), "{statement}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stdout).into_owned()
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        // Its processes end with it, and its folder goes anyway.
        self.stop("QUIT");
    }
}

/// Gives a folder to the user of the server, who may pass through those above it.
fn hand_over(folder: &Path) {
    if is_root() {
        let ids = Command::new("id").args(["-u", USER]).output().expect("there is a program `id`");
        let id = String::from_utf8_lossy(&ids.stdout).trim().parse().expect("there is a user `postgres`");
        chown(folder, Some(id), None).expect("root may give a folder away");
        let above = folder.parent().expect("it is below another");
        fs::set_permissions(above, fs::Permissions::from_mode(0o711)).expect("the folder of a test is its own");
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).expect("the folder of a test is its own");
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir(VERSIONS).expect("PostgreSQL is installed").flatten();
    let newest = versions.filter_map(|version| version.file_name().to_str()?.parse::<u32>().ok()).max();
    Path::new(VERSIONS).join(newest.expect("PostgreSQL is installed").to_string()).join("bin").join(name)
}

fn as_user(name: &str) -> Command {
    if !is_root() {
        return Command::new(program(name));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program(name));
    command
}
