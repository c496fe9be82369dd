//! The common interface of all shapes: a header, and rows that are appended to a buffer.

use std::io::{self, Write};

use crate::buffer::RowBuffer;

/// A kind of file.
pub trait Shape {
    /// Returns the header as CSV without line end.
    fn header(&self) -> String;

    /// Appends row number `row` with its line end. Rows are asked for in order, from 0.
    fn put(&mut self, row: u64, buffer: &mut RowBuffer);
}

/// Writes a file of this shape in pieces of about a mebibyte. After each one `written` gets the number of rows so far.
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
    let mut buffer = RowBuffer::default();
    for row in 0..rows {
        shape.put(row, &mut buffer);
        if buffer.is_full() {
            out.write_all(buffer.bytes())?;
            buffer.clear();
            written(row + 1, out);
        }
    }
    out.write_all(buffer.bytes())?;
    written(rows, out);
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Returns the bytes of a file.
    pub(crate) fn bytes(mut shape: impl Shape, rows: u64) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut shape, rows, &mut out, |_, _| {}).unwrap();
        out
    }

    /// Returns the records after the header, as the `csv` crate reads them: it refuses rows of another length.
    pub(crate) fn records(bytes: &[u8]) -> Vec<csv::StringRecord> {
        csv::Reader::from_reader(bytes).records().map(Result::unwrap).collect()
    }

    /// Counts the distinct values of a column.
    pub(crate) fn distinct(records: &[csv::StringRecord], column: usize) -> usize {
        records.iter().map(|record| &record[column]).collect::<HashSet<_>>().len()
    }
}
