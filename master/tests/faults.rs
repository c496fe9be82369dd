//! Sources that misbehave stop neither the others nor the run, and the summary says which and why.

mod nth;

use tributary_testkit::{
    faulty::{Answer, FaultySource},
    process, wait,
};

use crate::system::System;

const SENSE: &str =
    r#"{"status":1,"version":"v1","name":"bad","files":1,"bytes":30,"changed_at":"2026-11-22T00:00:00Z"}"#;
const FEED: &str = "sku,name\nbad,Bad\n";

fn hash(body: &str) -> String {
    format!("blake3:{}", blake3::hash(body.as_bytes()).to_hex())
}

/// A source that lists `feed.csv` with this hash and answers its read so.
fn listing(hash: &str, read: Answer) -> FaultySource {
    let entry =
        format!(r#"{{"path":"feed.csv","size":{},"modified":"2026-11-22T00:00:00Z","hash":"{hash}"}}"#, FEED.len());
    let files = format!(r#"{{"version":"v1","files":[{entry}]}}"#);
    FaultySource::start(&[
        ("/sense", Answer::json(SENSE)),
        ("/sense/files", Answer::json(&files)),
        ("/read/feed.csv", read),
    ])
}

/// Runs the master over a good source and `bad`, which must fail with a text that holds `why`.
#[track_caller]
fn check(bad: &FaultySource, why: &str) -> System {
    let mut system = System::new();
    system.write("good", "feed.csv", "sku,name\ng,Good\n");
    let good = system.serve("good");
    system.settle("good");
    system.configure(&format!(
        "[[source]]\nname = \"bad\"\nurl = \"{}\"\n[[source]]\nname = \"good\"\nurl = \"{good}\"\n",
        bad.url
    ));
    let output = system.once();
    let summary = process::stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{summary}");
    assert_eq!(summary.lines().count(), 1, "{summary}");
    assert!(summary.contains("; bad") && summary.contains(why), "`{summary}` does not say `{why}`");
    assert_eq!(system.products().into_keys().collect::<Vec<_>>(), ["g"]);
    system
}

#[test]
fn it_hangs() {
    check(&FaultySource::start(&[("/sense", Answer::Hang)]), "timed out");
}

#[test]
fn it_stands_still_in_the_middle_of_a_body() {
    let bad = listing(&hash(FEED), Answer::Stall("text/csv", FEED.into()));
    let system = check(&bad, "feed.csv: the body stalled");
    assert_eq!(bad.requests().len(), 3, "it is not asked again: {:?}", bad.requests());
    assert_eq!(system.table("sources")[0]["state"], "down");
}

#[test]
fn it_is_not_ready_at_once() {
    let busy = Answer::Raw(
        b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    let source = FaultySource::start(&[("/sense", busy), ("/read", Answer::csv(FEED))]);
    let system = System::new();
    system.configure(&format!("[[source]]\nname = \"slow\"\nurl = \"{}\"\n", source.url));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            wait::until("the source is asked a second time", || (source.requests().len() > 1).then_some(()));
            source.answer("/sense", Answer::json(r#"{"status":1}"#));
        });
        system.once_ok();
    });
    assert_eq!(system.products()["bad"].0, "Bad");
}

#[test]
fn it_answers_500() {
    check(&FaultySource::start(&[("/sense", Answer::Status("500 Internal Server Error"))]), "/sense answers 500");
    check(&listing(&hash(FEED), Answer::Status("500 Internal Server Error")), "/read/feed.csv answers 500");
}

#[test]
fn it_knows_no_sense() {
    check(&FaultySource::start(&[]), "/sense answers 404");
}

#[test]
fn it_cuts_a_body() {
    let bad = listing(&hash(FEED), Answer::Cut("text/csv", FEED.into()));
    let system = check(&bad, "feed.csv: the body was cut off");
    let listings = bad.requests().iter().filter(|line| line.contains("/sense/files")).count();
    assert_eq!(listings, 3, "the manifest is asked for again, three rounds in all");
    assert_eq!(system.table("files")[0]["state"], "changing");
    check(
        &FaultySource::start(&[
            ("/sense", Answer::json(r#"{"status":1}"#)),
            ("/read", Answer::Cut("text/csv", FEED.into())),
        ]),
        "cut off",
    );
}

#[test]
fn it_lies_about_its_hash() {
    check(&listing(&hash("other"), Answer::csv(FEED)), "sends 17 bytes with the hash");
    check(&listing(&hash(FEED), Answer::csv("sku,name\nbad,Bad\nand,more\n")), "more than the 17 bytes");
    check(&listing("md5:00", Answer::csv(FEED)), "md5:00");
}

#[test]
fn it_answers_otherwise_than_asked() {
    let part = Answer::Raw(b"HTTP/1.1 206 Partial Content\r\nContent-Length: 9\r\nConnection: close\r\n\r\nsku,name\n");
    check(&FaultySource::start(&[("/sense", Answer::json(r#"{"status":1}"#)), ("/read", part)]), "/read answers 206");
    let coded = Answer::Raw(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 9\r\nConnection: close\r\n\r\nsku,name\n",
    );
    check(
        &FaultySource::start(&[("/sense", Answer::json(r#"{"status":1}"#)), ("/read", coded)]),
        "content coding \"br\"",
    );
}

/// A source could send the master to any host that it can reach, and have its answers taken for the source's own.
#[test]
fn it_redirects() {
    let other = FaultySource::start(&[
        ("/sense", Answer::json(SENSE)),
        ("/read", Answer::csv(FEED)),
        ("/read/feed.csv", Answer::csv(FEED)),
    ]);
    let redirect = |status: &str, path: &str| {
        let head = format!("HTTP/1.1 {status}\r\nLocation: {}{path}\r\nContent-Length: 0\r\n", other.url);
        Answer::Raw(format!("{head}Connection: close\r\n\r\n").leak().as_bytes())
    };
    for status in ["302 Found", "307 Temporary Redirect"] {
        let check = |bad: FaultySource, path: &str| {
            let system = check(&bad, &format!("{path} redirects to {}{path}; ", other.url));
            let error = system.table("sources")[0]["error"].as_str().unwrap().to_owned();
            assert!(error.contains(&format!("write its address, as in `url = \"{}\"`", other.url)), "{error}");
            assert_eq!(system.table("sources")[0]["state"], "down");
        };
        check(FaultySource::start(&[("/sense", redirect(status, "/sense"))]), "/sense");
        check(listing(&hash(FEED), redirect(status, "/read/feed.csv")), "/read/feed.csv");
        let plain = [("/sense", Answer::json(r#"{"status":1}"#)), ("/read", redirect(status, "/read"))];
        check(FaultySource::start(&plain), "/read");
    }
    assert_eq!(other.requests(), [""; 0], "the target was never asked");
}

#[test]
fn it_serves_html() {
    let page = || Answer::Ok("text/html; charset=utf-8", b"<!doctype html><p>hello".to_vec());
    check(&FaultySource::start(&[("/sense", page())]), "web page");
    check(&FaultySource::start(&[("/sense", Answer::json(r#"{"status":1}"#)), ("/read", page())]), "web page");
    let disguised = Answer::csv("<!doctype html>\n<p>hello</p>\n");
    check(&FaultySource::start(&[("/sense", Answer::json(r#"{"status":1}"#)), ("/read", disguised)]), "is rejected");
}

#[test]
fn it_speaks_another_language() {
    check(&FaultySource::start(&[("/sense", Answer::json("[1]"))]), "does not answer as a source does");
    check(&FaultySource::start(&[("/sense", Answer::json(r#"{"status":7}"#))]), "status 7");
    let files = r#"{"version":"v","files":[{"path":"../x.csv","size":1,"modified":"","hash":"blake3:00"}]}"#;
    check(&FaultySource::start(&[("/sense", Answer::json(SENSE)), ("/sense/files", Answer::json(files))]), "../x.csv");
}

#[test]
fn a_hash_in_sha256_is_understood() {
    use sha2::Digest;
    let hex: String = sha2::Sha256::digest(FEED).iter().map(|byte| format!("{byte:02x}")).collect();
    let source = listing(&format!("sha256:{hex}"), Answer::csv(FEED));
    let system = System::new();
    system.configure(&format!("[[source]]\nname = \"other\"\nurl = \"{}\"\n", source.url));
    system.once_ok();
    assert_eq!(system.products()["bad"].0, "Bad");
}
