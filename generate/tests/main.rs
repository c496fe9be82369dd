//! The built `generate`: exit codes, output, and that only complete files are left behind.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

use std::{
    fs,
    io::Read,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Does not use `testkit`, which depends on this crate.
fn generate(folder: &Path, words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_generate"));
    command.args(words.split_whitespace()).current_dir(folder).env_remove("RUST_LOG");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Stdout, stderr and the exit code.
fn outcome(output: &Output) -> (String, String, Option<i32>) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Sends a signal once `is_time` and waits for the exit. Returns the output and how long the stop took.
fn stopped(mut child: Child, signal: Signal, mut is_time: impl FnMut() -> bool) -> (Output, Duration) {
    while !is_time() {
        assert!(child.try_wait().unwrap().is_none(), "it runs");
        std::thread::sleep(Duration::from_millis(2));
    }
    let sent = Instant::now();
    kill_process(Pid::from_child(&child), signal).unwrap();
    child.wait().unwrap();
    (child.wait_with_output().unwrap(), sent.elapsed())
}

#[test]
fn a_file_is_written_and_summed_up() {
    let folder = TempDir::new().unwrap();
    for (shape, columns) in [("sales", 3), ("products", 3), ("products --columns brand,price", 5), ("transactions", 7)]
    {
        let words = format!("{shape} --rows 30000 --groups 40 --out out.csv");
        let (stdout, stderr, code) = outcome(&generate(folder.path(), &words).output().unwrap());
        assert_eq!((stderr.as_str(), code), ("", Some(0)), "{shape}");
        let bytes = fs::metadata(folder.path().join("out.csv")).unwrap().len();
        let mut reader = csv::Reader::from_path(folder.path().join("out.csv")).unwrap();
        assert_eq!(reader.headers().unwrap().len(), columns);
        assert_eq!(reader.records().map(Result::unwrap).count(), 30_000);
        assert!(stdout.starts_with("out.csv: 30,000 rows, ") && stdout.contains(" MB/s"), "{stdout}");
        let spelled: String = stdout.split(", ").nth(1).unwrap().chars().filter(char::is_ascii_digit).collect();
        assert_eq!(spelled, bytes.to_string(), "{stdout}");
        assert_eq!(names(folder.path()), ["out.csv"]);
    }
}

#[test]
fn the_same_arguments_give_the_same_bytes_on_stdout() {
    let folder = TempDir::new().unwrap();
    generate(folder.path(), "sales --rows 70000 --seed 3 --out a.csv").output().unwrap();
    let output = generate(folder.path(), "sales --rows 70000 --seed 3 --out -").output().unwrap();
    assert_eq!(output.stdout, fs::read(folder.path().join("a.csv")).unwrap());
    let (_, stderr, code) = outcome(&output);
    assert!(stderr.starts_with("stdout: 70,000 rows, ") && code == Some(0), "{stderr}");
}

#[test]
fn own_columns_stand_behind_the_description_and_change_nothing_else() {
    let folder = TempDir::new().unwrap();
    let records = |options: &str| {
        let words = format!("products --rows 2000 --seed 5 {options} --out -");
        let (stdout, _, code) = outcome(&generate(folder.path(), &words).output().unwrap());
        assert_eq!(code, Some(0), "{words}");
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(stdout.as_bytes());
        reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect::<Vec<Vec<_>>>()
    };
    let (without, with) = (records(""), records("--columns image,gtin,price,stock,category,brand"));
    assert_eq!(with[0].join(","), "name,sku,description,image,gtin,price,stock,category,brand");
    for (without, with) in without.iter().zip(&with) {
        assert_eq!((without.as_slice(), with.len()), (&with[..3], 9));
    }
    assert_eq!((without.len(), with.len()), (2_001, 2_001));
}

#[test]
fn wrong_usage_exits_with_2_and_a_failure_with_1() {
    let folder = TempDir::new().unwrap();
    let check = |words: &str, code: i32, part: &str| {
        let (stdout, stderr, got) = outcome(&generate(folder.path(), words).output().unwrap());
        assert_eq!((stdout.as_str(), got), ("", Some(code)), "{words}: {stderr}");
        assert!(stderr.contains(part), "{words}: {stderr}");
    };
    check("", 2, "Usage: generate");
    check("sales --rows 1", 2, "--out");
    check("sales --rows 1 --groups 0 --out a", 2, "--groups");
    check(
        "products --rows 1 --columns price,colour --out a",
        2,
        "there is no column `colour`; choose from price,stock,",
    );
    check("sales --rows 1 --out .", 1, "error: . is a folder; name a file");
    check("sales --rows 1 --out none/a.csv", 1, "error: failed to create none/a.csv: No such file");
    check("sales --rows 1 --out /dev/full", 1, "error: failed to write /dev/full: No space left");
    assert!(names(folder.path()).is_empty());
    for (words, part) in [
        ("--help", "transactions"),
        ("sales --help", "--groups <D>"),
        ("products --help", "--columns <NAME,…>"),
        ("--version", "generate 0."),
    ] {
        let (stdout, _, code) = outcome(&generate(folder.path(), words).output().unwrap());
        assert!(code == Some(0) && stdout.contains(part), "{words}: {stdout}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = TempDir::new().unwrap();
    let mut child = generate(folder.path(), "sales --rows 100000000 --out -").spawn().unwrap();
    let mut begin = [0; 15];
    child.stdout.take().unwrap().read_exact(&mut begin).unwrap();
    assert_eq!(&begin, b"Department Name");
    assert_eq!(outcome(&child.wait_with_output().unwrap()), (String::new(), String::new(), Some(0)));
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("out.csv"), "old").unwrap();
    // A limit on the file size simulates a full disk.
    let script = "trap '' XFSZ; ulimit -f 2000; exec \"$0\" sales --rows 1000000 --out out.csv";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_generate")]).current_dir(folder.path());
    let (stdout, stderr, code) = outcome(&command.output().unwrap());
    assert_eq!((stdout.as_str(), code), ("", Some(1)), "{stderr}");
    assert!(stderr.starts_with("error: failed to write out.csv: File too large"), "{stderr}");
    assert_eq!(names(folder.path()), ["out.csv"]);
    assert_eq!(fs::read_to_string(folder.path().join("out.csv")).unwrap(), "old");
}

#[test]
fn a_stop_leaves_nothing_behind() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = TempDir::new().unwrap();
        let child = generate(folder.path(), "sales --rows 1000000000 --out out.csv").spawn().unwrap();
        let (output, took) = stopped(child, signal, || {
            names(folder.path()).iter().any(|name| name.starts_with("out.csv.") && name.ends_with(".part"))
        });
        assert_eq!(outcome(&output), (String::new(), "error: stopped\n".to_owned(), Some(1)));
        assert!(took < Duration::from_secs(5), "{took:?}");
        assert!(names(folder.path()).is_empty());
    }
}

#[test]
fn a_reader_that_blocks_does_not_delay_a_stop() {
    let folder = TempDir::new().unwrap();
    let mut child = generate(folder.path(), "sales --rows 100000000 --out -").spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    // From here on it waits for its reader.
    stdout.read_exact(&mut [0; 100]).unwrap();
    let (output, took) = stopped(child, Signal::TERM, || true);
    assert_eq!(outcome(&output), (String::new(), "error: stopped\n".to_owned(), Some(1)));
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_pipe_without_a_reader_does_not_delay_a_stop() {
    let folder = TempDir::new().unwrap();
    assert!(Command::new("mkfifo").arg("pipe").current_dir(folder.path()).status().unwrap().success());
    let child = generate(folder.path(), "sales --rows 9 --out pipe").spawn().unwrap();
    let waits = format!("/proc/{}/task", child.id());
    // Both threads exist once signals are handled and the pipe is about to be opened.
    let (output, took) = stopped(child, Signal::TERM, || fs::read_dir(&waits).unwrap().count() == 3);
    assert_eq!(outcome(&output), (String::new(), "error: stopped\n".to_owned(), Some(1)));
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(names(folder.path()), ["pipe"], "nothing was put in its place");
}

#[test]
fn the_target_of_a_link_is_replaced() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("real.csv"), "old").unwrap();
    std::os::unix::fs::symlink("real.csv", folder.path().join("link.csv")).unwrap();
    assert!(generate(folder.path(), "sales --rows 1 --out link.csv").output().unwrap().status.success());
    assert!(fs::symlink_metadata(folder.path().join("link.csv")).unwrap().is_symlink());
    assert!(fs::read_to_string(folder.path().join("real.csv")).unwrap().starts_with("Department Name,"));
}
