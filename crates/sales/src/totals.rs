//! A sum for each department.

use std::{
    collections::HashMap,
    io::{self, BufWriter, Write},
};

use tributary_budget::Share;

use crate::Error;

/// Bytes of a department beside its name: its place in a table that may be growing, in a sorted list, and among the allocations.
const BYTES_PER_DEPARTMENT: u64 = 128;
/// Bytes that are taken of the memory at a time.
const STEP: u64 = 64 << 10;

#[derive(Debug)]
pub(crate) struct Totals {
    sums: HashMap<Box<[u8]>, u64, foldhash::fast::RandomState>,
    memory: Share,
    /// Bytes of the share that nothing takes yet.
    left: u64,
}

impl Totals {
    pub(crate) fn new(memory: Share) -> Self {
        Self { sums: HashMap::default(), memory, left: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.sums.len()
    }

    /// Adds to the sum of a department. The caller knows that it does not overflow.
    pub(crate) fn add(&mut self, department: &[u8], sales: u64) -> Result<(), Error> {
        if let Some(sum) = self.sums.get_mut(department) {
            *sum += sales;
            return Ok(());
        }
        let bytes = BYTES_PER_DEPARTMENT + department.len() as u64;
        if self.left < bytes {
            if !self.memory.grow(STEP + bytes) {
                return Err(Error::TooMany(self.sums.len()));
            }
            self.left += STEP + bytes;
        }
        self.left -= bytes;
        self.sums.insert(department.into(), sales);
        Ok(())
    }

    pub(crate) fn write(&self, out: impl Write) -> io::Result<()> {
        let mut out = BufWriter::new(out);
        out.write_all(b"Department Name,Total Number of Sales\r\n")?;
        let mut sums: Vec<_> = self.sums.iter().collect();
        sums.sort_unstable();
        for (department, sum) in sums {
            write_field(&mut out, department)?;
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
