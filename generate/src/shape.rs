//! What all shapes have in common: a header, and rows that are put one after the other into blocks.

use std::io::{self, Write};

use crate::block::Block;

/// A kind of file: what its header is and what its rows hold.
pub trait Shape {
    /// The names of the columns, as CSV without its line end.
    fn header(&self) -> String;

    /// Puts row number `row` with its line end; rows are asked for in order, from 0.
    fn put(&mut self, row: u64, block: &mut Block);
}

/// Writes a file of this shape, in blocks of about a mebibyte; `written` is told after each how many rows are out.
///
/// # Errors
/// Those of `out`.
pub fn write<W: Write>(
    shape: &mut impl Shape,
    rows: u64,
    out: &mut W,
    mut written: impl FnMut(u64, &W),
) -> io::Result<()> {
    out.write_all(shape.header().as_bytes())?;
    out.write_all(b"\n")?;
    let mut block = Block::default();
    for row in 0..rows {
        shape.put(row, &mut block);
        if block.is_full() {
            out.write_all(block.bytes())?;
            block.clear();
            written(row + 1, out);
        }
    }
    out.write_all(block.bytes())?;
    written(rows, out);
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::HashSet;

    use super::*;

    /// The bytes of a file.
    pub(crate) fn bytes(mut shape: impl Shape, rows: u64) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut shape, rows, &mut out, |_, _| {}).unwrap();
        out
    }

    /// The records of a file behind its header, as the `csv` crate reads them: it refuses rows of another length.
    pub(crate) fn records(bytes: &[u8]) -> Vec<csv::StringRecord> {
        csv::Reader::from_reader(bytes).records().map(Result::unwrap).collect()
    }

    /// How many different values a column has.
    pub(crate) fn distinct(records: &[csv::StringRecord], column: usize) -> usize {
        records.iter().map(|record| &record[column]).collect::<HashSet<_>>().len()
    }
}
