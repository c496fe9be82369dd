//! `/sense` and `/sense/files`, at once and by waiting.

use std::{
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    time::{Duration, Instant},
};

use crate::support::{Source, wait_for};

#[test]
fn sense_tells_whether_the_caller_lacks_something() {
    let source = Source::with(&[("a.csv", "sku,name\n1,a\n")], &["--settle", "50ms", "--name", "north"]);
    let sense = source.get("/sense").json();
    assert_eq!((&sense["name"], &sense["files"], &sense["bytes"]), (&"north".into(), &1.into(), &13.into()));
    assert!(sense["changed_at"].as_str().unwrap().ends_with('Z'), "{sense}");
    let version = source.version();
    let check = |query: &str, expect: u8| {
        let answer = source.get(&format!("/sense{query}"));
        assert_eq!(answer.header("etag"), format!("\"{version}\""));
        assert_eq!(answer.json()["status"], expect, "{query}");
    };
    check("", 1);
    check("?since=", 1);
    check("?since=other", 1);
    check("?since=&wait=30", 1);
    check(&format!("?since={version}"), 0);
    check(&format!("?since={version}&wait=0.05"), 0);
    for bad in ["x", "-1", "NaN", ""] {
        assert!(source.get(&format!("/sense?wait={bad}")).problem(400).contains("wait"));
    }
    let problem = source.get("/sense?sinec=1").problem(400);
    assert!(problem.contains("`since`, `wait`"), "the known parameters are named: {problem}");
    assert!(!problem.contains("Query deserialize"), "{problem}");
}

#[test]
fn a_plain_read_is_what_foreign_callers_have() {
    let source = Source::of(&[("a.csv", "sku,name\n1,a\n")]);
    let status = || source.get("/sense").json()["status"].clone();
    assert_eq!(status(), 1, "nothing was read");
    source.ask("HEAD", "/read", &[]);
    source.get("/read/a.csv");
    assert_eq!(status(), 1, "neither a HEAD nor one file is all rows");
    source.get("/read").text();
    wait_for("status 0 after a whole read", || status() == 0);
    assert_eq!(source.get("/sense?since=").json()["status"], 1, "a caller who says what it has is believed");
    source.write("b.csv", b"sku,name\n2,b\n");
    wait_for("status 1 after a change", || status() == 1);
}

#[test]
fn tags_are_compared() {
    let source = Source::of(&[("a.csv", "1")]);
    let tag = source.get("/sense").header("etag").to_owned();
    for path in ["/sense", "/sense/files", "/read"] {
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            let answer = source.ask("GET", path, &[("if-none-match", &known)]);
            assert_eq!((answer.status.as_u16(), answer.header("etag")), (304, tag.as_str()), "{path} {known}");
            assert_eq!(answer.body.unwrap(), b"");
        }
        assert_eq!(source.ask("GET", path, &[("if-none-match", "\"x\"")]).status, 200, "{path}");
    }
}

#[test]
fn a_wait_ends_with_a_change() {
    let source = Source::of(&[("a.csv", "1")]);
    let version = source.version();
    let tag = format!("\"{version}\"");
    let began = Instant::now();
    std::thread::scope(|scope| {
        let since = scope.spawn(|| source.get(&format!("/sense?since={version}&wait=60")).json());
        let tagged = scope.spawn(|| source.ask("GET", "/sense?wait=60", &[("if-none-match", &tag)]));
        source.write("b.csv", b"2");
        let sense = since.join().unwrap();
        assert_eq!((&sense["status"], &sense["files"]), (&1.into(), &2.into()));
        let tagged = tagged.join().unwrap();
        assert_eq!(tagged.status, 200);
        assert_ne!(tagged.header("etag"), tag);
    });
    assert!(began.elapsed() < Duration::from_secs(30), "the wait was not cut short");
    let now = source.version();
    let unchanged = source.ask("GET", "/sense?wait=0.05", &[("if-none-match", &format!("\"{now}\""))]);
    assert_eq!(unchanged.status, 304);
}

#[test]
fn the_manifest_lists_what_is_offered() {
    let source =
        Source::of(&[("b.csv", "bb"), ("a/c.TXT.gz", ""), (".hidden/d.csv", ""), ("e.csv.part", ""), (".f.csv", "")]);
    fs::write(source.path("").join(std::ffi::OsStr::from_bytes(b"\xFF.csv")), "").unwrap();
    symlink(source.path("b.csv"), source.path("link.csv")).unwrap();
    symlink("/", source.path("linked")).unwrap();
    source.write("last.csv", b"");
    wait_for("the last file", || source.paths() == ["a/c.TXT.gz", "b.csv", "last.csv"]);
    let answer = source.get("/sense/files");
    let manifest = answer.json();
    assert_eq!(answer.header("etag"), format!("\"{}\"", manifest["version"].as_str().unwrap()));
    let file = &manifest["files"][1];
    assert_eq!((&file["path"], &file["size"]), (&"b.csv".into(), &2.into()));
    assert_eq!(file["hash"], format!("blake3:{}", blake3::hash(b"bb").to_hex()));
    assert!(file["modified"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn renames_and_removals_are_seen() {
    let source = Source::of(&[("a.csv", "1"), ("b.csv", "2")]);
    fs::rename(source.path("a.csv"), source.path("c.csv")).unwrap();
    wait_for("the new name", || source.paths() == ["b.csv", "c.csv"]);
    fs::remove_file(source.path("b.csv")).unwrap();
    wait_for("the removal", || source.paths() == ["c.csv"]);
}

#[test]
fn a_rewrite_of_the_same_size_and_time_is_seen() {
    let source = Source::of(&[("a.csv", "1111")]);
    let before = source.version();
    let modified = fs::metadata(source.path("a.csv")).unwrap().modified().unwrap();
    source.write("a.csv", b"2222");
    fs::File::options().write(true).open(source.path("a.csv")).unwrap().set_modified(modified).unwrap();
    wait_for("the new version", || source.version() != before);
    assert_eq!(source.get("/read/a.csv").text(), "2222");
}

#[test]
fn touching_changes_nothing() {
    let source = Source::of(&[("a.csv", "1")]);
    let before = source.get("/sense").json();
    let old = std::time::SystemTime::UNIX_EPOCH;
    fs::File::options().write(true).open(source.path("a.csv")).unwrap().set_modified(old).unwrap();
    wait_for("the new time", || source.get("/sense/files").json()["files"][0]["modified"] == "1970-01-01T00:00:00Z");
    assert_eq!(source.get("/sense").json(), before);
    assert_eq!(source.get("/read/a.csv").text(), "1");
}

#[test]
fn an_unreadable_folder_is_reported() {
    let outer = tempfile::tempdir().unwrap();
    let (root, away) = (outer.path().join("feeds"), outer.path().join("away"));
    fs::create_dir(&away).unwrap();
    fs::write(away.join("a.csv"), "sku,name\n").unwrap();
    fs::rename(&away, &root).unwrap();
    symlink(&root, outer.path().join("link")).unwrap();
    let link = outer.path().join("link");
    let mut child = crate::support::spawn(&[
        "--dir",
        link.to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
        "--settle",
        "50ms",
        "--rescan",
        "50ms",
    ]);
    let url = crate::support::first_line(&mut child).replace("listening on ", "");
    let source = Source { dir: outer, child, address: url.trim_start_matches("http://").to_owned() };
    let version = source.version();
    assert_eq!(source.paths(), ["a.csv"], "the folder itself may be a link");
    fs::rename(&root, &away).unwrap();
    wait_for("503", || source.get("/sense").status == 503);
    let refused = source.get(&format!("/sense?since={version}&wait=30"));
    assert!(refused.problem(503).contains("link"), "the reason names the path");
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(source.get("/sense/files").status, 503);
    assert_eq!(source.get("/healthz").status, 200);
    fs::rename(&away, &root).unwrap();
    wait_for("the folder again", || source.get("/sense").status == 200);
    assert_eq!(source.version(), version);
}

#[test]
fn until_the_first_scan_is_complete_only_healthz_answers() {
    // A file that never rests keeps the first scan going for its whole patience.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("busy.csv");
    fs::write(&path, "begin").unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let child = crate::support::spawn(&["--dir", dir.path().to_str().unwrap(), "--listen", &address]);
    let source = Source { dir, child, address };
    let busy = || fs::write(&path, "more").unwrap();
    wait_for("the port", || {
        busy();
        std::net::TcpStream::connect(&source.address).is_ok()
    });
    for path in ["/sense", "/sense/files", "/read", "/read/busy.csv", "/", "/metrics", "/none"] {
        busy();
        let answer = source.get(path);
        answer.problem(503);
        assert_eq!(answer.header("retry-after"), "1", "{path}");
    }
    assert_eq!(source.get("/healthz").status, 200);
    wait_for("readiness", || source.get("/sense").status == 200);
}
