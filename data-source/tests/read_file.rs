//! `/read/{path}`: exact bytes, whole, in part and compressed, also of files that change meanwhile.

use std::{
    fs::{self, File},
    io::{Read, Write},
    time::{Duration, SystemTime},
};

use crate::support::{Source, wait_for};

const TEXT: &str = "sku,name\n1,a\n2,b\n";

fn tag_of(content: &str) -> String {
    format!("\"blake3:{}\"", blake3::hash(content.as_bytes()).to_hex())
}

#[test]
fn a_file_comes_as_it_is() {
    let source = Source::of(&[("a.csv", TEXT), ("ä b/100%.csv", "x"), ("empty.csv", ""), ("p.csv.gz", "not really")]);
    let answer = source.get("/read/a.csv");
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, TEXT));
    assert_eq!((answer.header("content-type"), answer.header("accept-ranges")), ("text/csv", "bytes"));
    assert_eq!((answer.header("etag"), answer.header("vary")), (tag_of(TEXT).as_str(), "Accept-Encoding"));
    assert_eq!(answer.header("content-length"), TEXT.len().to_string());
    assert!(answer.header("last-modified").ends_with("GMT"));
    assert_eq!(source.get("/read/%C3%A4%20b/100%25.csv").text(), "x");
    assert_eq!(source.get("/read/%61%2Ecsv").text(), TEXT);
    assert_eq!(source.get("/read/empty.csv").text(), "");
    let packed = source.ask("GET", "/read/p.csv.gz", &[("accept-encoding", "zstd, gzip")]);
    assert_eq!((packed.text().as_str(), packed.header("content-type")), ("not really", "application/gzip"));
    assert_eq!((packed.header("content-encoding"), packed.header("vary")), ("", ""));
}

#[test]
fn a_head_tells_the_length() {
    let source = Source::of(&[("a.csv", TEXT), ("empty.csv", "")]);
    for (path, length) in [("/read/a.csv", "17"), ("/read/empty.csv", "0")] {
        let answer = source.ask("HEAD", path, &[("accept-encoding", "gzip")]);
        assert_eq!((answer.status.as_u16(), answer.header("content-length")), (200, length), "{path}");
        assert!(answer.header("etag").starts_with("\"blake3:"));
    }
    let part = source.ask("HEAD", "/read/a.csv", &[("range", "bytes=1-2")]);
    // Ranges are defined for GET alone (RFC 9110 section 14.2).
    assert_eq!((part.status.as_u16(), part.header("content-length")), (200, "17"));
    let mut raw = String::new();
    let request = "HEAD /read/a.csv HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    source.send(request).read_to_string(&mut raw).unwrap();
    assert!(raw.ends_with("\r\n\r\n"), "a HEAD has no body: {raw}");
}

#[test]
fn what_is_not_in_the_manifest_is_not_there() {
    let source = Source::of(&[("a.csv", TEXT), (".secret.csv", "x"), ("notes.md", "x")]);
    for path in [
        "/read/",
        "/read/b.csv",
        "/read/.secret.csv",
        "/read/notes.md",
        "/read/a.csv/",
        "/read//a.csv",
        "/read/%FF",
        "/read/A.csv",
    ] {
        assert!(source.get(path).problem(404).contains("/sense/files"), "{path}");
    }
    for path in ["../../../etc/passwd", "%2e%2e/%2e%2e/%2e%2e/etc/passwd", "..%2F..%2F..%2Fetc%2Fpasswd", "/etc/passwd"]
    {
        let mut raw = String::new();
        let request = format!("GET /read/{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        source.send(&request).read_to_string(&mut raw).unwrap();
        assert!(raw.starts_with("HTTP/1.1 404"), "{path}: {raw}");
    }
}

#[test]
fn parts_can_be_read() {
    let source = Source::of(&[("a.csv", "0123456789")]);
    let tag = tag_of("0123456789");
    let check = |headers: &[(&str, &str)], status: u16, body: &str, range: &str| {
        let answer = source.ask("GET", "/read/a.csv", headers);
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (status, body), "{headers:?}");
        assert_eq!((answer.header("content-range"), answer.header("etag")), (range, tag.as_str()), "{headers:?}");
    };
    check(&[("range", "bytes=2-4")], 206, "234", "bytes 2-4/10");
    check(&[("range", "bytes=7-")], 206, "789", "bytes 7-9/10");
    check(&[("range", "bytes=-2")], 206, "89", "bytes 8-9/10");
    check(&[("range", "bytes=0-1"), ("accept-encoding", "gzip")], 206, "01", "bytes 0-1/10");
    check(&[("range", "bytes=0-1"), ("if-range", &tag)], 206, "01", "bytes 0-1/10");
    check(&[("range", "bytes=0-1"), ("if-range", "\"other\"")], 200, "0123456789", "");
    check(&[("range", "bytes=0-1,3-4")], 200, "0123456789", "");
    check(&[("range", "rows=1-2")], 200, "0123456789", "");
    let beyond = source.ask("GET", "/read/a.csv", &[("range", "bytes=10-")]);
    assert!(beyond.problem(416).contains("10 bytes"));
    assert_eq!(beyond.header("content-range"), "bytes */10");
}

#[test]
fn conditions_are_kept() {
    let source = Source::of(&[("a.csv", TEXT)]);
    let (same, modified) = (tag_of(TEXT), source.get("/read/a.csv").header("last-modified").to_owned());
    let check = |headers: &[(&str, &str)], status: u16| {
        let answer = source.ask("GET", "/read/a.csv", headers);
        assert_eq!(answer.status, status, "{headers:?}");
        if status == 304 {
            assert_eq!((answer.header("etag"), answer.body.as_deref()), (same.as_str(), Ok(&b""[..])));
        }
    };
    check(&[("if-match", &same)], 200);
    check(&[("if-match", "\"other\"")], 412);
    check(&[("if-match", &format!("W/{same}"))], 412);
    check(&[("if-none-match", &same)], 304);
    check(&[("if-none-match", &format!("W/{same}"))], 304);
    check(&[("if-none-match", "\"other\"")], 200);
    check(&[("if-modified-since", &modified)], 304);
    check(&[("if-none-match", &same), ("range", "bytes=0-0")], 304);
    check(&[("if-match", "\"other\""), ("if-none-match", &same)], 412);
    source.ask("GET", "/read/a.csv", &[("if-match", "\"other\"")]).problem(412);
}

#[test]
fn a_file_of_any_time_can_be_read() {
    let source = Source::of(&[("a.csv", TEXT), ("b.csv", TEXT)]);
    let (second, year) = (Duration::from_secs(1), Duration::from_secs(365 * 24 * 3600));
    let before = |duration| SystemTime::UNIX_EPOCH.checked_sub(duration).unwrap();
    for time in [before(second), before(Duration::from_nanos(1)), before(60 * year), SystemTime::now() + 60 * year] {
        File::options().write(true).open(source.path("a.csv")).unwrap().set_modified(time).unwrap();
        wait_for("the new time", || source.get("/read/a.csv").status == 200);
        for (method, headers) in [
            ("GET", &[][..]),
            ("GET", &[("range", "bytes=0-2")]),
            ("GET", &[("accept-encoding", "gzip")]),
            ("HEAD", &[]),
        ] {
            let answer = source.ask(method, "/read/a.csv", headers);
            assert!(answer.status.is_success(), "{time:?} {method} {headers:?}: {}", answer.status);
            assert_eq!(answer.header("last-modified"), "", "no date of HTTP: {time:?}");
            assert!(answer.header("etag").contains("blake3:"));
        }
        for name in ["if-modified-since", "if-unmodified-since"] {
            let answer = source.ask("GET", "/read/a.csv", &[(name, "Sun, 06 Nov 1994 08:49:37 GMT")]);
            assert_eq!(answer.status, 200, "{time:?} {name}");
        }
        assert_eq!(source.get("/read/b.csv").text(), TEXT, "other files are not affected");
        assert_eq!(source.get("/").status, 200);
        let listed = source.get("/sense/files").json()["files"][0]["modified"].as_str().unwrap().to_owned();
        assert!(listed.ends_with('Z') && (listed.as_str() > "2030") == (time > SystemTime::now()), "{listed}");
    }
}

#[test]
fn whole_files_are_packed_on_the_way() {
    let content = TEXT.repeat(50_000);
    let source = Source::of(&[("a.csv", &content)]);
    let check = |accepted: &str, encoding: &str, unpack: &dyn Fn(&[u8]) -> Vec<u8>| {
        let answer = source.ask("GET", "/read/a.csv", &[("accept-encoding", accepted)]);
        assert_eq!((answer.header("content-encoding"), answer.header("vary")), (encoding, "Accept-Encoding"));
        let weak = if encoding.is_empty() { String::new() } else { "W/".to_owned() };
        assert_eq!(answer.header("etag"), format!("{weak}{}", tag_of(&content)), "{accepted}");
        let body = answer.body.unwrap();
        assert!(encoding.is_empty() || body.len() < content.len() / 10, "{accepted}");
        assert!(unpack(&body) == content.as_bytes(), "{accepted}");
    };
    let gunzip = |bytes: &[u8]| {
        let mut out = Vec::new();
        flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).unwrap();
        out
    };
    check("gzip", "gzip", &gunzip);
    check("zstd, gzip", "zstd", &|bytes| zstd::decode_all(bytes).unwrap());
    check("zstd;q=0, gzip;q=0.5", "gzip", &gunzip);
    check("identity", "", &|bytes| bytes.to_vec());
}

#[test]
fn a_file_that_changed_since_is_refused() {
    // A settle so long that the manifest still lists what was.
    let source = Source::with(&[("a.csv", "1111"), ("b.csv", "2"), ("c.csv", "3")], &["--settle", "2s"]);
    source.write("a.csv", b"9999");
    fs::remove_file(source.path("b.csv")).unwrap();
    fs::remove_file(source.path("c.csv")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", source.path("c.csv")).unwrap();
    for path in ["/read/a.csv", "/read/b.csv", "/read/c.csv"] {
        assert!(source.get(path).problem(412).contains("changed"), "{path}");
    }
    source.get("/read").problem(503);
    wait_for("the new manifest", || source.paths() == ["a.csv"]);
    assert_eq!(source.get("/read/a.csv").text(), "9999");
}

#[test]
fn a_file_that_changes_while_it_is_read_is_cut() {
    const SIZE: u64 = 64 << 20;
    let source = Source::of(&[]);
    File::create(source.path("big.csv")).unwrap().set_len(SIZE).unwrap();
    wait_for("the big file", || source.paths() == ["big.csv"]);
    for change in ["grow", "shrink", "replace"] {
        let mut stream = source.send("GET /read/big.csv HTTP/1.1\r\nhost: localhost\r\n\r\n");
        let mut start = [0; 15];
        stream.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"HTTP/1.1 200 OK");
        let path = source.path("big.csv");
        match change {
            "grow" => File::options().append(true).open(&path).unwrap().write_all(b"x").unwrap(),
            "shrink" => File::options().write(true).open(&path).unwrap().set_len(SIZE / 2).unwrap(),
            _ => {
                source.write("new.tmp", b"sku,name\n");
                fs::rename(source.path("new.tmp"), &path).unwrap();
            }
        }
        let mut rest = Vec::new();
        // A reset is a cut as well.
        let _ = stream.read_to_end(&mut rest);
        assert!((rest.len() as u64) < SIZE, "{change}: {} bytes came", rest.len());
        File::create(&path).unwrap().set_len(SIZE).unwrap();
        let hash = {
            let mut hasher = blake3::Hasher::new();
            hasher.update_reader(std::io::repeat(0).take(SIZE)).unwrap();
            format!("blake3:{}", hasher.finalize().to_hex())
        };
        wait_for("the file as it was", || {
            source.get("/sense/files").json()["files"][0]["hash"] == hash
                && source.ask("HEAD", "/read/big.csv", &[]).status == 200
        });
    }
}
