//! Sources that send more than any good one does.

use std::{
    io::{self, Write},
    net::TcpStream,
};

use anyhow::{Result, ensure};

use super::{
    Attack, How,
    hostile::{endless, head, reply, sensed},
    stage::{Plan, REPORT, Stage},
};

pub(super) const ATTACKS: &[Attack] = &[
    Attack(
        "3",
        "a source lists 1,000,001 files",
        How::On(|| lists(1_000_001), |stage| refused(stage, "limit `max_files`")),
    ),
    Attack(
        "3",
        "a source lists 1,000,000 files that it does not have",
        How::On(|| lists(1_000_000), |stage| refused(stage, "were not asked for")),
    ),
    Attack(
        "3",
        "a manifest without an end",
        How::On(|| endless_list(MANIFEST, b"          "), |stage| refused(stage, "an item of more than")),
    ),
    Attack("3", "a path of a megabyte", How::On(|| listing(&long_path()), |stage| refused(stage, "bytes"))),
    Attack("3", "fifteen megabytes of reasons", How::On(|| listing(&many_reasons()), reasons)),
    Attack(
        "3",
        "an answer whose head has no end",
        How::On(|| endless_list(HEAD, b"X-More: and more\r\n"), |stage| refused(stage, "")),
    ),
    Attack(
        "3",
        "a plain source whose rows have no end",
        How::On(|| endless_body(b"x,y\n"), |stage| refused(stage, "max_file_size")),
    ),
    Attack(
        "3",
        "the same, of one line",
        How::On(|| endless_body(b"xxxxxxxx"), |stage| refused(stage, "max_file_size")),
    ),
    Attack(
        "3",
        "a problem that explains itself for ever",
        How::On(|| endless_list(PROBLEM, b"and so on, "), |stage| refused(stage, "")),
    ),
    Attack("3", "forty hostile sources at once", How::On(forty, forty_refused)),
    Attack(
        "3",
        "a partial of a report with groups without an end",
        How::On(|| endless_groups(1_000), |stage| stage.report_fails("differs from the counts in its head")),
    ),
    Attack(
        "3",
        "a partial of a report that announces 4,000,000,000 groups",
        How::On(
            || endless_groups(4_000_000_000),
            |stage| stage.report_fails("counts more rows or groups than any file has"),
        ),
    ),
    Attack(
        "3",
        "forty sources answer a report with a line of 15 MiB that has no end",
        How::On(long_lines, all_are_asked),
    ),
];

/// The text of a manifest entry with this number.
pub(super) fn entry(number: u64) -> String {
    let hash = format!("{number:064x}");
    format!(
        "{{\"path\":\"{number}.csv\",\"size\":20,\"modified\":\"2026-11-22T00:00:00Z\",\"hash\":\"blake3:{hash}\"}}"
    )
}

pub(super) fn write_list(count: u64, out: &mut TcpStream) -> io::Result<()> {
    head(out, "application/json")?;
    let mut out = io::BufWriter::new(out);
    out.write_all(b"{\"version\":\"v1\",\"files\":[")?;
    for number in 0..count {
        let comma = if number == 0 { "" } else { "," };
        out.write_all(format!("{comma}{}", entry(number)).as_bytes())?;
    }
    out.write_all(b"]}")?;
    out.flush()
}

fn lists(count: u64) -> Result<Plan> {
    Plan::new().hostile("bad", "", move |path, out| match path {
        "/sense/files" => write_list(count, out),
        _ => sensed(path, out),
    })
}

fn listing(manifest: &str) -> Result<Plan> {
    let manifest = manifest.to_owned();
    Plan::new().hostile("bad", "", move |path, out| match path {
        "/sense/files" => reply(out, "application/json", manifest.as_bytes()),
        _ => sensed(path, out),
    })
}

fn long_path() -> String {
    format!("{{\"version\":\"v1\",\"files\":[{}]}}", entry(1).replace("1.csv", &"x".repeat(1 << 20)))
}

fn many_reasons() -> String {
    let reason = |number| format!("{{\"path\":\"{number}.csv\",\"error\":\"{}\"}}", "r".repeat(15_000));
    let reasons: Vec<_> = (0..1_000).map(reason).collect();
    format!("{{\"version\":\"v1\",\"files\":[],\"unreadable\":[{}]}}", reasons.join(","))
}

const MANIFEST: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{\"version\":\"v1\",\"files\":[";
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\n";
const PROBLEM: &[u8] =
    b"HTTP/1.1 500 Sorry\r\nContent-Type: application/problem+json\r\nConnection: close\r\n\r\n{\"detail\":\"";

/// Answers the question for files with this beginning, and then the piece for ever.
fn endless_list(begin: &'static [u8], piece: &'static [u8]) -> Result<Plan> {
    Plan::new().hostile("bad", "", move |path, out| match path {
        "/sense/files" => {
            out.write_all(begin)?;
            endless(out, piece)
        }
        _ => sensed(path, out),
    })
}

/// A plain source, which may send a gigabyte.
fn endless_body(piece: &'static [u8]) -> Result<Plan> {
    Plan::new().hostile("bad", "max_file_size = \"1GiB\"", move |path, out| match path {
        "/read" => {
            head(out, "text/csv")?;
            out.write_all(b"sku,name\n")?;
            endless(out, piece)
        }
        _ => reply(out, "application/json", br#"{"status":1}"#),
    })
}

fn forty() -> Result<Plan> {
    let mut plan = Plan::new();
    for number in 0..40 {
        plan = plan.hostile(&format!("bad{number}"), "max_file_size = \"64MiB\"", move |path, out| {
            match (number % 5, path) {
                (0, "/sense/files") => write_list(50_000, out),
                (1, "/sense/files") => reply(out, "application/json", many_reasons().as_bytes()),
                (2, "/sense/files") => {
                    head(out, "application/json")?;
                    endless(out, b"[")
                }
                (3, "/read") => {
                    head(out, "text/csv")?;
                    endless(out, b"sku,name\n")
                }
                (3, _) => reply(out, "application/json", br#"{"status":1}"#),
                (4, "/sense/files") => endless(out, b"HTTP/1.1 100 Continue\r\n\r\n"),
                _ => sensed(path, out),
            }
        })?;
    }
    Ok(plan)
}

/// Announces so many groups, and sends one after the other for ever, in order.
fn endless_groups(announced: u64) -> Result<Plan> {
    Plan::new().section(REPORT).hostile("bad", "", move |path, out| match path.split('?').next() {
        Some("/sense/files") => {
            reply(out, "application/json", format!("{{\"version\":\"v1\",\"files\":[{}]}}", entry(1)).as_bytes())
        }
        Some("/aggregate") => {
            head(out, "application/x-ndjson")?;
            let partial = format!(
                "{{\"partial\":{{\"rows\":1000000000000,\"passed_over\":0,\"rejected\":0,\"rejects\":[],\"groups\":{announced}}}}}\n"
            );
            out.write_all(partial.as_bytes())?;
            let mut out = io::BufWriter::new(out);
            (0..1_000_000_000_u64)
                .try_for_each(|number| writeln!(out, "{{\"group\":[[\"group {number:010}\"],1,[]]}}"))
        }
        _ => sensed(path, out),
    })
}

/// A line that is long, but not too long, and never ends.
fn long_lines() -> Result<Plan> {
    (0..40).try_fold(Plan::new().section(REPORT), |plan, number| {
        plan.hostile(&format!("bad{number}"), "", |path, out| match path.split('?').next() {
            Some("/sense/files") => {
                let manifest = format!("{{\"version\":\"v1\",\"files\":[{},{}]}}", entry(1), entry(2));
                reply(out, "application/json", manifest.as_bytes())
            }
            Some("/aggregate") => {
                head(out, "application/x-ndjson")?;
                out.write_all(
                    b"{\"partial\":{\"rows\":1,\"passed_over\":0,\"rejected\":0,\"rejects\":[],\"groups\":1}}\n",
                )?;
                out.write_all(b"{\"group\":[[\"")?;
                let piece = vec![b'x'; 64 << 10];
                (0..15 << 4).try_for_each(|_| out.write_all(&piece))
            }
            _ => sensed(path, out),
        })
    })
}

fn all_are_asked(stage: &Stage) -> Result<String> {
    for number in 0..40 {
        let hostile = stage.hostile(&format!("bad{number}"));
        stage.until("it is asked for a partial", || hostile.was_asked_for("/aggregate").then_some(()))?;
    }
    stage.report_fails("/aggregate")
}

/// The source must be down, and say why in a text of a sensible length.
fn refused(stage: &Stage, words: &str) -> Result<String> {
    let error = stage.says("bad", words)?;
    ensure!(error.len() < 8 << 10, "its error has {} bytes", error.len());
    // What it does again and again must not take more than what it does once.
    let asked = stage.hostile("bad").asked();
    stage.until("it is asked again", || (stage.hostile("bad").asked() > asked + 1).then_some(()))?;
    Ok(error.chars().take(160).collect())
}

fn reasons(stage: &Stage) -> Result<String> {
    let error = stage.says("bad", "")?;
    for path in ["/", "/sources", "/sources/bad", "/api/v1/sources"] {
        let length = stage.ask("GET", path, &[], b"")?.body.len();
        ensure!(length < 64 << 10, "{path} has {length} bytes");
    }
    Ok(format!("an error of {} bytes", error.len()))
}

fn forty_refused(stage: &Stage) -> Result<String> {
    for number in 0..40 {
        stage.says(&format!("bad{number}"), "")?;
    }
    Ok(String::new())
}
