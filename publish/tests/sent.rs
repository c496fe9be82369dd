//! Requests that are sent, and the lines that are printed.

use std::{fs, os::unix::net::UnixListener, process::Stdio};

use crate::{
    command, content,
    fake::{FakeMaster, Reply, failed, status},
    folder, publish,
};

#[test]
fn a_file_is_sent_whole_and_followed_until_it_is_complete() {
    let folder = folder(&["sales.csv"]);
    let statuses = [
        status("queued", 0, 0),
        status("processing", 5, 1),
        status("somewhere", 5, 1),
        status("complete", 10_000_000, 3),
    ];
    let master = FakeMaster::start(&[Reply::Take(statuses.to_vec())]);
    let said = publish(&folder, &master.url, &["sales.csv"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(
        said.lines,
        [
            "sales.csv: complete, 10,000,000 rows, 3 rejects, T s",
            "1 file: 1 complete, 0 failed; 10,000,000 rows, 3 rejects, 0.0 MB, T s"
        ]
    );
    assert!(said.stderr.contains("sales.csv: sending 12009 bytes"), "{}", said.stderr);
    let [upload] = &master.uploads()[..] else { panic!("{:?}", master.uploads()) };
    assert_eq!((upload.target.as_str(), upload.metadata["filename"].as_str()), ("/api/v1/tus/", "sales.csv"));
    assert!(!upload.metadata.contains_key("replace"));
    assert_eq!(upload.body, content("sales.csv").into_bytes());
    assert_eq!(upload.parts, [(0, upload.body.len())]);
    for absent in ["authorization", "expect", "transfer-encoding"] {
        assert!(!upload.headers.contains_key(absent), "{absent}");
    }
}

#[test]
fn the_token_and_replace_are_sent() {
    let folder = folder(&["a.csv"]);
    fs::write(folder.path().join("token"), "s3cret\n").unwrap();
    let master = FakeMaster::start(&[Reply::Take(vec![status("complete", 1, 0)])]);
    // Behind a proxy the API may have a path before it.
    let to = format!("{}/tributary/", master.url);
    let said = publish(&folder, &to, &["--replace", "--token-file", "token", "a.csv"]);
    assert_eq!((said.code, said.lines[0].as_str()), (Some(0), "a.csv: complete, 1 row, 0 rejects, T s"), "{said:?}");
    let [upload] = &master.uploads()[..] else { panic!("{:?}", master.uploads()) };
    assert_eq!(upload.target, "/tributary/api/v1/tus/");
    assert_eq!((upload.metadata["filename"].as_str(), upload.metadata["replace"].as_str()), ("a.csv", "1"));
    assert_eq!(upload.headers["authorization"], "Bearer s3cret");
    assert!(!said.stderr.contains("s3cret"), "{}", said.stderr);
}

#[test]
fn names_arrive_as_they_are() {
    let names = ["a b+c.csv", "ä&x=1#?%41.csv", "-new\nline.csv", "\"q\".csv"];
    let folder = folder(&names);
    let master = FakeMaster::start(&[Reply::Take(vec![status("complete", 1, 0)])]);
    let said =
        publish(&folder, &master.url, &["--jobs", "1", names[0], names[1], &format!("./{}", names[2]), names[3]]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let sent: Vec<_> = master.uploads().into_iter().map(|upload| upload.metadata["filename"].clone()).collect();
    assert_eq!(sent, names);
    assert_eq!(said.lines[1], r"-new\nline.csv: complete, 1 row, 0 rejects, T s", "a file is a line");
}

#[test]
fn an_empty_file_and_one_of_three_slices_arrive_unchanged() {
    const SLICE: usize = 32 << 20;
    let folder = folder(&[]);
    let large: Vec<u8> = (0..70_000_011_u32).map(|at| (at / 7) as u8).collect();
    fs::write(folder.path().join("empty.csv"), "").unwrap();
    fs::write(folder.path().join("large.csv"), &large).unwrap();
    let master = FakeMaster::start(&[Reply::Take(vec![status("complete", 0, 0)])]);
    assert_eq!(publish(&folder, &master.url, &["--jobs=1", "empty.csv", "large.csv"]).code, Some(0));
    let uploads = master.uploads();
    assert_eq!((uploads[0].headers["upload-length"].as_str(), uploads[0].parts.len()), ("0", 0));
    assert!(uploads[1].body == large);
    assert_eq!(uploads[1].parts, [(0, SLICE), (SLICE, SLICE), (2 * SLICE, large.len() - 2 * SLICE)]);
}

#[test]
fn jobs_limits_the_uploads_at_the_same_time() {
    let names = ["1", "2", "3", "4", "5"];
    let folder = folder(&names);
    for (words, expect) in [(&["--jobs", "1"][..], 1), (&[], 2), (&["--jobs", "3"], 3)] {
        let statuses = vec![status("queued", 0, 0), status("processing", 0, 0), status("complete", 2, 1)];
        let master = FakeMaster::start(&[Reply::Take(statuses)]);
        let said = publish(&folder, &master.url, &[words, &names].concat());
        assert_eq!((said.code, master.max_open()), (Some(0), expect), "{said:?}");
        assert_eq!(said.lines[5], "5 files: 5 complete, 0 failed; 10 rows, 5 rejects, 0.0 MB, T s");
    }
}

#[test]
fn a_failed_file_stops_no_other_and_makes_the_exit_code_1() {
    let folder = folder(&["bad.csv", "good.csv"]);
    let master = FakeMaster::start(&[
        Reply::Take(vec![status("processing", 0, 0), failed("no usable header: found `x`")]),
        Reply::Take(vec![status("complete", 7, 0)]),
    ]);
    let said = publish(&folder, &master.url, &["--jobs=1", "bad.csv", "good.csv"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(
        said.lines,
        [
            "bad.csv: failed: no usable header: found `x`",
            "good.csv: complete, 7 rows, 0 rejects, T s",
            "2 files: 1 complete, 1 failed; 7 rows, 0 rejects, 0.0 MB, T s"
        ]
    );
    assert!(!said.stderr.contains("error:"), "stdout names it already: {}", said.stderr);
}

#[test]
fn a_summary_that_nobody_reads_is_no_error() {
    let folder = folder(&["a.csv"]);
    for (last, code) in [(status("complete", 1, 0), 0), (failed("no"), 1)] {
        let master = FakeMaster::start(&[Reply::Take(vec![last])]);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command(&folder, &master.url, &["a.csv"]).stdout(Stdio::from(writer)).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
    }
}

#[test]
fn wrong_arguments_are_refused_before_anything_is_sent() {
    let folder = folder(&["a.csv"]);
    let _socket = UnixListener::bind(folder.path().join("socket")).unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    let master = FakeMaster::start(&[Reply::Take(vec![status("complete", 1, 0)])]);
    let check = |words: &[&str], code: i32, part: &str| {
        let said = publish(&folder, &master.url, &[words, &["a.csv"]].concat());
        assert_eq!((said.code, said.lines.len()), (Some(code), 0), "{words:?}: {said:?}");
        assert!(said.stderr.contains(part), "{words:?}: {}", said.stderr);
    };
    check(&["none.csv"], 1, "error: failed to read none.csv: No such file");
    check(&["sub"], 1, "error: sub is a folder; name the files in it");
    check(&["."], 1, "error: . is a folder");
    check(&["socket"], 1, "error: socket is not a regular file");
    check(&["--token-file", "none"], 1, "failed to read the token file `none`");
    check(&["sub/a.csv"], 2, "sub/a.csv and a.csv have the same name");
    check(&["--jobs", "0"], 2, "--jobs");
    let said = publish(&folder, "master:5000", &["a.csv"]);
    assert!(said.code == Some(2) && said.stderr.contains("such as http://127.0.0.1:5000"), "{said:?}");
    let said = publish(&folder, &master.url, &[]);
    assert!(said.code == Some(2) && said.stderr.contains("<FILE>"), "{said:?}");
    assert_eq!(master.uploads(), []);
    for (word, part) in [("--help", "--replace"), ("--version", concat!("publish ", env!("CARGO_PKG_VERSION")))] {
        let said = publish(&folder, &master.url, &[word]);
        assert!(said.code == Some(0) && said.lines.iter().any(|line| line.contains(part)), "{said:?}");
    }
}
