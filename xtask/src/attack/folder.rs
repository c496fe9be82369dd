//! A folder that is exchanged while it is looked at.

use std::{
    fs,
    os::unix::fs::symlink,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use tributary_testkit::http;

use super::{
    Attack, How,
    stage::{Stage, plain},
};

pub(super) const ATTACKS: &[Attack] = &[
    Attack("5", "files and folders are exchanged for links to the outside, 3,000 times", How::On(plain, exchanged)),
    Attack("5", "FIFOs, devices and links stand where files stood", How::On(plain, no_files)),
    Attack("5", "paths that climb out, by every spelling", How::On(plain, climbing)),
    Attack("5", "a file that grows and shrinks while it is read", How::On(plain, restless)),
];

const SECRET: &str = "sku,name\nsecret,From outside\n";

/// Nothing from outside may be in what the source serves and the master holds.
fn nothing_from_outside(stage: &Stage) -> Result<()> {
    let rows = String::from_utf8_lossy(&http::get(&stage.source("/read"))?.1).into_owned();
    ensure!(!rows.contains("From outside"), "the source serves a file from outside");
    ensure!(stage.ask("GET", "/api/v1/products/secret", &[], b"")?.status == 404, "a row from outside was applied");
    Ok(())
}

fn exchanged(stage: &Stage) -> Result<String> {
    let (folder, outside) = (stage.folder(), stage.home().join("outside"));
    fs::create_dir(&outside)?;
    fs::write(outside.join("a.csv"), SECRET)?;
    let (inner, aside, file) = (folder.join("inner"), folder.join(".aside"), folder.join("b.csv"));
    fs::create_dir(&inner)?;
    fs::write(inner.join("a.csv"), "sku,name\ninner,Inside\n")?;
    let mut read = 0;
    for round in 0..3_000 {
        fs::rename(&inner, &aside)?;
        symlink(&outside, &inner)?;
        let _ = fs::remove_file(&file);
        symlink(outside.join("a.csv"), &file)?;
        if round % 50 == 0 {
            for path in ["/read/inner/a.csv", "/read/b.csv", "/read"] {
                let (status, body) = http::get(&stage.source(path)).unwrap_or((0, Vec::new()));
                ensure!(
                    !String::from_utf8_lossy(&body).contains("From outside"),
                    "{path} was answered with {status} from outside"
                );
                read += 1;
            }
        }
        fs::remove_file(&inner)?;
        fs::rename(&aside, &inner)?;
        fs::remove_file(&file)?;
        fs::write(&file, format!("sku,name\nb,Inside {round}\n"))?;
    }
    nothing_from_outside(stage)?;
    clear(stage, &["b", "inner"])?;
    Ok(format!("{read} readings meanwhile"))
}

/// Removes what was added to the folder, and waits until the products are gone.
fn clear(stage: &Stage, skus: &[&str]) -> Result<()> {
    for entry in fs::read_dir(stage.folder())?.flatten().filter(|entry| entry.file_name() != "feed.csv") {
        let _ = fs::remove_file(entry.path());
        let _ = fs::remove_dir_all(entry.path());
    }
    for sku in skus {
        let path = format!("/api/v1/products/{sku}");
        stage.until("what was added is gone", || {
            (stage.ask("GET", &path, &[], b"").ok()?.status == 404).then_some(())
        })?;
    }
    Ok(())
}

fn no_files(stage: &Stage) -> Result<String> {
    let folder = stage.folder();
    for name in ["fifo", "zero", "link"] {
        fs::write(folder.join(format!("{name}.csv")), format!("sku,name\n{name},Inside\n"))?;
    }
    let shown = |sku: &str| {
        stage.ask("GET", &format!("/api/v1/products/{sku}"), &[], b"").is_ok_and(|answer| answer.status == 200)
    };
    stage.until("they are applied", || (shown("fifo") && shown("zero") && shown("link")).then_some(()))?;
    for name in ["fifo", "zero", "link"] {
        fs::remove_file(folder.join(format!("{name}.csv")))?;
    }
    let made = Command::new("mkfifo").arg(folder.join("fifo.csv")).status()?;
    ensure!(made.success(), "mkfifo failed");
    symlink("/dev/zero", folder.join("zero.csv"))?;
    symlink("/etc/passwd", folder.join("link.csv"))?;
    for sku in ["fifo", "zero", "link"] {
        stage.until("what stood there is gone", || (!shown(sku)).then_some(()))?;
        let (status, _) = http::get(&stage.source(&format!("/read/{sku}.csv")))?;
        ensure!(status == 404, "{sku}.csv was answered with {status}");
    }
    clear(stage, &[])?;
    Ok(String::new())
}

fn climbing(stage: &Stage) -> Result<String> {
    fs::write(stage.home().join("a.csv"), SECRET)?;
    let paths = [
        "/read/../a.csv",
        "/read/%2e%2e/a.csv",
        "/read/..%2fa.csv",
        "/read/%2e%2e%2fa.csv",
        "/read/x/../../a.csv",
        "/read//etc/passwd",
        "/read/%2fetc%2fpasswd",
        "/read/feed.csv/../../a.csv",
        "/read/..%5ca.csv",
        "/read/feed.csv%00",
        "/read/./../a.csv",
        "/read/%252e%252e/a.csv",
    ];
    for path in paths {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let answer = http::exchange(&stage.source(""), request.as_bytes())?;
        ensure!((400..500).contains(&answer.status), "{path} was answered with {}", answer.status);
    }
    for name in ["../a.csv", "..%2fa.csv", "/etc/a.csv", "a%00.csv", "."] {
        let answer = stage.ask("PUT", &format!("/api/v1/documents/{name}"), &[], SECRET.as_bytes())?;
        ensure!((400..500).contains(&answer.status), "a document named {name} was answered with {}", answer.status);
    }
    nothing_from_outside(stage)?;
    Ok(format!("{} paths", paths.len() + 5))
}

fn restless(stage: &Stage) -> Result<String> {
    let (path, end) = (stage.folder().join("restless.csv"), Instant::now() + Duration::from_secs(10));
    let mut writes = 0_u32;
    while Instant::now() < end {
        let rows: String = (0..1 + writes * 7 % 5_000).map(|row| format!("r{row},Row\n")).collect();
        fs::write(&path, format!("sku,name\n{rows}"))?;
        writes += 1;
        thread::sleep(Duration::from_millis(u64::from(writes % 40)));
    }
    fs::write(&path, "sku,name\nr0,Last\n")?;
    stage.until("the last content is applied", || {
        let product = stage.json("/api/v1/products/r0").ok()?;
        let others = stage.ask("GET", "/api/v1/products/r1", &[], b"").ok()?;
        (product["name"] == "Last" && others.status == 404).then_some(())
    })?;
    clear(stage, &["r0"])?;
    Ok(format!("{writes} writes"))
}
