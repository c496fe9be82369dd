//! A file to its partial: one thread reads and cuts it into blocks, as many as there are cores split and sum them. What
//! is held is a few blocks and the groups, whatever the file's size.

use std::{
    cell::{Cell, RefCell},
    io::{self, Read},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, ScopedJoinHandle},
};

use tributary_csv_gate::{Block, Blocks, Error as GateError, FileReject, Rejects, Settings, Table};

use crate::{
    groups::{MOST_GROUPS, TooMany},
    kernel::Kernel,
    partial::{Partial, REJECTS_KEPT},
    plan::Plan,
};

/// Large enough that handing it over costs nothing, small enough for the second cache of a core.
const BLOCK_BYTES: usize = 512 << 10;

/// How far a file was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes, as the file lies on disk.
    pub bytes: u64,
    /// Rows, good and bad. They follow the bytes.
    pub rows: u64,
}

/// Why there is no partial.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be used, or cannot be read.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// Whoever watched did not want it any more.
    #[error("the computation was stopped")]
    Stopped,
}

impl Plan {
    /// Computes the partial of a file that can be opened again. It is read once, or twice more where it turns out not to be
    /// UTF-8. `open` must give the same bytes each time; a caller whose file may change compares it afterwards. `watch` is
    /// that of [`Self::aggregate`], and is asked while an encoding is looked for too.
    ///
    /// # Errors
    /// As [`Self::aggregate`].
    pub fn aggregate_file<R: Read>(
        &self,
        (path, size): (&str, u64),
        open: impl Fn() -> io::Result<R>,
        threads: usize,
        watch: impl FnMut(Progress) -> bool,
    ) -> Result<Partial, Error> {
        let (settings, watch) = (Settings::default(), RefCell::new(watch));
        let tell = |progress| (watch.borrow_mut())(progress);
        let file = open().map(|file| Asking { file, ask: None }).map_err(GateError::Io);
        let once = file.and_then(|file| Table::open_once(path, size, file, &settings));
        match once.map_err(Error::Gate).and_then(|table| self.compute(table, threads, tell)) {
            Err(Error::Gate(GateError::NeedsTwoPasses | GateError::Rejected(_))) => {}
            done => return done?.map_err(|TooMany| too_many()),
        }
        let (is_survey, is_stopped) = (Cell::new(true), Cell::new(false));
        let ask = || {
            is_stopped.set(!tell(Progress::default()));
            !is_stopped.get()
        };
        let open = || {
            let ask = is_survey.replace(false).then_some(&ask as &dyn Fn() -> bool);
            Ok(Asking { file: open()?, ask })
        };
        match Table::open(path, size, open, &settings) {
            Err(_) if is_stopped.get() => Err(Error::Stopped),
            table => self.aggregate(table?, threads, tell),
        }
    }

    /// Computes the partial of a file on `threads` threads beside this one. `watch` is told after every block how far it
    /// is, and says whether to go on.
    ///
    /// # Errors
    /// [`GateError::Rejected`] if a column is missing or there are too many groups, and as the table itself; of one of
    /// [`Table::open_once`] this is no verdict either. [`Error::Stopped`] if `watch` says so.
    pub fn aggregate<R: Read>(
        &self,
        table: Table<R>,
        threads: usize,
        watch: impl FnMut(Progress) -> bool,
    ) -> Result<Partial, Error> {
        self.compute(table, threads, watch)?.map_err(|TooMany| too_many())
    }

    fn compute<R: Read>(
        &self,
        table: Table<R>,
        threads: usize,
        mut watch: impl FnMut(Progress) -> bool,
    ) -> Result<Result<Partial, TooMany>, Error> {
        let fields = self.fields(table.columns()).map_err(GateError::Rejected)?;
        let mut blocks = Blocks::new(table, BLOCK_BYTES);
        let (sender, receiver) = sync_channel(2 * threads);
        // The workers alone own the receiver: with the last of them it is gone, and nobody hands out in vain.
        let (receiver, shared) = (Arc::new(Mutex::new(receiver)), Shared::default());
        let kernels = thread::scope(|scope| {
            let (fields, shared) = (&fields, &shared);
            let work = |receiver: Arc<_>| move || work(Kernel::new(self, fields), &receiver, shared);
            let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work(Arc::clone(&receiver)))).collect();
            drop(receiver);
            let watch = |bytes| watch(Progress { bytes, rows: shared.rows.load(Ordering::Relaxed) });
            let read = hand_out(&mut blocks, &sender, &shared.is_full, watch);
            drop(sender);
            let kernels = workers.into_iter().map(join).collect::<Result<Vec<_>, _>>();
            read.map(|()| kernels)
        })?;
        let table = blocks.table();
        Ok(kernels.and_then(|kernels| merged(self, kernels, table.rows(), table.rejects())))
    }

    /// Which fields the columns of the plan are.
    fn fields(&self, header: &[String]) -> Result<Vec<usize>, FileReject> {
        let place = |column: &crate::columns::Column| {
            column.field(header).ok_or_else(|| {
                let names: Vec<_> = column.headers.iter().map(|name| format!("`{name}`")).collect();
                let wanted = match names.as_slice() {
                    [name] => name.clone(),
                    _ => format!("`{}` (one of {})", column.name, names.join(", ")),
                };
                let reason =
                    format!("no column {wanted}: name it in the header, or add its name to the report's columns");
                FileReject { line: 0, reason, raw: String::new() }
            })
        };
        self.columns.iter().map(place).collect()
    }
}

/// A file that asks before each read whether to go on, where nobody else does.
struct Asking<'a, R> {
    file: R,
    ask: Option<&'a dyn Fn() -> bool>,
}

impl<R: Read> Read for Asking<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.ask {
            Some(ask) if !ask() => Err(io::Error::other("the computation was stopped")),
            _ => self.file.read(out),
        }
    }
}

/// What the workers tell.
#[derive(Default)]
struct Shared {
    /// Rows that were taken.
    rows: AtomicU64,
    /// One of them has no room for more groups.
    is_full: AtomicBool,
}

fn hand_out<R: Read>(
    blocks: &mut Blocks<R>,
    sender: &SyncSender<Block>,
    is_full: &AtomicBool,
    mut watch: impl FnMut(u64) -> bool,
) -> Result<(), Error> {
    while let Some(block) = blocks.next_block()? {
        if sender.send(block).is_err() || is_full.load(Ordering::Relaxed) {
            // The workers say why.
            return Ok(());
        }
        if !watch(blocks.table().bytes_read()) {
            return Err(Error::Stopped);
        }
    }
    Ok(())
}

fn work<'a>(mut kernel: Kernel<'a>, receiver: &Mutex<Receiver<Block>>, shared: &Shared) -> Result<Kernel<'a>, TooMany> {
    let next = || receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok(block) = next() {
        let before = kernel.counts.rows;
        if let Err(too_many) = kernel.take(&block, REJECTS_KEPT) {
            shared.is_full.store(true, Ordering::Relaxed);
            return Err(too_many);
        }
        shared.rows.fetch_add(kernel.counts.rows - before, Ordering::Relaxed);
    }
    Ok(kernel)
}

fn join<'a>(worker: ScopedJoinHandle<'_, Result<Kernel<'a>, TooMany>>) -> Result<Kernel<'a>, TooMany> {
    worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn too_many() -> Error {
    let reason = format!("there are more than {MOST_GROUPS} groups: group by something that more rows have in common");
    Error::Gate(GateError::Rejected(FileReject { line: 0, reason, raw: String::new() }))
}

/// One partial of what all threads have found; `rows` and `rejects` are those of no block.
fn merged(plan: &Plan, kernels: Vec<Kernel<'_>>, rows: u64, rejects: &Rejects) -> Result<Partial, TooMany> {
    let mut partial = Partial::empty(plan);
    partial.rows = rows;
    partial.rejects = rejects.clone();
    for kernel in kernels {
        partial.rows += kernel.counts.rows;
        partial.passed_over += kernel.counts.passed_over;
        partial.rejects.total += kernel.counts.rejected;
        partial.rejects.kept.extend(kernel.counts.rejects);
        match partial.groups.len() {
            0 => partial.groups = kernel.groups,
            _ => partial.groups.merge_all(&kernel.groups)?,
        }
    }
    partial.rejects.kept.sort_by_key(|reject| reject.byte);
    partial.rejects.kept.truncate(REJECTS_KEPT);
    Ok(partial)
}
