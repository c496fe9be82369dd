//! Tables for people. They fit the terminal: long cells are cut, and rows of too many columns are written one below the other.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Row, Table as Drawn, Width, presets};
use tributary_cli_common::text::{one_line, thousands};

use crate::cell::Cell;

/// Characters of a cell that a column must have room for, beside its header. With less, nothing could be read.
const MIN_COLUMN: u16 = 12;
/// Characters around a cell: a line and two blanks.
const FRAME: u16 = 3;
/// Lines of a cell where each column has a line of its own.
const RECORD_LINES: usize = 4;

/// A table to draw.
pub(super) struct Table<'a> {
    /// The word for its rows.
    pub(super) noun: &'a str,
    pub(super) columns: &'a [String],
    pub(super) rows: &'a [Vec<Cell>],
    /// Number of all rows, also of those that are not shown.
    pub(super) total: i64,
}

impl Table<'_> {
    /// Writes the table, and how many rows it shows. Without a width cells stay whole.
    pub(super) fn write(&self, width: Option<u16>, out: &mut impl Write) -> io::Result<()> {
        let mut drawn = self.drawn();
        match width {
            Some(width) if !fit(&mut drawn, &self.header_widths(), width) => self.write_records(width, out)?,
            _ => write_lines(&drawn, out)?,
        }
        let (shown, total) = (self.rows.len() as u64, u64::try_from(self.total).unwrap_or_default());
        writeln!(out, "{} of {} {}", thousands(shown), thousands(total), self.noun)
    }

    /// The table with a line per row.
    fn drawn(&self) -> Drawn {
        let mut drawn = new_table();
        drawn.set_header(self.columns.iter().map(|name| one_line(name)));
        for cells in self.rows {
            let mut row = Row::from(cells.iter().map(text));
            row.max_height(1);
            drawn.add_row(row);
        }
        for (at, column) in drawn.column_iter_mut().enumerate() {
            if self.is_numeric(at) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        drawn
    }

    /// Writes each row as a table of its own, with a line per column.
    fn write_records(&self, width: u16, out: &mut impl Write) -> io::Result<()> {
        let names = self.header_widths().into_iter().max().unwrap_or_default().saturating_add(2).min(width / 2);
        // Three lines stand between and around two columns.
        let values = width.saturating_sub(names + 3);
        for cells in self.rows {
            let mut drawn = new_table();
            drawn.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
            for (name, cell) in self.columns.iter().zip(cells) {
                let mut row = Row::from(vec![one_line(name), text(cell)]);
                row.max_height(RECORD_LINES);
                drawn.add_row(row);
            }
            drawn.set_constraints([names, values].map(|width| ColumnConstraint::Absolute(Width::Fixed(width))));
            write_lines(&drawn, out)?;
        }
        Ok(())
    }

    /// Characters of each header, as a terminal shows them.
    fn header_widths(&self) -> Vec<u16> {
        let mut header = new_table();
        header.set_header(self.columns.iter().map(|name| one_line(name)));
        header.column_max_content_widths()
    }

    /// Whether a column holds numbers and nothing else.
    fn is_numeric(&self, at: usize) -> bool {
        let mut cells = self.rows.iter().filter_map(|row| row.get(at)).filter(|cell| **cell != Cell::Null).peekable();
        cells.peek().is_some() && cells.all(|cell| matches!(cell, Cell::Number(_) | Cell::Digits(_)))
    }
}

/// Makes a table fit the width. Returns false if its columns would be too narrow to be read.
fn fit(drawn: &mut Drawn, headers: &[u16], width: u16) -> bool {
    let contents = drawn.column_max_content_widths();
    let least = |(header, content): (&u16, &u16)| u32::from((*header).max((*content).min(MIN_COLUMN)) + FRAME);
    let needed: u32 = headers.iter().zip(&contents).map(least).sum::<u32>() + 1;
    for (column, header) in drawn.column_iter_mut().zip(headers) {
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(header + column.padding_width())));
    }
    drawn.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    needed <= u32::from(width)
}

fn new_table() -> Drawn {
    let mut drawn = Drawn::new();
    drawn.load_style(presets::UTF8_FULL_CONDENSED);
    drawn
}

fn write_lines(drawn: &Drawn, out: &mut impl Write) -> io::Result<()> {
    drawn.lines().try_for_each(|line| writeln!(out, "{line}"))
}

fn text(cell: &Cell) -> String {
    one_line(&cell.text().unwrap_or_default())
}

#[cfg(test)]
mod tests;
