//! Files and folders that the source cannot read are their own error, and everything else is served.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::Path,
    process::Stdio,
    time::Instant,
};

use serde_json::json;
use tributary_testkit::process;

use crate::support::{Source, ended, first_line, stderr, wait_for, write};

/// Serves these files, given as path and content. If root runs the test, the program runs as nobody, since root may read
/// everything.
fn source_of_nobody(files: &[(&str, &str)], unreadable: &[&str]) -> Source {
    let dir = tempfile::tempdir().unwrap();
    for (path, content) in files {
        write(dir.path(), path, content.as_bytes());
    }
    for path in unreadable {
        permit(&dir.path().join(path), 0o000);
    }
    permit(dir.path(), 0o755);
    let mut command = process::command("data-source", Path::new("."));
    command.args(["--settle", "20ms", "--rescan", "100ms", "--listen", "127.0.0.1:0", "--dir"]).arg(dir.path());
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.uid(65_534);
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let address = first_line(&mut child).replace("listening on http://", "");
    Source { dir, child, address }
}

fn permit(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The paths of the manifest's member `unreadable`, sorted as the answer has them.
fn unreadable(source: &Source) -> Vec<String> {
    let manifest = source.get("/sense/files").json();
    let listed = manifest["unreadable"].as_array().cloned().unwrap_or_default();
    listed.iter().map(|entry| entry["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_delta_lists_everything_that_cannot_be_read() {
    let source = source_of_nobody(&[("a.csv", "1"), ("b.csv", "2"), ("c.csv", "3")], &["b.csv"]);
    let version = source.version();
    source.write(".hidden", b"11");
    permit(&source.path(".hidden"), 0o000);
    fs::rename(source.path(".hidden"), source.path("a.csv")).unwrap();
    wait_for("the unreadable file", || unreadable(&source) == ["a.csv", "b.csv"]);
    let delta = source.get(&format!("/sense/files?since={version}")).json();
    assert_eq!((&delta["files"], &delta["removed"]), (&json!([]), &json!(["a.csv"])));
    assert_eq!(delta["unreadable"], source.get("/sense/files").json()["unreadable"]);
}

#[test]
fn a_file_that_may_not_be_read_stops_no_other() {
    let source = source_of_nobody(&[("a.csv", "sku,name\n")], &[]);
    let before = source.version();
    // Renamed into their places, so that they are there only as files that may not be read.
    for name in ["a.csv", "new.csv"] {
        source.write(".hidden", b"sku,name\n1,x\n");
        permit(&source.path(".hidden"), 0o000);
        fs::rename(source.path(".hidden"), source.path(name)).unwrap();
    }
    source.write("other.csv", b"sku,name\n");
    wait_for("the other file", || source.paths() == ["other.csv"] && unreadable(&source) == ["a.csv", "new.csv"]);
    assert_ne!(source.version(), before);
    permit(&source.path("a.csv"), 0o644);
    permit(&source.path("new.csv"), 0o644);
    wait_for("all files", || source.paths() == ["a.csv", "new.csv", "other.csv"]);
    assert_eq!(source.get("/sense/files").json().get("unreadable"), None);
    assert_eq!(source.get("/read/a.csv").text(), "sku,name\n1,x\n");
}

#[test]
fn a_source_is_ready_though_a_file_and_a_folder_cannot_be_read() {
    let files = [("a.csv", "sku,name\n1,a\n"), ("b.csv", "sku,name\n2,b\n"), ("sub <x>/c.csv", "sku,name\n3,c\n")];
    let mut source = source_of_nobody(&files, &["b.csv", "sub <x>"]);
    assert_eq!(source.paths(), ["a.csv"]);
    let denied = "Permission denied (os error 13)";
    let expect = json!([{"path": "b.csv", "error": denied}, {"path": "sub <x>/", "error": denied}]);
    assert_eq!(source.get("/sense/files").json()["unreadable"], expect);
    assert_eq!(source.get("/read").text(), "sku,name\n1,a\n");
    for path in ["/read/b.csv", "/read/sub%20%3Cx%3E/c.csv"] {
        assert!(source.get(path).problem(503).contains("Permission denied"), "{path}");
    }
    let page = source.get("/").text();
    assert!(page.contains("sub &#60;x&#62;/") && page.contains(denied), "{page}");
    let metrics = source.get("/metrics").text();
    assert!(metrics.lines().any(|line| line == "tributary_source_unreadable 2"), "{metrics}");

    let mut version = source.version();
    let began = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| permit(&source.path("sub <x>"), 0o755));
        while source.paths().len() < 2 {
            let sense = source.get(&format!("/sense?since={version}&wait=60")).json();
            assert_eq!(sense["status"], 1);
            version = sense["version"].as_str().unwrap().to_owned();
            let manifest = source.get("/sense/files").text();
            assert!(manifest.contains("sub <x>/"), "what was unreadable never seems to be gone: {manifest}");
        }
    });
    assert!(began.elapsed().as_secs() < 30, "a wait ends with the change");
    permit(&source.path("b.csv"), 0o644);
    wait_for("all files", || source.paths().len() == 3 && unreadable(&source).is_empty());
    source.signal("TERM");
    assert!(ended(&mut source.child).success());
    let logs = stderr(&mut source.child);
    assert_eq!(logs.matches("cannot be read: Permission denied").count(), 1, "once per change: {logs}");
    assert!(logs.contains("`b.csv` is no longer unreadable"), "{logs}");
}
