//! Aggregates a file to its partial: one thread reads it and cuts it into blocks, several others split and sum them.
//! Memory holds a few blocks and the groups, whatever the size of the file.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    io::{self, Read},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, ScopedJoinHandle},
};

use tributary_csv_gate::{Block, Blocks, Error as GateError, FileReject, Header, Rejects, Settings, Table};

use crate::{
    columns::Column,
    file_readings::Sample,
    groups::{Full, Parted},
    kernel::Kernel,
    number_format::NumberFormat,
    partial::{MAX_NOTES, MAX_REJECTS_KEPT, Partial},
    plan::ReportPlan,
    reading::{ColumnState, Reading},
    total::AddError,
};

/// The size of a block: large enough to make the hand-over cheap, small enough for a core's second-level cache.
const BLOCK_BYTES: usize = 512 << 10;

/// Most times that a file is read because its columns turn out to be written in another way. One is enough, unless a
/// condition on one column decides which cells of another one count.
const MAX_READINGS: usize = 4;
const NEVER_SETTLES: &str = "its numbers can be read in several ways, and each leaves out the rows that speak for it: set \
                             decimal = … and thousands = …";

/// The end of a pass over a file.
enum Outcome {
    Read(Box<Partial>),
    Full(Full),
    /// All rows together say that columns have to be read in another way.
    OtherReadings(Vec<Reading>),
}

/// The way to read a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileFormat {
    /// The gate's settings.
    pub settings: Settings,
    /// The way its cells write numbers.
    pub numbers: NumberFormat,
}

/// The progress of reading a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the file as it is on disk.
    pub bytes: u64,
    /// Rows, good and bad. They lag behind the bytes.
    pub rows: u64,
}

/// The reason why there is no partial.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is rejected, or cannot be read.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The caller's progress callback returned false.
    #[error("the computation was stopped")]
    Stopped,
    /// The groups take more memory than there is, and cannot be kept in a file either.
    #[error("the groups take too much memory, and cannot be kept in a temporary file: {0}")]
    Spill(io::Error),
}

impl From<Full> for Error {
    fn from(full: Full) -> Self {
        match full {
            Full::Groups => rejected(AddError::TooMany.to_string()),
            Full::Memory => Self::Spill(io::ErrorKind::OutOfMemory.into()),
            Full::File(error) => Self::Spill(error),
        }
    }
}

impl ReportPlan {
    /// Computes the partial of a file that can be opened again. The file is read once, twice more if it turns out not to
    /// be UTF-8, and again if its later rows say that a column writes numbers in another way. `open` must return the same bytes each time; a caller whose file may change has to check that
    /// afterwards. `on_progress` works as in [`Self::aggregate`], and is also called while the encoding is detected.
    ///
    /// # Errors
    /// As [`Self::aggregate`].
    pub fn aggregate_file<R: Read>(
        &self,
        (path, size): (&str, u64),
        open: impl Fn() -> io::Result<R>,
        format: &FileFormat,
        threads: usize,
        on_progress: impl FnMut(Progress) -> bool,
    ) -> Result<Partial, Error> {
        let report = RefCell::new(on_progress);
        let report = |progress| (report.borrow_mut())(progress);
        let mut readings = None;
        for _ in 0..MAX_READINGS {
            match self.read_file((path, size), &open, format, (threads, readings.take()), &report)? {
                Outcome::Read(partial) => return Ok(*partial),
                Outcome::Full(full) => return Err(full.into()),
                Outcome::OtherReadings(others) => readings = Some(others),
            }
        }
        Err(rejected(NEVER_SETTLES.to_owned()))
    }

    /// Reads a file with these readings of its columns; without any, with those of its first rows.
    fn read_file<R: Read>(
        &self,
        (path, size): (&str, u64),
        open: &impl Fn() -> io::Result<R>,
        FileFormat { settings, numbers }: &FileFormat,
        (threads, readings): (usize, Option<Vec<Reading>>),
        report: &impl Fn(Progress) -> bool,
    ) -> Result<Outcome, Error> {
        let settings = &*self.settings(settings);
        let file = open().map(|file| StoppableReader { file, bytes: 0, go_on: None }).map_err(GateError::Io);
        let once = file.and_then(|file| Table::open_once(path, size, file, settings)).map_err(Error::Gate);
        match once.and_then(|table| self.compute(table, numbers, (threads, readings.clone()), report)) {
            Err(Error::Gate(GateError::NeedsTwoPasses | GateError::Rejected(_))) => {}
            done => return done,
        }
        let (is_survey, is_stopped) = (Cell::new(true), Cell::new(false));
        let go_on = |bytes| {
            is_stopped.set(!report(Progress { bytes, rows: 0 }));
            !is_stopped.get()
        };
        let open = || {
            let go_on = is_survey.replace(false).then_some(&go_on as &dyn Fn(u64) -> bool);
            Ok(StoppableReader { file: open()?, bytes: 0, go_on })
        };
        match Table::open(path, size, open, settings) {
            Err(_) if is_stopped.get() => Err(Error::Stopped),
            table => self.compute(table?, numbers, (threads, readings), report),
        }
    }

    /// Computes the partial of a file without settings on `threads` threads in addition to this one. Calls `on_progress`
    /// after every block and stops if it returns false.
    ///
    /// # Errors
    /// [`GateError::Rejected`] if a column is missing or there are too many groups, and the errors of the table itself;
    /// for a table of [`Table::open_once`] a rejection is not final. [`GateError::NeedsTwoPasses`] also if later rows write
    /// numbers in another way than the first ones say. [`Error::Stopped`] if `on_progress` returns false.
    pub fn aggregate<R: Read>(
        &self,
        table: Table<R>,
        threads: usize,
        on_progress: impl FnMut(Progress) -> bool,
    ) -> Result<Partial, Error> {
        match self.compute(table, &NumberFormat::default(), (threads, None), on_progress)? {
            Outcome::Read(partial) => Ok(*partial),
            Outcome::Full(full) => Err(full.into()),
            Outcome::OtherReadings(_) => Err(Error::Gate(GateError::NeedsTwoPasses)),
        }
    }

    fn compute<R: Read>(
        &self,
        mut table: Table<R>,
        numbers: &NumberFormat,
        (threads, readings): (usize, Option<Vec<Reading>>),
        mut on_progress: impl FnMut(Progress) -> bool,
    ) -> Result<Outcome, Error> {
        let fields = self.fields(table.columns()).map_err(GateError::Rejected)?;
        let width = table.columns().len();
        table.use_only(&fields);
        let mut blocks = Blocks::new(table, BLOCK_BYTES);
        let first = blocks.next_block()?;
        let sample = first.as_ref().filter(|_| numbers.style.is_none() && !self.numeric.is_empty());
        let sample = sample.map(|block| Sample::take(self, (&fields, width), numbers, block));
        let columns = self.column_states(&fields, sample.as_ref(), readings);
        let (sender, receiver) = sync_channel(2 * threads);
        // Only the workers own the receiver: when the last of them ends, sending fails instead of blocking.
        let (receiver, shared, groups) = (Arc::new(Mutex::new(receiver)), Shared::default(), Parted::new(self));
        let kernels = thread::scope(|scope| {
            let (columns, shared, groups) = (&columns, &shared, &groups);
            let kernel = move || Kernel::new(self, numbers, columns.clone(), groups);
            let work = |receiver: Arc<_>| move || work(kernel(), &receiver, shared);
            let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work(Arc::clone(&receiver)))).collect();
            drop(receiver);
            let on_progress = |bytes| on_progress(Progress { bytes, rows: shared.rows.load(Ordering::Relaxed) });
            let read = hand_out(first, &mut blocks, &sender, &shared.is_full, on_progress);
            drop(sender);
            let kernels = workers.into_iter().map(join).collect::<Result<Vec<_>, _>>();
            read.map(|()| kernels)
        })?;
        let kernels = match kernels {
            Ok(kernels) => kernels,
            Err(full) => return Ok(Outcome::Full(full)),
        };
        let tallies = sample.as_ref().map(|sample| sample.with(kernels.iter().map(|kernel| &kernel.columns)));
        if let Some(others) =
            tallies.as_ref().zip(sample.as_ref()).and_then(|(t, sample)| sample.objection(&columns, t))
        {
            return Ok(Outcome::OtherReadings(others));
        }
        let table = blocks.table();
        let mut partial = merged(self, kernels, table.rows(), table.rejects());
        // Merging takes a while, and whoever waits must see that work goes on.
        let read = Progress { bytes: blocks.table().bytes_read(), rows: shared.rows.load(Ordering::Relaxed) };
        partial.groups = match groups.finish(&mut || on_progress(read)) {
            Ok(groups) => groups,
            Err(full) => return Ok(Outcome::Full(full)),
        };
        let dialect = blocks.table().dialect();
        partial.format = Some(dialect.in_words());
        partial.notes = dialect.notes(&partial.rejects);
        partial
            .notes
            .extend(sample.zip(tallies).into_iter().flat_map(|(sample, tallies)| sample.notes(self, &tallies)));
        partial.notes.truncate(MAX_NOTES);
        Ok(Outcome::Read(Box::new(partial)))
    }

    /// The columns with `readings`; without any, with those that the sample proposes.
    fn column_states(
        &self,
        fields: &[usize],
        sample: Option<&Sample>,
        readings: Option<Vec<Reading>>,
    ) -> Vec<ColumnState> {
        let is_sure = |column| readings.is_none() && sample.is_some_and(|sample| sample.is_point(column));
        let proposed = || sample.map_or_else(|| vec![Reading::default(); fields.len()], Sample::readings);
        let states = readings.clone().unwrap_or_else(proposed).into_iter().zip(fields).enumerate();
        states.map(|(column, (reading, field))| ColumnState::new(*field, reading, !is_sure(column))).collect()
    }

    /// The settings of the gate for a file with these. Where no name is looked for, no line is a better header than another.
    fn settings<'s>(&self, settings: &'s Settings) -> Cow<'s, Settings> {
        let are_positions = !self.columns.is_empty() && self.columns.iter().all(Column::is_at_position);
        match are_positions && settings.header == Header::FirstLine {
            true => Cow::Owned(Settings { header: Header::AnyFirstLine, ..settings.clone() }),
            false => Cow::Borrowed(settings),
        }
    }

    /// Returns the position of each column of the plan in the header.
    pub(crate) fn fields(&self, header: &[String]) -> Result<Vec<usize>, FileReject> {
        let reject = |reason: String| FileReject::of_file(reason);
        let position = |column: &Column| {
            column
                .field(header)
                .map_err(|ambiguous| reject(ambiguous.to_string()))?
                .ok_or_else(|| reject(column.missing(header.len())))
        };
        self.columns.iter().map(position).collect()
    }
}

/// A file that tells `go_on`, if it is set, how much was read, and asks it before each read. The survey has no other way to stop.
struct StoppableReader<'a, R> {
    file: R,
    bytes: u64,
    go_on: Option<&'a dyn Fn(u64) -> bool>,
}

impl<R: Read> Read for StoppableReader<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.go_on {
            Some(go_on) if !go_on(self.bytes) => Err(io::Error::other("the computation was stopped")),
            _ => {
                let read = self.file.read(out)?;
                self.bytes += read as u64;
                Ok(read)
            }
        }
    }
}

/// State that the workers share with the reading thread.
#[derive(Default)]
struct Shared {
    /// Rows that were aggregated.
    rows: AtomicU64,
    /// Set if a worker has too many groups.
    is_full: AtomicBool,
}

fn hand_out<R: Read>(
    mut first: Option<Block>,
    blocks: &mut Blocks<R>,
    sender: &SyncSender<Block>,
    is_full: &AtomicBool,
    mut on_progress: impl FnMut(u64) -> bool,
) -> Result<(), Error> {
    if first.is_none() {
        return Ok(());
    }
    while let Some(block) = first.take().map_or_else(|| blocks.next_block(), |first| Ok(Some(first)))? {
        if sender.send(block).is_err() || is_full.load(Ordering::Relaxed) {
            // The workers return the error.
            return Ok(());
        }
        if !on_progress(blocks.table().bytes_read()) {
            return Err(Error::Stopped);
        }
    }
    Ok(())
}

fn work<'a>(mut kernel: Kernel<'a>, receiver: &Mutex<Receiver<Block>>, shared: &Shared) -> Result<Kernel<'a>, Full> {
    let next = || receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok(block) = next() {
        let before = kernel.counts.rows;
        let taken = kernel.take(&block, MAX_REJECTS_KEPT);
        taken.inspect_err(|_| shared.is_full.store(true, Ordering::Relaxed))?;
        shared.rows.fetch_add(kernel.counts.rows - before, Ordering::Relaxed);
    }
    kernel.finish()?;
    Ok(kernel)
}

fn join<'a>(worker: ScopedJoinHandle<'_, Result<Kernel<'a>, Full>>) -> Result<Kernel<'a>, Full> {
    worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn rejected(reason: String) -> Error {
    Error::Gate(GateError::Rejected(FileReject::of_file(reason)))
}

/// Merges the counts of all threads. `rows` and `rejects` are those that were in no block.
fn merged(plan: &ReportPlan, kernels: Vec<Kernel<'_>>, rows: u64, rejects: &Rejects) -> Partial {
    let mut partial = Partial::empty(plan);
    partial.rows = rows;
    partial.rejects = rejects.clone();
    for kernel in kernels {
        partial.rows += kernel.counts.rows;
        partial.skipped += kernel.counts.skipped;
        partial.rejects.total += kernel.counts.rejected;
        partial.rejects.repaired += kernel.counts.repaired;
        partial.rejects.doubtful.merge(kernel.counts.doubtful);
        partial.rejects.kept.extend(kernel.counts.rejects);
    }
    partial.rejects.kept.sort_by_key(|reject| reject.byte);
    partial.rejects.kept.truncate(MAX_REJECTS_KEPT);
    partial
}
