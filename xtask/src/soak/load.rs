//! One client that does random things, one after the other: it writes and deletes files of sources, corrects products, sends and takes back
//! documents. What was not acknowledged is done again before anything is compared, so the model knows the outcome of each step.

use std::{fs, path::Path, thread, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use tributary_testkit::http;

use super::{
    model::{Model, Rows, text},
    random::Random,
    stage::{SOURCES, Stage},
};

/// Skus over all files.
const SKUS: u64 = 3_000;
const NAMES: u64 = 300;
/// Skus that are corrected, some of which no file has.
const EDITED: u64 = 200;
const FILES: u64 = 6;
const DOCUMENTS: u64 = 12;
/// Rows of a file.
const MAX_ROWS: u64 = 400;
/// Bytes of a description that makes files large.
const WIDTH: usize = 500;
/// Tries of a step: a master that starts answers within that time.
const MAX_TRIES: u32 = 600;
const TRY_PAUSE: Duration = Duration::from_millis(50);
/// Pause between two steps.
const PAUSE: Duration = Duration::from_millis(5);

/// A change. Doing it twice is doing it once.
#[derive(Clone)]
enum Step {
    Write { source: usize, path: String, rows: Rows },
    Delete { source: usize, path: String },
    Edit { sku: String, name: String },
    Hide { sku: String },
    Clear { sku: String },
    Send { path: String, rows: Rows },
    TakeBack { path: String },
}

pub(super) struct Load {
    random: Random,
    pub(super) model: Model,
    pub(super) steps: u64,
    /// Rows of changed files and documents, and edits: what grows the history.
    pub(super) changed_rows: u64,
    /// The step that was begun and perhaps not done.
    pending: Option<Step>,
    /// Bytes of a description.
    width: usize,
}

impl Load {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), model: Model::default(), steps: 0, changed_rows: 0, pending: None, width: 0 }
    }

    /// With files that are so large that most are fetched to the spool.
    pub(super) fn wide(self) -> Self {
        Self { width: WIDTH, ..self }
    }

    /// Does something that must succeed at once.
    pub(super) fn step(&mut self, stage: &Stage) -> Result<()> {
        thread::sleep(PAUSE);
        let step = self.draw();
        perform(&step, stage, self.width)?;
        self.done(step);
        Ok(())
    }

    /// Does something, while a program is killed. If it fails, it is tried again by [`Self::finish_pending`], or by the next call.
    pub(super) fn step_that_may_fail(&mut self, stage: &Stage) {
        thread::sleep(PAUSE);
        let step = self.pending.take().unwrap_or_else(|| self.draw());
        match perform(&step, stage, self.width) {
            Ok(()) => self.done(step),
            Err(_) => self.pending = Some(step),
        }
    }

    /// Does what was begun, until it succeeds.
    pub(super) fn finish_pending(&mut self, stage: &Stage) -> Result<()> {
        let Some(step) = self.pending.take() else { return Ok(()) };
        let mut tries = 0;
        while let Err(error) = perform(&step, stage, self.width) {
            tries += 1;
            ensure!(tries < MAX_TRIES, "a step fails for ever: {error:#}");
            thread::sleep(TRY_PAUSE);
        }
        self.done(step);
        Ok(())
    }

    fn draw(&mut self) -> Step {
        let source = usize::try_from(self.random.below(SOURCES.len() as u64)).unwrap_or_default();
        let path = format!("f{}.csv", self.random.below(FILES));
        let document = format!("d{}.csv", self.random.below(DOCUMENTS));
        let sku = format!("s{}", self.random.below(EDITED) * 17);
        match self.random.below(16) {
            0..5 => Step::Write { source, path, rows: self.rows() },
            5 => Step::Delete { source, path },
            6..10 => Step::Edit { sku, name: self.name() },
            10 => Step::Hide { sku },
            11 | 12 => Step::Clear { sku },
            13 | 14 => Step::Send { path: document, rows: self.rows() },
            _ => Step::TakeBack { path: document },
        }
    }

    fn rows(&mut self) -> Rows {
        let (count, first) = (1 + self.random.below(MAX_ROWS), self.random.below(SKUS));
        (first..first + count).map(|sku| (format!("s{sku}"), self.name())).collect()
    }

    fn name(&mut self) -> String {
        format!("Name {}", self.random.below(NAMES))
    }

    fn done(&mut self, step: Step) {
        self.steps += 1;
        let (files, edits) = (&mut self.model.files, &mut self.model.edits);
        let uploads = SOURCES.len();
        let before = match step {
            Step::Write { source, path, rows } => {
                self.changed_rows += rows.len() as u64;
                files.insert((source, path), rows)
            }
            Step::Send { path, rows } => {
                self.changed_rows += rows.len() as u64;
                files.insert((uploads, path), rows)
            }
            Step::Delete { source, path } => files.remove(&(source, path)),
            Step::TakeBack { path } => files.remove(&(uploads, path)),
            Step::Edit { sku, name } => {
                edits.insert(sku, Some(name));
                None
            }
            Step::Hide { sku } => {
                edits.insert(sku, None);
                None
            }
            Step::Clear { sku } => {
                edits.remove(&sku);
                None
            }
        };
        self.changed_rows += before.map_or(1, |rows| rows.len() as u64);
    }
}

fn perform(step: &Step, stage: &Stage, width: usize) -> Result<()> {
    let product = |sku: &str| format!("/api/v1/products/{sku}");
    let document = |path: &str| format!("/api/v1/documents/{path}");
    match step {
        Step::Write { source, path, rows } => write(&stage.folder(*source), path, &text(rows, width)),
        Step::Delete { source, path } => match fs::remove_file(stage.folder(*source).join(path)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).context("failed to delete a file"),
            _ => Ok(()),
        },
        Step::Edit { sku, name } => {
            let body = format!("{{\"name\": \"{name}\", \"description\": \"\"}}");
            ask(stage, "PUT", &product(sku), &body, &[200, 201])
        }
        Step::Hide { sku } => ask(stage, "DELETE", &product(sku), "", &[204]),
        Step::Clear { sku } => ask(stage, "DELETE", &format!("{}/edit", product(sku)), "", &[204]),
        Step::Send { path, rows } => {
            ask(stage, "PUT", &format!("{}?wait=applied", document(path)), &text(rows, width), &[200])
        }
        // 404: it is not there, or an earlier try took it back.
        Step::TakeBack { path } => ask(stage, "DELETE", &document(path), "", &[204, 404]),
    }
}

/// Writes a file under another name first, as careful programs do.
fn write(folder: &Path, path: &str, text: &str) -> Result<()> {
    let hidden = folder.join(format!(".{path}.new"));
    fs::write(&hidden, text).context("failed to write a file")?;
    fs::rename(hidden, folder.join(path)).context("failed to rename a file")
}

fn ask(stage: &Stage, method: &str, path: &str, body: &str, expected: &[u16]) -> Result<()> {
    let url = format!("{}{path}", stage.master.url);
    let answer = http::request(method, &url, &[("Content-Type", "application/json")], body.as_bytes())?;
    if !expected.contains(&answer.status) {
        bail!("{method} {path} was answered with {}: {}", answer.status, answer.text());
    }
    Ok(())
}
