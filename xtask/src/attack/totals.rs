//! Sources whose partials are valid and as large as they may be.

use std::{
    io::{self, Write},
    net::TcpStream,
};

use anyhow::{Result, ensure};

use super::{
    Attack, How,
    hostile::{head, reply, sensed},
    stage::{Plan, Stage},
};

pub(super) const ATTACKS: &[Attack] = &[Attack(
    "3",
    "three sources send 1,000,000 groups of three metrics each to a report, all of them different",
    How::On(three, all_are_added),
)];

/// Groups of each source.
const GROUPS: u64 = 1_000_000;
const SOURCES: u64 = 3;

const REPORT: &str = "[[report]]\nname = \"totals\"\nfiles = \"many.csv\"\ngroup_by = \"name\"\n\
     metrics = { s = \"sum(a)\", l = \"min(b)\", t = \"sum(b)\" }";

fn three() -> Result<Plan> {
    (0..SOURCES).try_fold(Plan::new().section(REPORT), |plan, source| {
        plan.hostile(&format!("bad{source}"), "", move |path, out| match path.split('?').next() {
            Some("/sense/files") => {
                let hash = format!("{source:064x}");
                let manifest = format!(
                    "{{\"version\":\"v1\",\"files\":[{{\"path\":\"many.csv\",\"size\":120000000,\
                     \"modified\":\"2026-11-22T00:00:00Z\",\"hash\":\"blake3:{hash}\"}}]}}"
                );
                reply(out, "application/json", manifest.as_bytes())
            }
            Some("/aggregate") => partial(source, out),
            _ => sensed(path, out),
        })
    })
}

fn partial(source: u64, out: &mut TcpStream) -> io::Result<()> {
    head(out, "application/x-ndjson")?;
    let mut out = io::BufWriter::new(out);
    writeln!(
        out,
        "{{\"partial\":{{\"rows\":{GROUPS},\"passed_over\":0,\"rejected\":0,\"rejects\":[],\"groups\":{GROUPS}}}}}"
    )?;
    for number in 0..GROUPS {
        let name = number * SOURCES + source;
        writeln!(
            out,
            "{{\"group\":[[\"group {name:010}\"],1,[\"1 {number} 2\",\"-{number}.5\",\"1 -{number}5 1\"]]}}"
        )?;
    }
    writeln!(out, "\"end\"")?;
    out.flush()
}

/// The report must have all groups, and their sums: one of a source is as that source has sent it.
fn all_are_added(stage: &Stage) -> Result<String> {
    for sources in 1..=SOURCES {
        stage.until(&format!("the groups of {sources} sources are there"), || {
            let rows = stage.json("/api/v1/reports").ok()?["items"][0]["rows"].as_u64()?;
            (rows >= sources * GROUPS).then_some(())
        })?;
    }
    let last = SOURCES * GROUPS - 1;
    let rows = stage.json(&format!("/api/v1/reports/totals?limit=1&offset={last}"))?["items"].to_string();
    let expect = format!("[{{\"l\":-999999.5,\"name\":\"group {last:010}\",\"s\":9999.99,\"t\":-999999.5}}]");
    ensure!(rows == expect, "the last row is {rows}, not {expect}");
    Ok(String::new())
}
