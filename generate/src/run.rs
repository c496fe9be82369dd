//! The program: opens the output, lets a shape write into it on a thread of its own, and says what was written. It stops
//! when it is asked to, whatever the disk or the reader of a pipe does, and leaves nothing half written behind.

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
use indicatif::HumanCount;
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

use crate::{
    Sales, Shape, Transactions,
    cli::{Args, ShapeArgs},
    output::Output,
    products::Products,
    progress::Progress,
    shape,
};

/// How often it is looked whether to stop.
const TICK: Duration = Duration::from_millis(20);
/// How long a stop waits for a disk or a reader that takes nothing.
const GRACE: Duration = Duration::from_secs(2);

/// Whether to stop; clones are told together.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks to stop.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Stops at SIGTERM and SIGINT.
///
/// # Errors
/// When the system gives no signals.
pub fn stop_on_signals() -> io::Result<Stop> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let stop = Stop::default();
    let told = stop.clone();
    thread::spawn(move || signals.forever().for_each(|_| told.stop()));
    Ok(stop)
}

/// Writes the file and prints one line about it: on stdout, or on stderr where stdout takes the data.
///
/// # Errors
/// The file cannot be made or written, or it was asked to stop; nothing is left behind then.
pub fn run(args: &Args, stop: &Stop) -> Result<()> {
    let (sender, done) = mpsc::channel();
    let part = Arc::<OnceLock<PathBuf>>::default();
    let (shape, stops, parts) = (args.shape.clone(), stop.clone(), Arc::clone(&part));
    // Even to open a pipe may take until somebody reads it. Nobody waits for the thread after a stop.
    thread::spawn(move || sender.send(produce(&shape, &parts, &stops)));
    let Some(written) = wait(&done, stop) else {
        part.get().map_or(Ok(()), |part| take_away(part))?;
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

/// Takes a file away that may have gone by itself.
fn take_away(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("failed to take {} away", path.display()))
        }
        _ => Ok(()),
    }
}

/// What became of the writing; nothing if it does not end though it was asked to.
fn wait(done: &Receiver<Result<String>>, stop: &Stop) -> Option<Result<String>> {
    let mut asked: Option<Instant> = None;
    loop {
        match done.recv_timeout(TICK) {
            Ok(written) => return Some(written),
            Err(RecvTimeoutError::Disconnected) => return Some(Err(anyhow!("the writing thread has panicked"))),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if stop.is_asked() && asked.get_or_insert_with(Instant::now).elapsed() > GRACE {
            return None;
        }
    }
}

/// Writes the file and says what was written; `part` is told the temporary file.
fn produce(args: &ShapeArgs, part: &OnceLock<PathBuf>, stop: &Stop) -> Result<String> {
    let file = args.file();
    let output = Output::open(file)?;
    if let Some(path) = output.part() {
        part.get_or_init(|| path);
    }
    let name = if file.is_stdout() { "stdout".into() } else { file.out.display().to_string() };
    let bar = Progress::new(&name, file.rows);
    let started = Instant::now();
    let mut out = Counted { output, bytes: 0, stop };
    let written = write_shape(args, &mut out, &bar).map(|()| bar.show_waiting());
    let (bytes, took_writing) = (out.bytes, started.elapsed());
    let finished = written.and_then(|()| out.output.finish());
    bar.clear();
    if finished.is_err() && stop.is_asked() {
        bail!("stopped");
    }
    finished.with_context(|| format!("failed to write {name}"))?;
    let speed = |took: Duration| bytes as f64 / 1e6 / took.as_secs_f64();
    let took = started.elapsed();
    Ok(format!(
        "{name}: {} rows, {} bytes, {:.2} s, {:.0} MB/s ({:.2} s, {:.0} MB/s without the wait for the disk)",
        HumanCount(file.rows),
        HumanCount(bytes),
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
        ShapeArgs::Products(_) => {
            let products = match file.groups {
                Some(names) => Products::with_names(names, file.seed),
                None => Products::new(file.rows, 0, file.seed),
            };
            fill(products, file.rows, out, bar)
        }
        ShapeArgs::Transactions { price_header, quantity_header, .. } => {
            let transactions = Transactions::new(file.groups.unwrap_or(1_000), file.seed);
            fill(transactions.with_headers(price_header, quantity_header), file.rows, out, bar)
        }
    }
}

fn fill(mut shape: impl Shape, rows: u64, out: &mut Counted<'_>, bar: &Progress) -> io::Result<()> {
    shape::write(&mut shape, rows, out, |rows, out| bar.show(rows, out.bytes))
}

/// Counts what goes out, and takes no more once it is time to stop.
struct Counted<'a> {
    output: Output,
    bytes: u64,
    stop: &'a Stop,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stop.is_asked() {
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
