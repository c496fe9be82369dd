//! Totals per department of a stream of sales: the computation of `processor.CsvProcessor`, a protocol that other programs speak.
//!
//! Bytes come in chunks of any size. The first record is a header, whatever it says. Each other record has three fields: a department,
//! anything, and an integer that is not negative. Every other record is malformed, and is counted. Of a stream only its totals are held,
//! and the record that has begun.

mod records;
mod row;
mod short;
mod simple;
mod totals;

use std::io::{self, Write};

use memchr::memchr;
use tributary_budget::Share;

use crate::{
    records::{Record, Records},
    row::Row,
    totals::Totals,
};

/// Reason that ends a stream before its end.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// A total is more than a `uint64`, which the protocol has for it.
    #[error("the sales are more than {} in all", u64::MAX)]
    TooLarge,
    /// The departments take more memory than all streams may have.
    #[error("there are too many departments: the memory for those of all streams is used up after {0} of this one")]
    TooMany(usize),
}

/// The sales of one stream.
#[derive(Debug)]
pub struct Sales {
    records: Records,
    has_header: bool,
    counts: Counts,
    totals: Totals,
}

/// Numbers of what was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows that count in a total.
    pub rows: u64,
    /// Rows that do not.
    pub malformed: u64,
    /// The sum of all totals.
    pub sales: u64,
}

impl Sales {
    /// A stream of which nothing has come. Its departments take their memory from `memory`.
    #[must_use]
    pub fn new(memory: Share) -> Self {
        Self { records: Records::default(), has_header: false, counts: Counts::default(), totals: Totals::new(memory) }
    }

    /// Reads the next bytes.
    ///
    /// # Errors
    /// A sum is too large, or there are too many departments. Nothing more can be read then.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), Error> {
        let Self { records, has_header, counts, totals } = self;
        let mut rest = chunk;
        while !rest.is_empty() {
            if *has_header && records.is_between() {
                rest = &rest[simple::rows(rest, |row| count(row, counts, totals))?..];
            }
            let end = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let (line, behind) = rest.split_at(end);
            records.push(line, &mut |record| add(record, has_header, counts, totals))?;
            rest = behind;
        }
        Ok(())
    }

    /// Reads what stands behind the last line break.
    ///
    /// # Errors
    /// As of [`push`](Self::push).
    pub fn finish(&mut self) -> Result<(), Error> {
        let Self { records, has_header, counts, totals } = self;
        records.finish(&mut |record| add(record, has_header, counts, totals))
    }

    /// The numbers so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The number of departments so far.
    #[must_use]
    pub fn departments(&self) -> usize {
        self.totals.len()
    }

    /// Writes the totals as CSV: a header, then a department and its total per line, in the order of their bytes, which is that of code
    /// points. Lines end in CR LF, and fields are quoted where they must be.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: impl Write) -> io::Result<()> {
        self.totals.write(out)
    }
}

fn add(record: Record<'_>, has_header: &mut bool, counts: &mut Counts, totals: &mut Totals) -> Result<(), Error> {
    if !std::mem::replace(has_header, true) {
        return Ok(());
    }
    let row = match record {
        Record::Whole(record) => row::parse(record),
        Record::Broken => None,
    };
    if let Some(row) = row {
        return count(row, counts, totals);
    }
    counts.malformed += 1;
    Ok(())
}

fn count(Row { department, sales }: Row<'_>, counts: &mut Counts, totals: &mut Totals) -> Result<(), Error> {
    // No total is more than the sum of all.
    counts.sales = sales.and_then(|sales| counts.sales.checked_add(sales)).ok_or(Error::TooLarge)?;
    counts.rows += 1;
    totals.add(&department, sales.unwrap_or_default())
}

#[cfg(test)]
mod tests;
