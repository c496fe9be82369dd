//! Something is lost in the middle of a query of a real cluster: an executor, the source, its token, a file. The report is that of the push-down
//! all the same. A proxy before the source holds up what executors read, so that the middle is known. Each test has a cluster of its own.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use e2e::Master;
use serde_json::Value;
use tempfile::TempDir;
use tributary_testkit::{
    http,
    process::{self, Daemon},
    proxy::{Fault, Proxy, Way},
    wait,
};

use crate::{capabilities::sales, cluster_reports::real_cluster};

/// Enough that executors divide a file: smaller ones than 10 MiB are left whole.
const ROWS: u64 = 600_000;
const FILES: u64 = 3;
/// Bytes of an answer that pass before it is held up.
const PASSED: u64 = 64 << 10;
/// Time in which a lost executor is noticed, and in which everything is computed again.
const NOTICED: Duration = Duration::from_secs(30);
const COMPUTED: Duration = Duration::from_secs(180);
const PAUSE: Duration = Duration::from_millis(100);
const TOKENS: [&str; 2] = ["0a1b2c3d4e5f60718293a4b5c6d7e8f9", "f9e8d7c6b5a4938271605f4e3d2c1b0a"];

/// A cluster of a scheduler and two executors with a core each, which ends with this.
struct Cluster {
    scheduler: String,
    executors: Vec<String>,
    program: Child,
    input: Option<ChildStdin>,
}

impl Cluster {
    fn start() -> Self {
        let mut program = process::command("xtask", Path::new("."));
        if let Ok(root) = std::env::var("TRIBUTARY_CLUSTER_ROOT") {
            program.env("TRIBUTARY_CLUSTER_ROOT", root);
        }
        let print = "echo $TRIBUTARY_E2E_BALLISTA; echo $TRIBUTARY_E2E_EXECUTORS; cat";
        program.args(["cluster", "run", "--", "sh", "-c", print]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut program = program.spawn().unwrap();
        let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
        let [scheduler, executors] = [(); 2].map(|()| lines.next().expect("the cluster starts").unwrap());
        let input = program.stdin.take();
        Self { scheduler, executors: executors.split(',').map(str::to_owned).collect(), program, input }
    }

    fn running_executors(&self) -> Option<usize> {
        let (_, listed) = http::get(&format!("{}/api/executors", self.scheduler)).ok()?;
        Some(serde_json::from_slice::<Value>(&listed).ok()?.as_array()?.len())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.program.wait();
    }
}

/// A query over the files of a source in its middle: executors have begun to read, and wait for the rest.
struct World {
    // In this order, so that nothing waits for what has ended.
    master: Master,
    proxy: Proxy,
    source: Daemon,
    cluster: Cluster,
    folder: TempDir,
}

impl World {
    fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("feeds")).unwrap();
        let (text, ..) = sales(ROWS);
        for file in 0..FILES {
            fs::write(folder.path().join(format!("feeds/{file}.csv")), &text).unwrap();
        }
        write_token(folder.path(), TOKENS[0]);
        fs::write(folder.path().join("master.token"), TOKENS[0]).unwrap();
        fs::set_permissions(folder.path().join("master.token"), fs::Permissions::from_mode(0o600)).unwrap();
        let source = source(folder.path(), "127.0.0.1:0");
        let (proxy, cluster) = (Proxy::start(&source.url), Cluster::start());
        proxy.spoil(Way::Answer, "GET /read/~", Fault::Hold(PASSED));
        let master = Master::start(&configuration(&proxy.url, &cluster.scheduler, folder.path()), &[]);
        // Each executor computes one part at a time.
        wait::until("both executors read", || (proxy.hits() >= 2).then_some(()));
        Self { master, proxy, source, cluster, folder }
    }

    /// Asks the source with a token.
    fn ask_source(&self, token: &str, path: &str) -> Option<(u16, Vec<u8>)> {
        let url = format!("{}{path}", self.source.url);
        let authorization = format!("Bearer {token}");
        let answer = http::request("GET", &url, &[("Authorization", &authorization)], &[]).ok()?;
        Some((answer.status, answer.body))
    }

    fn report(&self, name: &str) -> Option<Value> {
        let reports = self.master.api("/api/v1/reports")?;
        reports["items"].as_array()?.iter().find(|report| report["name"] == name).cloned()
    }

    /// Waits until the reports are those of files with so many rows, and so many pieces in all.
    #[track_caller]
    fn check_total(&self, rows: u64, pieces: u64) {
        let items =
            |name: &str| self.master.api(&format!("/api/v1/reports/{name}")).map(|report| report["items"].clone());
        let sum = |items: &Value, metric: &str| -> u64 {
            items.as_array().into_iter().flatten().filter_map(|item| item[metric].as_u64()).sum()
        };
        let computed = wait::within(COMPUTED, PAUSE, || {
            let is_current = ["by_cluster", "pushed_down"]
                .iter()
                .all(|name| self.report(name).is_some_and(|report| report["state"] == "current"));
            let items = is_current.then(|| items("by_cluster")).flatten()?;
            ((sum(&items, "n"), sum(&items, "s")) == (rows, pieces)).then_some(items)
        });
        let state = || (self.report("by_cluster"), items("by_cluster"));
        let computed = computed.unwrap_or_else(|| panic!("{rows} rows and {pieces} pieces: {:?}", state()));
        assert_eq!(Some(computed), items("pushed_down"));
    }

    fn notes(&self) -> String {
        self.master.api("/api/v1/files?reader=by_cluster").unwrap()["items"].to_string()
    }
}

fn write_token(folder: &Path, token: &str) {
    let file = folder.join("tokens");
    fs::write(&file, format!("ann read {token}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
}

fn source(folder: &Path, address: &str) -> Daemon {
    let mut source = process::command("data-source", folder);
    source.args([
        "--listen",
        address,
        "--settle",
        "20ms",
        "--rescan",
        "200ms",
        "--dir",
        "feeds",
        "--token-file",
        "tokens",
    ]);
    Daemon::start({
        source.env("RUST_LOG", "error");
        source
    })
}

fn configuration(source: &str, scheduler: &str, folder: &Path) -> String {
    let report = |name: &str, engine: &str| {
        format!(
            "[[report]]\nname = \"{name}\"\nfiles = \"*.csv\"\ngroup_by = \"department\"\n\
             metrics = {{ n = \"count()\", s = \"sum(pieces)\", p = \"sum(price)\", g = \"max(price)\" }}\nengine = \"{engine}\"\n"
        )
    };
    format!(
        "[engine]\nballista = \"{scheduler}\"\n[[source]]\nname = \"north\"\nurl = \"{source}\"\ntoken_file = \"{}\"\n\
         poll_interval = \"200ms\"\nmax_rejects = 1000000000\n{}{}",
        folder.join("master.token").display(),
        report("by_cluster", "ballista"),
        report("pushed_down", "push-down")
    )
}

/// The pieces of all files.
fn all_pieces() -> u64 {
    FILES * sales(ROWS).1
}

#[test]
fn an_executor_that_is_killed_costs_only_time() {
    if real_cluster().is_none() {
        return;
    }
    let world = World::begin();
    let killed = Command::new("kill").args(["-KILL", &world.cluster.executors[0]]).status().unwrap();
    assert!(killed.success());
    world.proxy.release();
    let noticed = wait::within(NOTICED, PAUSE, || world.cluster.running_executors().filter(|running| *running == 1));
    assert!(noticed.is_some(), "the scheduler does not notice in {NOTICED:?}");
    world.check_total(FILES * ROWS, all_pieces());
}

#[test]
fn a_source_that_restarts_opens_its_files_no_more_and_sums_them_itself() {
    if real_cluster().is_none() {
        return;
    }
    let mut world = World::begin();
    let address = world.source.url.trim_start_matches("http://").to_owned();
    world.source.kill();
    world.source = source(world.folder.path(), &address);
    world.proxy.release();
    world.check_total(FILES * ROWS, all_pieces());
    let notes = world.notes();
    assert!(
        notes.contains("not computed by the Ballista cluster: ") && notes.contains("failed to run a query"),
        "{notes}"
    );
    assert!(notes.split("/read/~").skip(1).all(|rest| rest.starts_with('…')), "a note shows a secret: {notes}");
}

#[test]
fn a_token_that_is_revoked_ends_the_query_and_the_report_waits_for_another() {
    if real_cluster().is_none() {
        return;
    }
    let world = World::begin();
    write_token(world.folder.path(), TOKENS[1]);
    wait::until("the token is revoked", || (world.ask_source(TOKENS[0], "/sense")?.0 == 401).then_some(()));
    world.proxy.release();
    let failed =
        wait::within(COMPUTED, PAUSE, || world.report("by_cluster").filter(|report| report["state"] == "failed"));
    let failed = failed.expect("the report says that its source refuses the token");
    assert!(failed["error"].to_string().contains("401"), "{failed}");
    write_token(world.folder.path(), TOKENS[0]);
    world.check_total(FILES * ROWS, all_pieces());
}

#[test]
fn a_file_that_changes_in_the_middle_is_not_mixed() {
    if real_cluster().is_none() {
        return;
    }
    let world = World::begin();
    let manifest = || world.ask_source(TOKENS[0], "/sense/files").map(|(_, manifest)| manifest);
    let before = manifest().unwrap();
    // As many rows, so that their number does not tell.
    let (text, pieces, _) = sales(ROWS);
    let (file, hidden) = (world.folder.path().join("feeds/2.csv"), world.folder.path().join("feeds/.new"));
    fs::write(&hidden, text.replace(",999,", ",1999,")).unwrap();
    fs::rename(&hidden, &file).unwrap();
    wait::until("the new content", || manifest().filter(|manifest| *manifest != before));
    world.proxy.release();
    world.check_total(FILES * ROWS, FILES * pieces + ROWS / 1_000 * 1_000);
}
