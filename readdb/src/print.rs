//! Writes rows: tables for people, CSV and JSON for programs.

use std::io::{self, Write};

use anyhow::{Context, Result};
use comfy_table::{Cell as TableCell, CellAlignment, ContentArrangement, Row, Table as PeopleTable, presets};
use terminal_size::{Width, terminal_size_of};
use tributary_cli_common::text::{one_line, thousands};
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
    /// The rows of the current table, if it is for people.
    held: Vec<Vec<Cell>>,
    columns: Vec<String>,
    /// Rows of the current table.
    rows: i64,
    tables: usize,
}

impl<'a, W: Write> Printer<'a, W> {
    pub(crate) fn new(request: &'a Request, out: W) -> Self {
        Self { request, out, held: Vec::new(), columns: Vec::new(), rows: 0, tables: 0 }
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
                return write_table((table, &self.columns), &rows, total, terminal_width(), &mut self.out)
                    .context(FAILED);
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

/// Returns the width that tables must fit in; `None` for a file or a pipe, where cells stay whole.
fn terminal_width() -> Option<u16> {
    terminal_size_of(io::stdout()).map(|(Width(width), _)| width)
}

fn write_table(
    (table, columns): (Table, &[String]),
    rows: &[Vec<Cell>],
    total: i64,
    width: Option<u16>,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut people = PeopleTable::new();
    people.load_style(presets::UTF8_FULL_CONDENSED).set_header(columns);
    if let Some(width) = width {
        people.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    for cells in rows {
        let mut row = Row::from(cells.iter().map(table_cell).collect::<Vec<_>>());
        row.max_height(1);
        people.add_row(row);
    }
    for line in people.lines() {
        writeln!(out, "{line}")?;
    }
    let (shown, total) = (rows.len() as u64, u64::try_from(total).unwrap_or_default());
    writeln!(out, "{} of {} {}", thousands(shown), thousands(total), table.noun())
}

fn table_cell(cell: &Cell) -> TableCell {
    let shown = TableCell::new(one_line(&cell.text().unwrap_or_default()));
    match cell {
        Cell::Number(_) => shown.set_alignment(CellAlignment::Right),
        _ => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Table;

    fn printed(rows: Vec<Vec<Cell>>, width: Option<u16>) -> String {
        let (mut out, columns) = (Vec::new(), ["name", "no_of_products"].map(str::to_owned));
        write_table((Table::Aggr, &columns), &rows, 12_345, width, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_table_fits_the_terminal_with_one_line_per_row() {
        let rows = vec![vec![Cell::from("a\nb "), Cell::from(7)], vec![Cell::from("long ".repeat(50)), Cell::from(12)]];
        let text = printed(rows, Some(40));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 7, "{text}");
        assert!(lines.iter().all(|line| line.chars().count() <= 40), "{text}");
        assert!(lines[3].starts_with("│ a\\nb ") && lines[3].ends_with("  7 │"), "{text}");
        assert!(lines[4].contains('…'), "{text}");
        assert_eq!(lines[6], "2 of 12,345 names in aggr");
    }

    #[test]
    fn without_a_terminal_cells_are_not_truncated() {
        let long = "long ".repeat(50);
        assert!(printed(vec![vec![Cell::from(long.as_str()), Cell::Null]], None).contains(&long));
    }
}
