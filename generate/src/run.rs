//! The program: opens the output, writes a shape into it on a separate thread, and prints a summary. It stops when asked,
//! even while a disk or the reader of a pipe blocks, and leaves no incomplete file behind.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};
use tributary_cli_common::text::thousands;

use crate::{
    Sales, Shape, Transactions,
    cli::{Args, ShapeArgs},
    output::Output,
    products::Products,
    progress::Progress,
    shape,
};

/// Interval in which the stop flag is checked.
const STOP_CHECK_INTERVAL: Duration = Duration::from_millis(20);
/// Limit for the time that a stop waits for a write that blocks.
const MAX_STOP_TIME: Duration = Duration::from_secs(2);

/// A request to stop; clones share it.
#[derive(Debug, Clone, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Requests the stop.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Returns a flag that SIGTERM and SIGINT set.
///
/// # Errors
/// The signal handlers cannot be installed.
pub fn stop_on_signals() -> io::Result<StopFlag> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let stop = StopFlag::default();
    let flag = stop.clone();
    thread::spawn(move || signals.forever().for_each(|_| flag.set()));
    Ok(stop)
}

/// Writes the file and prints a one-line summary on stdout, or on stderr if the data goes to stdout.
///
/// # Errors
/// The file cannot be created or written, or the program was asked to stop. No incomplete file is left behind.
pub fn run(args: &Args, stop: &StopFlag) -> Result<()> {
    let (sender, done) = mpsc::channel();
    let part = Arc::<OnceLock<PathBuf>>::default();
    let (shape, stops, parts) = (args.shape.clone(), stop.clone(), Arc::clone(&part));
    // Opening a pipe may block until somebody reads it, so a stop does not wait for this thread.
    thread::spawn(move || sender.send(produce(&shape, &parts, &stops)));
    let Some(written) = wait(&done, stop) else {
        part.get().map_or(Ok(()), |part| delete(part))?;
        bail!("stopped");
    };
    let summary = written?;
    let printed = if args.shape.file().is_stdout() {
        writeln!(io::stderr(), "{summary}")
    } else {
        writeln!(io::stdout(), "{summary}")
    };
    printed.context("failed to write the summary")
}

/// Deletes a file that may be gone already.
fn delete(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("failed to delete {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Waits for the result of the writing thread. Returns nothing if the thread does not end after a stop.
fn wait(done: &Receiver<Result<String>>, stop: &StopFlag) -> Option<Result<String>> {
    let mut stopped_at: Option<Instant> = None;
    loop {
        match done.recv_timeout(STOP_CHECK_INTERVAL) {
            Ok(written) => return Some(written),
            Err(RecvTimeoutError::Disconnected) => return Some(Err(anyhow!("the writing thread has panicked"))),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if stop.is_set() && stopped_at.get_or_insert_with(Instant::now).elapsed() > MAX_STOP_TIME {
            return None;
        }
    }
}

/// Writes the file and returns the summary. Stores the path of the temporary file in `part`.
fn produce(args: &ShapeArgs, part: &OnceLock<PathBuf>, stop: &StopFlag) -> Result<String> {
    let file = args.file();
    let output = Output::open(file)?;
    if let Some(path) = output.part() {
        part.get_or_init(|| path);
    }
    let name = if file.is_stdout() { "stdout".into() } else { file.out.display().to_string() };
    let bar = Progress::new(&name, file.rows);
    let started = Instant::now();
    let mut out = Counted { output, bytes: 0, stop };
    let written = write_shape(args, &mut out, &bar).map(|()| bar.show_syncing());
    let (bytes, took_writing) = (out.bytes, started.elapsed());
    let finished = written.and_then(|()| out.output.finish());
    bar.remove();
    if finished.is_err() && stop.is_set() {
        bail!("stopped");
    }
    finished.with_context(|| format!("failed to write {name}"))?;
    let speed = |took: Duration| bytes as f64 / 1e6 / took.as_secs_f64();
    let took = started.elapsed();
    Ok(format!(
        "{name}: {} rows, {} bytes, {:.2} s, {:.0} MB/s ({:.2} s, {:.0} MB/s before the sync to disk)",
        thousands(file.rows),
        thousands(bytes),
        took.as_secs_f64(),
        speed(took),
        took_writing.as_secs_f64(),
        speed(took_writing)
    ))
}

fn write_shape(args: &ShapeArgs, out: &mut Counted<'_>, bar: &Progress) -> io::Result<()> {
    let file = args.file();
    match args {
        ShapeArgs::Sales(_) => fill(Sales::new(file.groups.unwrap_or(500), file.seed), file.rows, out, bar),
        ShapeArgs::Products { columns, .. } => {
            let products = match file.groups {
                Some(names) => Products::with_names(names, file.seed),
                None => Products::new(file.rows, 0, file.seed),
            };
            let columns = columns.clone().unwrap_or_default();
            fill(products.with_columns(&columns), file.rows, out, bar)
        }
        ShapeArgs::Transactions { price_header, quantity_header, .. } => {
            let transactions = Transactions::new(file.groups.unwrap_or(1_000), file.seed);
            fill(transactions.with_headers(price_header, quantity_header), file.rows, out, bar)
        }
    }
}

fn fill(mut shape: impl Shape, rows: u64, out: &mut Counted<'_>, bar: &Progress) -> io::Result<()> {
    shape::write(&mut shape, rows, out, |rows, out| bar.show_written(rows, out.bytes))
}

/// Counts the bytes, and fails once the stop flag is set.
struct Counted<'a> {
    output: Output,
    bytes: u64,
    stop: &'a StopFlag,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stop.is_set() {
            return Err(io::Error::other("stopped"));
        }
        let written = self.output.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
