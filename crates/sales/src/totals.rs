//! A sum for each department.

use std::{
    borrow::Cow,
    collections::HashMap,
    io::{self, BufWriter, Write},
};

use tributary_budget::Share;

use crate::{Error, short::Short};

/// Bytes of a department beside its name: its place in a table that may be growing, in a sorted list, and among the allocations.
const BYTES_PER_DEPARTMENT: u64 = 128;
/// Bytes that are taken of the memory at a time.
const STEP: u64 = 64 << 10;

type Sums<K> = HashMap<K, u64, foldhash::fast::RandomState>;

#[derive(Debug)]
pub(crate) struct Totals {
    short: Sums<Short>,
    long: Sums<Box<[u8]>>,
    memory: Share,
    /// Bytes of the share that nothing takes yet.
    left: u64,
}

impl Totals {
    pub(crate) fn new(memory: Share) -> Self {
        Self { short: HashMap::default(), long: HashMap::default(), memory, left: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.short.len() + self.long.len()
    }

    /// Adds to the sum of a department. The caller knows that it does not overflow.
    pub(crate) fn add(&mut self, department: &[u8], sales: u64) -> Result<(), Error> {
        let short = Short::new(department);
        let sum = match &short {
            Some(short) => self.short.get_mut(short),
            None => self.long.get_mut(department),
        };
        if let Some(sum) = sum {
            *sum += sales;
            return Ok(());
        }
        let bytes = BYTES_PER_DEPARTMENT + department.len() as u64;
        if self.left < bytes {
            if !self.memory.grow(STEP + bytes) {
                return Err(Error::TooMany(self.len()));
            }
            self.left += STEP + bytes;
        }
        self.left -= bytes;
        match short {
            Some(short) => self.short.insert(short, sales),
            None => self.long.insert(department.into(), sales),
        };
        Ok(())
    }

    pub(crate) fn write(&self, out: impl Write) -> io::Result<()> {
        let mut out = BufWriter::new(out);
        out.write_all(b"Department Name,Total Number of Sales\r\n")?;
        let short = self.short.iter().map(|(department, sum)| (Cow::Owned(department.bytes()), sum));
        let long = self.long.iter().map(|(department, sum)| (Cow::Borrowed(&**department), sum));
        let mut sums: Vec<(Cow<'_, [u8]>, &u64)> = short.chain(long).collect();
        sums.sort_unstable();
        for (department, sum) in sums {
            write_field(&mut out, &department)?;
            write!(out, ",{sum}\r\n")?;
        }
        out.flush()
    }
}

fn write_field(out: &mut impl Write, field: &[u8]) -> io::Result<()> {
    if !field.iter().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n')) {
        return out.write_all(field);
    }
    out.write_all(b"\"")?;
    for (number, part) in field.split(|byte| *byte == b'"').enumerate() {
        out.write_all(if number > 0 { b"\"\"" } else { b"" })?;
        out.write_all(part)?;
    }
    out.write_all(b"\"")
}
