//! Memory, open files, disk and logs over time, and whether they are flat.

use std::{fs, path::Path};

use anyhow::{Result, ensure};

use super::stage::{SOURCES, Stage};
use crate::processes;

/// The part of the samples in which caches fill.
const WARM_UP: usize = 4;
/// Growth that is no growth: of memory, of open files, of what lies beside the database, of logs.
const MEMORY: u64 = 16 << 20;
const FILES: u64 = 16;
const BESIDE: u64 = 96 << 20;
const LOGS: u64 = 64 << 10;
/// Growth of the database: history keeps each changed row of the last million, and deletes what is older.
const DATABASE: u64 = 16 << 20;
const PER_CHANGED_ROW: u64 = 500;

/// A moment.
#[derive(Debug, Clone, Copy, Default)]
struct Sample {
    master_memory: u64,
    master_files: u64,
    source_memory: u64,
    source_files: u64,
    database: u64,
    /// Write-ahead log, spool, cache and uploads.
    beside: u64,
    logs: u64,
    /// Rows that the load has changed so far.
    changed_rows: u64,
}

#[derive(Default)]
pub(super) struct Samples(Vec<Sample>);

impl Samples {
    pub(super) fn take(&mut self, stage: &Stage, changed_rows: u64) -> Result<()> {
        let home = stage.home();
        let mut sample = Sample { changed_rows, ..Sample::default() };
        sample.master_memory = processes::memory(stage.master.id())?;
        sample.master_files = processes::open_files(stage.master.id())?;
        for source in &stage.sources {
            sample.source_memory = sample.source_memory.max(processes::memory(source.id())?);
            sample.source_files = sample.source_files.max(processes::open_files(source.id())?);
        }
        sample.database = size(&home.join("database.db"));
        for ending in ["-wal", ".spool", ".cache", ".uploads"] {
            sample.beside += size(&home.join(format!("database.db{ending}")));
        }
        for name in SOURCES.iter().chain([&"master"]) {
            sample.logs += size(&home.join(format!("{name}.log")));
        }
        self.0.push(sample);
        Ok(())
    }

    /// Prints ten of them.
    pub(super) fn print(&self) {
        println!("| sample | master MiB | files | source MiB | files | database MiB | beside it MiB | logs KiB |");
        println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
        let step = self.0.len().div_ceil(10).max(1);
        for (number, sample) in self.0.iter().enumerate().filter(|(number, _)| number % step == 0) {
            let mebibytes = |bytes: u64| format!("{:.1}", bytes as f64 / 1_048_576.0);
            println!(
                "| {number} | {} | {} | {} | {} | {} | {} | {} |",
                mebibytes(sample.master_memory),
                sample.master_files,
                mebibytes(sample.source_memory),
                sample.source_files,
                mebibytes(sample.database),
                mebibytes(sample.beside),
                sample.logs >> 10
            );
        }
    }

    /// Compares the middle values of the first and the last third behind the warm-up.
    pub(super) fn judge(&self) -> Result<()> {
        let warm = &self.0[self.0.len() / WARM_UP..];
        let third = warm.len() / 3;
        if third == 0 {
            println!("too short to say whether anything grows");
            return Ok(());
        }
        let (first, last) = (&warm[..third], &warm[warm.len() - third..]);
        let changed = middle(last, |sample| sample.changed_rows) - middle(first, |sample| sample.changed_rows);
        let check = |what: &str, of: fn(&Sample) -> u64, allowed: u64| {
            let (before, after) = (middle(first, of), middle(last, of));
            let most = before + before / 10 + allowed;
            ensure!(after <= most, "{what} grows: from {before} to {after}, and {most} is the most");
            println!("{what}: {before} to {after}, flat");
            Ok(())
        };
        check("memory of the master", |sample| sample.master_memory, MEMORY)?;
        check("open files of the master", |sample| sample.master_files, FILES)?;
        check("memory of a source", |sample| sample.source_memory, MEMORY)?;
        check("open files of a source", |sample| sample.source_files, FILES)?;
        check("disk beside the database", |sample| sample.beside, BESIDE)?;
        check("logs", |sample| sample.logs, LOGS)?;
        check("database", |sample| sample.database, DATABASE + changed * PER_CHANGED_ROW)
    }
}

fn middle(samples: &[Sample], of: fn(&Sample) -> u64) -> u64 {
    let mut values: Vec<u64> = samples.iter().map(of).collect();
    values.sort_unstable();
    values[values.len() / 2]
}

/// The size of a file, or of all files in a folder; 0 if it is not there, as some go meanwhile.
fn size(path: &Path) -> u64 {
    match fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| size(&entry.path())).sum(),
        Err(_) => fs::metadata(path).map_or(0, |file| file.len()),
    }
}
