//! The program itself: exit codes, signals, tokens, the page, and output.

use std::{
    io::Read,
    net::TcpStream,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use tributary_testkit::process;

use crate::support::{Source, ask, ended, first_line, spawn, stderr, wait_for};

/// Runs to the end; the exit code, stdout and stderr.
fn run(args: &[&str]) -> (i32, String, String) {
    let mut child = spawn(args);
    let code = ended(&mut child).code().expect("an exit code");
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    (code, stdout, stderr(&mut child))
}

#[test]
fn exit_codes_tell_usage_from_failure() {
    let dir = tempfile::tempdir().unwrap();
    let (dir, file) = (dir.path().to_str().unwrap(), dir.path().join("file"));
    std::fs::write(&file, " \n").unwrap();
    let file = file.to_str().unwrap();
    let check = |args: &[&str], code: i32, stderr: &str| {
        let ended = run(args);
        assert!(ended.0 == code && ended.2.contains(stderr) && ended.1.is_empty(), "{args:?}: {ended:?}");
    };
    check(&[], 2, "--dir");
    check(&["--dir", dir, "--settle", "soon"], 2, "--settle");
    check(&["--dir", dir, "--listen", "0.0.0.0:0"], 2, "--allow-anonymous");
    check(&["--dir", "/no/such/folder", "--listen", "127.0.0.1:0"], 1, "/no/such/folder");
    check(&["--dir", file, "--listen", "127.0.0.1:0"], 1, file);
    check(&["--dir", dir, "--listen", "127.0.0.1:0", "--token-file", "/no/such/token"], 1, "/no/such/token");
    check(&["--dir", dir, "--listen", "127.0.0.1:0", "--token-file", file], 1, "holds no token");
    let weak = format!("{file}.weak");
    std::fs::write(&weak, "north s3cret\n").unwrap();
    check(&["--dir", dir, "--listen", "127.0.0.1:0", "--token-file", &weak], 1, "128");
    check(&["--dir", dir, "--listen", "192.0.2.1:0", "--allow-anonymous"], 1, "192.0.2.1");
    check(&["inspect", "/no/such/file.csv"], 1, "/no/such/file.csv");
    check(&["inspect", file, "--encoding", "klingon"], 2, "klingon");
    check(&["inspect", file, "--delimiter", "\""], 2, "delimiter");
    assert_eq!(run(&["--version"]).0, 0);
    let (code, help, _) = run(&["--help"]);
    assert!(code == 0 && help.contains("--rescan") && help.contains("inspect"), "{help}");
}

#[test]
fn settings_come_from_the_environment_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = process::command("data-source", Path::new("."));
    command.env("TRIBUTARY_DIR", dir.path()).env("TRIBUTARY_LISTEN", "127.0.0.1:0").env("TRIBUTARY_NAME", "south");
    let mut child = command.args(["--name", "north"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let address = first_line(&mut child).replace("listening on http://", "");
    let source = Source { dir, child, address };
    assert_eq!(source.get("/sense").json()["name"], "north", "a flag beats the environment");
}

#[test]
fn a_stderr_that_is_gone_or_full_does_not_end_it() {
    let full = Stdio::from(std::fs::File::options().write(true).open("/dev/full").unwrap());
    let (reader, gone) = std::io::pipe().unwrap();
    drop(reader);
    for stderr in [full, Stdio::from(gone)] {
        let dir = tempfile::tempdir().unwrap();
        let mut command = process::command("data-source", Path::new("."));
        command.args(["--settle", "20ms", "--listen", "127.0.0.1:0", "--dir"]).arg(dir.path());
        let mut child = command.stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
        let address = first_line(&mut child).replace("listening on http://", "");
        let source = Source { dir, child, address };
        std::fs::write(source.path("a.csv"), "sku,name\n").unwrap();
        wait_for("the file", || source.paths() == ["a.csv"]);
    }
}

/// Whether the other end of a connection has accepted it and read all that was sent: a server that stops resets the others.
fn was_read(sent: &TcpStream) -> bool {
    let ports = [sent.peer_addr(), sent.local_addr()].map(|address| format!(":{:04X}", address.unwrap().port()));
    let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
    // Local and remote address are the columns 1 and 2; the bytes to send and to read are 4, and the inode is 9.
    let mut rows = sockets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.any(|row| {
        row[1].ends_with(&ports[0]) && row[2].ends_with(&ports[1]) && row[4].ends_with(":00000000") && row[9] != "0"
    })
}

#[test]
fn signals_stop_it_while_requests_are_held() {
    for signal in ["TERM", "INT"] {
        let mut source = Source::of(&[("a.csv", "sku,name\n")]);
        std::fs::File::create(source.path("big.csv")).unwrap().set_len(64 << 20).unwrap();
        wait_for("the big file", || source.paths().len() == 2);
        let version = source.version();
        let held = source.send(&format!(
            "GET /sense?since={version}&wait=60 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        ));
        // A client that takes its file so slowly that it never ends.
        let mut slow = source.send("GET /read/big.csv HTTP/1.1\r\nhost: localhost\r\n\r\n");
        slow.read_exact(&mut [0; 15]).unwrap();
        wait_for("the server to have read the request", || was_read(&held));
        let began = Instant::now();
        source.signal(signal);
        let mut answer = String::new();
        { held }.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"status\":0"), "{answer}");
        assert!(ended(&mut source.child).success());
        assert!(began.elapsed() < Duration::from_secs(5), "{signal}: {:?}", began.elapsed());
    }
}

#[test]
fn logs_go_to_stderr_as_text_or_json() {
    let mut source = Source::with(&[("a.csv", "1")], &["--log-format", "json"]);
    source.signal("TERM");
    assert!(ended(&mut source.child).success());
    let logs = stderr(&mut source.child);
    assert!(logs.lines().count() > 0);
    for line in logs.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
}

#[test]
fn a_token_is_asked_of_everyone() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "s3cretq7Yh2mVt9Kp4Zx8Rb1Nc5\n").unwrap();
    let args = ["--settle", "50ms", "--token-file", secret.path().to_str().unwrap()];
    let source = Source::with(&[("a.csv", "1")], &args);
    for path in ["/", "/style.css", "/sense", "/sense/files", "/read", "/read/a.csv", "/metrics", "/none"] {
        let refused = source.get(path);
        refused.problem(401);
        assert!(refused.header("www-authenticate").contains("Bearer"), "{path}");
        assert_eq!(source.ask("GET", path, &[("authorization", "Bearer wrong")]).status, 401, "{path}");
        let status = source.ask("GET", path, &[("authorization", "Bearer s3cretq7Yh2mVt9Kp4Zx8Rb1Nc5")]).status;
        assert_eq!(status, if path == "/none" { 404 } else { 200 }, "{path}");
    }
    let basic = "Basic YW55b25lOnMzY3JldHE3WWgybVZ0OUtwNFp4OFJiMU5jNQ=="; // anyone and the token
    assert_eq!(source.ask("GET", "/sense", &[("authorization", basic)]).status, 200);
    assert_eq!(source.get("/healthz").status, 200);
}

#[test]
fn another_token_needs_no_restart() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    let (old, new) = ("old-q7Yh2mVt9Kp4Zx8Rb1Nc5", "new-q7Yh2mVt9Kp4Zx8Rb1Nc5");
    std::fs::write(secret.path(), format!("north read {old}\n")).unwrap();
    let args = ["--settle", "50ms", "--token-file", secret.path().to_str().unwrap()];
    let source = Source::with(&[("a.csv", "1")], &args);
    let status =
        |token: &str| source.ask("GET", "/sense", &[("authorization", &format!("Bearer {token}"))]).status.as_u16();
    assert_eq!((status(old), status(new)), (200, 401));
    // A held answer would say that something has changed.
    let version = source.ask("GET", "/sense", &[("authorization", &format!("Bearer {old}"))]).json()["version"].clone();
    let mut held = source.send(&format!(
        "GET /sense?wait=60&since={} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {old}\r\n\r\n",
        version.as_str().unwrap()
    ));
    std::fs::write(secret.path(), format!("north read {new}\n")).unwrap();
    source.signal("HUP");
    wait_for("the new token", || status(new) == 200);
    let mut head = [0; 12];
    held.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 401");
    assert_eq!(status(old), 401);
    std::fs::write(secret.path(), format!("north read {old}\n")).unwrap();
    wait_for("a change without a signal", || status(old) == 200);
}

#[test]
fn other_methods_and_paths_are_refused() {
    let source = Source::of(&[("a.csv", "1")]);
    for path in ["/", "/sense", "/sense/files", "/read", "/read/a.csv", "/healthz", "/metrics"] {
        for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
            let answer = source.ask(method, path, &[]);
            answer.problem(405);
            assert_eq!(answer.header("allow"), "GET, HEAD", "{method} {path}");
        }
        assert_eq!(source.ask("HEAD", path, &[]).status, 200, "{path}");
    }
    for path in ["/none", "/sense/", "/sense/other", "/readme"] {
        source.get(path).problem(404);
    }
}

#[test]
fn the_page_shows_the_files_and_runs_nothing() {
    let source = Source::with(&[("a <b>.csv", "1"), ("c.csv", "22")], &["--settle", "50ms", "--name", "<north>"]);
    let page = source.get("/");
    let html = page.text();
    assert!(html.contains("&#60;north&#62;") && !html.contains("<north>"), "{html}");
    assert!(html.contains("href=\"/read/a%20%3Cb%3E.csv\"") && html.contains("2 bytes"), "{html}");
    assert!(html.contains(&source.version()));
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    for path in ["/", "/style.css", "/sense", "/none", "/read/c.csv"] {
        assert_eq!(source.get(path).header("x-content-type-options"), "nosniff", "{path}");
    }
    assert!(source.get("/style.css").header("content-type").starts_with("text/css"));
}

#[test]
fn metrics_count_what_happened() {
    let source = Source::of(&[("a.csv", "12345")]);
    source.get("/none");
    source.get("/read/a.csv");
    let text = ask(&format!("http://{}/metrics", source.address), "GET", &[]).text();
    for line in [
        "tributary_source_files 1",
        "tributary_source_bytes 5",
        "tributary_source_readable 1",
        "tributary_http_requests_total{route=\"other\",status=\"404\"} 1",
        "tributary_http_requests_total{route=\"/read/{path:.*}\",status=\"200\"} 1",
        "tributary_http_request_duration_seconds_count{route=\"/read/{path:.*}\",method=\"GET\"} 1",
        "# TYPE process_cpu_seconds_total counter",
        "# TYPE process_open_fds gauge",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}

#[test]
fn a_broken_pipe_is_no_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.csv");
    std::fs::write(&path, format!("sku,name\n{}", "1,a\n".repeat(200_000))).unwrap();
    let mut child = spawn(&["inspect", path.to_str().unwrap(), "--format", "csv"]);
    drop(child.stdout.take());
    assert!(ended(&mut child).success());
    assert_eq!(stderr(&mut child), "");
}
