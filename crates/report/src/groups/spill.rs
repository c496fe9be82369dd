//! Groups in files, because there is no room for them in memory. A run has groups in byte order of their keys; several runs are merged.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io::{self, BufReader, BufWriter, Read, Seek, Write},
};

use super::{Full, MAX_GROUPS, MAX_KEY_BYTES, Part, Parts};
use crate::{
    plan::{PartKind, ReportPlan},
    room::Room,
};

/// A file without a name.
pub trait SpillFile: Read + Write + Seek + Send {}

impl<T: Read + Write + Seek + Send> SpillFile for T {}

/// Bytes that are read or written at a time.
const BUFFER_BYTES: usize = 64 << 10;

/// Runs that are merged to one.
const MAX_RUNS: usize = 16;
/// Groups between two questions whether to go on.
const GROUPS_BETWEEN: usize = 256;

/// A group in a run.
pub(super) struct Spilled {
    pub(super) key: Vec<u8>,
    pub(super) rows: u64,
    pub(super) parts: Vec<Part>,
}

/// Groups in a file, in order.
pub(crate) struct Run {
    file: Box<dyn SpillFile>,
    groups: usize,
    key_bytes: u64,
    kinds: Vec<PartKind>,
}

/// The runs of one result.
#[derive(Default)]
pub(crate) struct Runs(Vec<Run>);

impl Runs {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Moves groups to a run. When runs are many, they are merged to one.
    pub(crate) fn push(&mut self, groups: Parts, plan: &ReportPlan, room: &Room) -> Result<(), Full> {
        self.0.push(Run::write(&groups, room, &plan.kinds())?);
        drop(groups);
        if self.0.len() == MAX_RUNS {
            let all = std::mem::take(self).merged(plan, room, &mut || true)?;
            self.0.push(all);
        }
        Ok(())
    }

    /// All of them as one. Asks `go_on` now and then, and fails if it says no.
    pub(crate) fn merged(self, plan: &ReportPlan, room: &Room, go_on: &mut dyn FnMut() -> bool) -> Result<Run, Full> {
        let run = Run::merge(self.0, room, &plan.kinds(), go_on)?;
        if run.len() > MAX_GROUPS || run.key_bytes > MAX_KEY_BYTES as u64 { Err(Full::Groups) } else { Ok(run) }
    }
}

/// A run to which groups are added in order.
struct RunWriter {
    out: BufWriter<Box<dyn SpillFile>>,
    groups: usize,
    key_bytes: u64,
}

impl RunWriter {
    fn new(room: &Room) -> io::Result<Self> {
        Ok(Self { out: BufWriter::with_capacity(BUFFER_BYTES, room.make_file()?), groups: 0, key_bytes: 0 })
    }

    fn push(&mut self, key: &[u8], rows: u64, parts: &[Part]) -> io::Result<()> {
        self.groups += 1;
        self.key_bytes += key.len() as u64;
        put(&mut self.out, key)?;
        self.out.write_all(&rows.to_le_bytes())?;
        parts.iter().try_for_each(|part| put(&mut self.out, part.to_text().as_bytes()))
    }

    fn end(self, kinds: &[PartKind]) -> io::Result<Run> {
        let file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Run { file, groups: self.groups, key_bytes: self.key_bytes, kinds: kinds.to_vec() })
    }
}

/// Writes the length of a text, and the text.
fn put(out: &mut impl Write, text: &[u8]) -> io::Result<()> {
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(text)
}

impl Run {
    /// Writes groups to a new run.
    fn write(groups: &Parts, room: &Room, kinds: &[PartKind]) -> io::Result<Self> {
        let mut writer = RunWriter::new(room)?;
        for group in groups.order() {
            let (groups, index) = groups.place(group);
            let (rows, parts) = groups.at(index);
            writer.push(groups.key(index), rows, &parts)?;
        }
        writer.end(kinds)
    }

    /// Merges runs to one. Asks `go_on` now and then.
    fn merge(runs: Vec<Self>, room: &Room, kinds: &[PartKind], go_on: &mut dyn FnMut() -> bool) -> io::Result<Self> {
        let mut writer = RunWriter::new(room)?;
        let mut readers = Vec::new();
        for run in runs {
            readers.push(Reader::begin(run)?);
        }
        let mut next = BinaryHeap::new();
        let mut heads = Vec::new();
        for (number, reader) in readers.iter_mut().enumerate() {
            heads.push(reader.next()?);
            next.extend(heads[number].as_ref().map(|head| Reverse((head.key.clone(), number))));
        }
        let mut merged: Option<Spilled> = None;
        while let Some(Reverse((_, number))) = next.pop() {
            let head = std::mem::replace(&mut heads[number], readers[number].next()?);
            next.extend(heads[number].as_ref().map(|head| Reverse((head.key.clone(), number))));
            let Some(head) = head else { continue };
            match &mut merged {
                Some(merged) if merged.key == head.key => merged.add(&head),
                _ => {
                    if writer.groups.is_multiple_of(GROUPS_BETWEEN) && !go_on() {
                        return Err(io::ErrorKind::Interrupted.into());
                    }
                    if let Some(Spilled { key, rows, parts }) = merged.replace(head) {
                        writer.push(&key, rows, &parts)?;
                    }
                }
            }
        }
        if let Some(Spilled { key, rows, parts }) = merged {
            writer.push(&key, rows, &parts)?;
        }
        writer.end(kinds)
    }

    pub(super) fn len(&self) -> usize {
        self.groups
    }

    /// Calls `take` with each group.
    pub(super) fn each<E: From<io::Error>>(&mut self, mut take: impl FnMut(Spilled) -> Result<(), E>) -> Result<(), E> {
        self.file.rewind()?;
        let mut file = BufReader::with_capacity(BUFFER_BYTES, &mut self.file);
        for _ in 0..self.groups {
            take(read(&mut file, &self.kinds)?)?;
        }
        Ok(())
    }
}

impl Spilled {
    fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.parts.iter_mut().zip(&other.parts).for_each(|(part, other)| part.merge(other));
    }
}

/// A run that is read group by group.
struct Reader {
    file: BufReader<Box<dyn SpillFile>>,
    left: usize,
    kinds: Vec<PartKind>,
}

impl Reader {
    fn begin(Run { mut file, groups, kinds, .. }: Run) -> io::Result<Self> {
        file.rewind()?;
        Ok(Self { file: BufReader::with_capacity(BUFFER_BYTES, file), left: groups, kinds })
    }

    fn next(&mut self) -> io::Result<Option<Spilled>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        read(&mut self.file, &self.kinds).map(Some)
    }
}

fn read(file: &mut impl Read, kinds: &[PartKind]) -> io::Result<Spilled> {
    let key = text(file)?;
    let mut rows = [0; 8];
    file.read_exact(&mut rows)?;
    let part = |kind: &PartKind| {
        let text = String::from_utf8(text(file)?).map_err(io::Error::other)?;
        Part::parse(*kind, &text).ok_or_else(|| io::Error::other("a temporary file with groups is damaged"))
    };
    let parts = kinds.iter().map(part).collect::<io::Result<_>>()?;
    Ok(Spilled { key, rows: u64::from_le_bytes(rows), parts })
}

fn text(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    file.read_exact(&mut length)?;
    let mut text = vec![0; u32::from_le_bytes(length) as usize];
    file.read_exact(&mut text)?;
    Ok(text)
}
