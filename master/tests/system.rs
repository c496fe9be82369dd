//! A system under test: folders with a data-source each, a configuration, a database, and ways to run the master and to
//! look at what it wrote.

mod database;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use serde_json::Value;
use tributary_store::{DatabaseUrl, Store};
use tributary_testkit::{
    http::{self, Response},
    process::{self, Daemon},
    wait,
};

use self::database::Database;

/// A folder for everything, and a database; both go when this is dropped.
pub(crate) struct System {
    /// Before `home`, so that they end before their folders go.
    master: Option<Daemon>,
    daemons: BTreeMap<String, Daemon>,
    /// The environment of all programs.
    variables: Vec<(&'static str, String)>,
    database: Database,
    home: tempfile::TempDir,
}

/// sku → (name, description).
pub(crate) type Products = BTreeMap<String, (String, String)>;
/// name → number of products.
pub(crate) type Aggr = BTreeMap<String, i64>;

impl System {
    /// With a database on the server that the tests are given, or else with a SQLite file.
    pub(crate) fn new() -> Self {
        Self::of(Database::new())
    }

    /// With a SQLite file in any case.
    pub(crate) fn of_file() -> Self {
        Self::of(Database::file())
    }

    fn of(database: Database) -> Self {
        let home = tempfile::tempdir().unwrap();
        Self { master: None, daemons: BTreeMap::new(), variables: Vec::new(), database, home }
    }

    /// Sets variables for the programs that start from now on.
    pub(crate) fn set_variables(&mut self, variables: impl IntoIterator<Item = (&'static str, String)>) {
        self.variables = variables.into_iter().collect();
    }

    /// The folder of the source `name`; made if need be.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let folder = self.home.path().join("sources").join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    pub(crate) fn write(&self, source: &str, path: &str, content: impl AsRef<[u8]>) {
        let path = self.folder(source).join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Starts the source's data-source, or starts it anew.
    pub(crate) fn serve(&mut self, source: &str) -> String {
        self.daemons.remove(source);
        let daemon = Daemon::source(&self.folder(source));
        let url = daemon.url.clone();
        self.daemons.insert(source.to_owned(), daemon);
        url
    }

    /// Starts the source's data-source where one listened before, so that the master need not be told of it.
    pub(crate) fn serve_at(&mut self, source: &str, url: &str) {
        self.daemons.remove(source);
        let mut command = process::command("data-source", &self.folder(source));
        command.args(["--settle", "20ms", "--rescan", "200ms", "--listen", url.trim_start_matches("http://"), "--dir"]);
        command.arg(self.folder(source)).env("RUST_LOG", "warn");
        self.daemons.insert(source.to_owned(), Daemon::start(command));
    }

    /// Starts the source's data-source as a user to whom permissions apply, even if the test is root's.
    pub(crate) fn serve_as_nobody(&mut self, source: &str) -> String {
        let folder = self.folder(source);
        fs::set_permissions(self.home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = process::command("data-source", &folder);
        command.args(["--settle", "20ms", "--rescan", "200ms", "--listen", "127.0.0.1:0", "--dir"]);
        command.arg(&folder).env("RUST_LOG", "warn");
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            command.uid(65_534);
        }
        let daemon = Daemon::start(command);
        let url = daemon.url.clone();
        self.daemons.insert(source.to_owned(), daemon);
        url
    }

    pub(crate) fn stop(&mut self, source: &str) {
        self.daemons.remove(source);
    }

    pub(crate) fn url(&self, source: &str) -> &str {
        &self.daemons[source].url
    }

    /// Waits until the data-source offers exactly what its folder holds.
    pub(crate) fn settle(&self, source: &str) {
        let folder = self.folder(source);
        wait::until(&format!("source {source} offers what its folder holds"), || {
            let (status, body) = http::get(&format!("{}/sense/files", self.url(source))).ok()?;
            let manifest: Value = (status == 200).then(|| serde_json::from_slice(&body).unwrap())?;
            let offered = manifest["files"]
                .as_array()?
                .iter()
                .map(|file| (file["path"].as_str().unwrap().to_owned(), file["hash"].as_str().unwrap().to_owned()));
            (offered.collect::<BTreeMap<_, _>>() == hashes(&folder)).then_some(())
        });
    }

    /// The folder in which all programs run.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn configure(&self, toml: &str) {
        fs::write(self.home.path().join("tributary.toml"), toml).unwrap();
    }

    /// One `[[source]]` for each name, with the lines given.
    pub(crate) fn configure_sources(&self, sources: &[(&str, &str)]) {
        let section = |(name, lines): &(&str, &str)| {
            format!("[[source]]\nname = \"{name}\"\nurl = \"{}\"\n{lines}\n", self.url(name))
        };
        self.configure(&sources.iter().map(section).collect::<String>());
    }

    pub(crate) fn command(&self, binary: &str, args: &[&str]) -> Command {
        let mut command = process::command(binary, self.home.path());
        command.args(args).envs(self.database.variable()).envs(self.variables.clone());
        command
    }

    pub(crate) fn run(&self, binary: &str, args: &[&str]) -> Output {
        self.command(binary, args).output().unwrap()
    }

    /// Starts the master that stays, if it does not run. Sources that cannot hold an answer are asked often.
    pub(crate) fn start_master(&mut self, args: &[&str]) {
        if self.master.is_none() {
            let mut command = self.command("master", &["--listen", "127.0.0.1:0", "--poll-interval", "50ms"]);
            command.args(args).env("RUST_LOG", "error");
            self.master = Some(Daemon::start(command));
        }
    }

    /// Starts a master with these environment variables, and reads its warnings.
    pub(crate) fn start_master_with(&mut self, variables: &[(String, String)]) {
        let mut command = self.command("master", &["--listen", "127.0.0.1:0", "--poll-interval", "50ms"]);
        let log = fs::File::options().append(true).create(true).open(self.home.path().join("master.log")).unwrap();
        command.envs(variables.iter().cloned()).env("RUST_LOG", "warn").stderr(log);
        self.master = Some(Daemon::start(command));
    }

    /// Starts a master whose warnings are read by [`Self::log`].
    pub(crate) fn start_master_that_warns(&mut self) {
        let mut command = self.command("master", &["--listen", "127.0.0.1:0", "--poll-interval", "50ms"]);
        command.env("RUST_LOG", "warn").stderr(fs::File::create(self.home.path().join("master.log")).unwrap());
        self.master = Some(Daemon::start(command));
    }

    /// The process id of the running master.
    pub(crate) fn master_id(&self) -> u32 {
        self.master.as_ref().unwrap().id()
    }

    /// Asks the running master to read its configuration again.
    pub(crate) fn hangup(&self) {
        let killed = Command::new("kill").args(["-HUP", &self.master_id().to_string()]).status().unwrap();
        assert!(killed.success());
    }

    /// The output of that master.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("master.log")).unwrap()
    }

    /// SIGKILL, if it runs.
    pub(crate) fn kill_master(&mut self) {
        self.master = None;
    }

    /// SIGTERM; the exit code and the time that the stop took.
    pub(crate) fn stop_master(&mut self) -> (Option<i32>, Duration) {
        self.master.take().unwrap().terminate()
    }

    pub(crate) fn master_runs(&self) -> bool {
        self.master.is_some()
    }

    /// The address of the master, with `path` behind it.
    pub(crate) fn master_url(&self, path: &str) -> String {
        format!("{}{path}", self.master.as_ref().unwrap().url)
    }

    /// A request to the master.
    #[track_caller]
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> Response {
        http::request(method, &self.master_url(path), &[], body.as_bytes()).unwrap()
    }

    /// The JSON that the master answers with 200.
    #[track_caller]
    pub(crate) fn json(&self, path: &str) -> Value {
        let response = self.ask("GET", path, "");
        assert_eq!(response.status, 200, "{path}: {}", response.text());
        serde_json::from_slice(&response.body).unwrap()
    }

    /// Waits until the running master has applied what every source that runs holds now.
    #[track_caller]
    pub(crate) fn sync(&self) {
        self.daemons.keys().for_each(|source| self.settle(source));
        wait::until("every source was tried", || (self.ask("GET", "/readyz", "").status == 200).then_some(()));
        for daemon in self.daemons.values() {
            let (_, body) = http::get(&format!("{}/sense", daemon.url)).unwrap();
            let version = serde_json::from_slice::<Value>(&body).unwrap()["version"].clone();
            wait::until("the version is applied", || {
                let sources = self.json("/api/v1/sources");
                let mut sources = sources["items"].as_array().unwrap().iter();
                let source = sources.find(|source| source["url"] == format!("{}/", daemon.url));
                source.is_none_or(|source| source["version"] == version && source["state"] != "down").then_some(())
            });
        }
    }

    /// Settles all sources and runs `master --once`.
    pub(crate) fn once(&self) -> Output {
        self.once_with(&[])
    }

    /// The same with more arguments.
    pub(crate) fn once_with(&self, args: &[&str]) -> Output {
        self.daemons.keys().for_each(|source| self.settle(source));
        self.run("master", &[&["--once"], args].concat())
    }

    /// The same, and it must succeed. Returns the summary line.
    #[track_caller]
    pub(crate) fn once_ok(&self) -> String {
        let output = self.once();
        assert!(output.status.success(), "{}{}", process::stdout(&output), process::stderr(&output));
        let summary = process::stdout(&output);
        assert_eq!(summary.lines().count(), 1, "one summary line: {summary}");
        summary
    }

    /// A table as `readdb` gives it.
    #[track_caller]
    pub(crate) fn table(&self, table: &str) -> Vec<Value> {
        let output = self.run("readdb", &[table, "--format", "json", "--limit", "1000000"]);
        assert!(output.status.success(), "{}", process::stderr(&output));
        serde_json::from_slice::<Value>(&output.stdout).unwrap().as_array().unwrap().clone()
    }

    pub(crate) fn products(&self) -> Products {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        self.table("products")
            .iter()
            .map(|row| (text(&row["sku"]), (text(&row["name"]), text(&row["description"]))))
            .collect()
    }

    pub(crate) fn aggr(&self) -> Aggr {
        let count = |row: &Value| (row["name"].as_str().unwrap().to_owned(), row["no_of_products"].as_i64().unwrap());
        self.table("aggr").iter().map(count).collect()
    }

    /// Nobody reads any more, so a database in a file is that one file: a copy of it has everything.
    #[track_caller]
    pub(crate) fn assert_one_file(&self) {
        let left: Vec<_> = ["-wal", "-shm"].map(|end| self.file_beside(end)).into_iter().flatten().collect();
        assert_eq!(left, Vec::<PathBuf>::new());
    }

    /// A file of SQLite's beside that of the database, if it is there. On a server there is none.
    pub(crate) fn file_beside(&self, end: &str) -> Option<PathBuf> {
        let mut path = self.file()?.into_os_string();
        path.push(end);
        Some(PathBuf::from(path)).filter(|path| path.exists())
    }

    /// The SQLite file; `None` on a server.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        self.database_url().file().map(Path::to_owned)
    }

    pub(crate) fn database_url(&self) -> DatabaseUrl {
        self.database.url(self.home())
    }

    /// The database as programs in the folder call it.
    pub(crate) fn database_name(&self) -> String {
        match self.file() {
            Some(path) => path.file_name().unwrap().to_str().unwrap().to_owned(),
            None => self.database_url().to_string(),
        }
    }

    /// The URL of the database as a flag has it.
    pub(crate) fn database_flag(&self) -> String {
        self.database.flag()
    }

    pub(crate) fn database_exists(&self) -> bool {
        self.database.exists(self.home())
    }

    /// Opens the database, which exists.
    #[track_caller]
    pub(crate) fn store(&self) -> Store {
        Store::open_existing(&self.database_url()).unwrap()
    }

    /// The same, to write into it.
    #[track_caller]
    pub(crate) fn store_to_write(&self) -> Store {
        Store::open(&self.database_url()).unwrap()
    }

    /// The path of other files of the master, such as `uploads`, which are named after the database.
    pub(crate) fn beside(&self, ending: &str) -> PathBuf {
        self.database.beside(self.home(), ending)
    }

    /// Lets the programs that start from now on use an empty database.
    pub(crate) fn use_another_database(&mut self) {
        self.database = self.database.another();
    }

    /// Does something with an empty database, and goes back to the one before.
    pub(crate) fn with_another_database<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        let another = self.database.another();
        let kept = std::mem::replace(&mut self.database, another);
        let done = act(self);
        self.database = kept;
        done
    }
}

/// The offered files of a folder by path, with their hashes; computed without our own crates.
fn hashes(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder_open) = open.pop() {
        for entry in fs::read_dir(folder_open).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let hash = format!("blake3:{}", blake3::hash(&fs::read(&path).unwrap()).to_hex());
                found.insert(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned(), hash);
            }
        }
    }
    found
}
