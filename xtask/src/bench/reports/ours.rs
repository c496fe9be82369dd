//! A data-source that is asked for a partial result as a master asks.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, BufWriter, Write},
    path::Path,
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use tributary_protocol::{Aggregate, AggregateLine, Manifest, ManifestEntry, MetricSpec, ReportSpec};
use tributary_report::{Number, ReportPlan, Total};
use tributary_testkit::{
    http,
    process::{self, Daemon},
};

use crate::bench::{
    client::Connection,
    sales_file::{NAME, Sales},
    usage::{self, Usage},
};

/// A data-source that has hashed its only file, and the request for it.
pub(super) struct Source {
    daemon: Daemon,
    request: String,
}

/// One request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    /// The time from the request to the last byte of the answer, and the processor time and peak memory of the data-source.
    pub(super) usage: Usage,
    /// Bytes of the answer.
    pub(super) bytes: u64,
    /// Bytes that the data-source read from files meanwhile.
    pub(super) read: u64,
}

impl Source {
    /// Starts a data-source that has computed nothing yet. It is ready once it has hashed the file.
    pub(super) fn start(sales: &Sales) -> Result<Self> {
        let mut command = process::command("data-source", &sales.folder);
        command.args(["--listen", "127.0.0.1:0", "--dir", "."]).env("RUST_LOG", "error");
        let daemon = Daemon::start(command);
        let (status, manifest) = http::get(&format!("{}/sense/files", daemon.url))?;
        ensure!(status == 200, "/sense/files is answered with {status}");
        let manifest: Manifest = serde_json::from_slice(&manifest).context("the data-source sends no manifest")?;
        let file = manifest.files.into_iter().find(|file| file.path == NAME);
        let ManifestEntry { hash, .. } = file.context("the data-source does not offer the file")?;
        let asked = Aggregate {
            path: NAME.to_owned(),
            hash,
            format: tributary_report::partial_format(),
            report: report(),
            settings: None,
        };
        Ok(Self { daemon, request: serde_json::to_string(&asked)? })
    }

    /// Asks for the partial. Its lines go to `into` as they arrive.
    pub(super) fn ask(&self, into: &Path) -> Result<Answer> {
        let process = self.daemon.id();
        let mut out = File::create(into)?;
        let (cpu, read) = (usage::cpu_so_far(process)?, read_so_far(process)?);
        let started = Instant::now();
        let status = Connection::open(&self.daemon.url)?.ask("/aggregate", &self.request, &mut out)?;
        let wall = started.elapsed();
        ensure!(status == 200, "/aggregate is answered with {status}: {}", fs::read_to_string(into)?);
        let cpu = usage::cpu_so_far(process)? - cpu;
        let usage = Usage { wall, cpu, peak_bytes: usage::peak_so_far(process)? };
        Ok(Answer { usage, bytes: out.metadata()?.len(), read: read_so_far(process)? - read })
    }
}

/// Rows and sales per department.
fn report() -> ReportSpec {
    let metric = |name: &str, expression: &str| MetricSpec { name: name.to_owned(), expression: expression.to_owned() };
    ReportSpec {
        group_by: vec!["Department Name".into()],
        metrics: vec![metric("rows", "count()"), metric("sales", "sum(\"Number of Sales\")")],
        ..ReportSpec::default()
    }
}

/// The bytes that a process has read so far.
fn read_so_far(process: u32) -> Result<u64> {
    let io = fs::read_to_string(format!("/proc/{process}/io")).context("failed to read /proc/PID/io")?;
    let read = io.lines().find_map(|line| line.strip_prefix("rchar: ")).context("/proc/PID/io has no rchar")?;
    Ok(read.parse()?)
}

/// Sums the lines of an answer and writes the result in the form of the peers. Returns the number of groups.
pub(super) fn write_result(answer: &Path, result: &Path) -> Result<u64> {
    let plan = ReportPlan::compile(&report())?;
    let (mut total, mut is_ended) = (Total::new(&plan), false);
    for line in BufReader::new(File::open(answer)?).lines() {
        match serde_json::from_str(&line?).context("the answer has a line of another form")? {
            AggregateLine::Progress { .. } | AggregateLine::Digest(_) => {}
            AggregateLine::Partial(head) => ensure!(head.rejected == 0, "{} rows are rejects", head.rejected),
            AggregateLine::Group(group) => total.add(&group)?,
            AggregateLine::End => is_ended = true,
            other => bail!("the data-source answers with {other:?}"),
        }
    }
    ensure!(is_ended, "the answer is incomplete");
    let mut out = BufWriter::new(File::create(result)?);
    let text = |value: Option<Number>| value.map_or_else(String::new, |value| value.to_string());
    let rows = total.finish()?;
    rows.each(&plan, |key, values| {
        let cells: Vec<String> = key.into_iter().chain(values.into_iter().map(text)).collect();
        writeln!(out, "{}", cells.join("|"))
    })?;
    out.flush()?;
    Ok(rows.len() as u64)
}
