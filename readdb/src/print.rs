//! Writes rows: tables for people, CSV and JSON for programs.

mod people;

use std::io::{self, Write};

use anyhow::{Context, Result};
use tributary_cli_common::text::thousands;
use tributary_csv_gate::{write_record, write_texts};

use crate::{
    cell::{Cell, Object},
    cli::{Format, Request, Table},
};

/// Writes the requested tables one after the other. CSV and JSON leave as they come; a table for people has to be
/// known as a whole, so that its columns fit.
pub(crate) struct Printer<'a, W> {
    request: &'a Request,
    out: W,
    /// Characters that a line of a table may have; `None` for a file or a pipe, where cells stay whole.
    width: Option<u16>,
    /// The rows of the current table, if it is for people.
    held: Vec<Vec<Cell>>,
    columns: Vec<String>,
    /// Rows of the current table.
    rows: i64,
    tables: usize,
}

impl<'a, W: Write> Printer<'a, W> {
    pub(crate) fn new(request: &'a Request, out: W, width: Option<u16>) -> Self {
        Self { request, out, width, held: Vec::new(), columns: Vec::new(), rows: 0, tables: 0 }
    }

    /// Begins a table with these columns.
    pub(crate) fn begin(&mut self, table: Table, columns: Vec<String>) -> Result<()> {
        (self.columns, self.rows) = (columns, 0);
        self.tables += 1;
        match (self.request.format, self.request.table) {
            (Format::Table, _) if self.tables > 1 => self.write(b"\n"),
            (Format::Table, _) => Ok(()),
            (Format::Csv, _) => {
                let mut header = Vec::new();
                write_texts(&mut header, &self.columns);
                self.write(&header)
            }
            (Format::Json, Some(_)) => self.write(b"["),
            (Format::Json, None) => {
                let before = if self.tables == 1 { "{" } else { ",\n" };
                self.write(format!("{before}\"{}\": [", table.key()).as_bytes())
            }
        }
    }

    /// Writes a row of the table.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) -> Result<()> {
        self.rows += 1;
        match self.request.format {
            Format::Table => {
                self.held.push(cells);
                Ok(())
            }
            Format::Csv => {
                let mut record = Vec::new();
                write_record(&mut record, cells.iter().map(Cell::text));
                self.write(&record)
            }
            // An object per line also suits `grep` and `diff`.
            Format::Json => {
                self.write(if self.rows > 1 { b",\n" } else { b"\n" })?;
                self.write(&serde_json::to_vec(&Object { columns: &self.columns, cells: &cells })?)
            }
        }
    }

    /// Ends a table of which `total` rows pass the filters. Says on stderr if a program got only some of them.
    pub(crate) fn end(&mut self, table: Table, total: i64) -> Result<()> {
        match self.request.format {
            Format::Table => {
                let rows = std::mem::take(&mut self.held);
                let table = people::Table { noun: table.noun(), columns: &self.columns, rows: &rows, total };
                return table.write(self.width, &mut self.out).context(FAILED);
            }
            Format::Csv => {}
            Format::Json => self.write(if self.rows > 0 { b"\n]" } else { b"]" })?,
        }
        if self.rows < total {
            let (shown, total) = (thousands(self.rows.unsigned_abs()), thousands(total.unsigned_abs()));
            // Not `eprintln!`, which panics if nobody reads stderr.
            let _ = writeln!(io::stderr(), "readdb: {shown} of {total} {}, because of --limit", table.noun());
        }
        Ok(())
    }

    /// Ends the output.
    pub(crate) fn finish(&mut self) -> Result<()> {
        match (self.request.format, self.request.table) {
            (Format::Table | Format::Csv, _) => {}
            (Format::Json, Some(_)) => self.write(b"\n")?,
            (Format::Json, None) => self.write(b"}\n")?,
        }
        self.out.flush().context(FAILED)
    }

    fn write(&mut self, text: &[u8]) -> Result<()> {
        self.out.write_all(text).context(FAILED)
    }
}

const FAILED: &str = "failed to write the output";
