//! Writes listings: tables for people, CSV and JSON for programs.

use std::io::{self, Write};

use comfy_table::{Cell as TableCell, CellAlignment, ContentArrangement, Row, Table, presets};
use terminal_size::{Width, terminal_size_of};
use tributary_cli_common::text::{one_line, thousands};
use tributary_csv_gate::{write_record, write_texts};

use crate::{
    cli::{Format, Request},
    listing::{Cell, Listing},
};

/// Writes the listings in the requested format.
pub(crate) fn print(listings: &[Listing], request: &Request, out: &mut impl Write) -> io::Result<()> {
    match (request.format, request.table) {
        (Format::Table, _) => print_tables(listings, terminal_width(), out),
        (Format::Csv, _) => listings.iter().try_for_each(|listing| print_csv(listing, out)),
        (Format::Json, Some(_)) => {
            listings.iter().try_for_each(|listing| print_array(listing, out))?;
            writeln!(out)
        }
        (Format::Json, None) => print_object(listings, out),
    }
}

/// Returns the width that tables must fit in; `None` for a file or a pipe, where cells stay whole.
fn terminal_width() -> Option<u16> {
    terminal_size_of(io::stdout()).map(|(Width(width), _)| width)
}

fn print_tables(listings: &[Listing], width: Option<u16>, out: &mut impl Write) -> io::Result<()> {
    for (place, listing) in listings.iter().enumerate() {
        if place > 0 {
            writeln!(out)?;
        }
        print_table(listing, width, out)?;
    }
    Ok(())
}

fn print_table(listing: &Listing, width: Option<u16>, out: &mut impl Write) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(listing.columns);
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    for cells in &listing.rows {
        let mut row = Row::from(cells.iter().map(table_cell).collect::<Vec<_>>());
        row.max_height(1);
        table.add_row(row);
    }
    for line in table.lines() {
        writeln!(out, "{line}")?;
    }
    let (shown, total) = (listing.rows.len() as u64, u64::try_from(listing.total).unwrap_or_default());
    writeln!(out, "{} of {} {}", thousands(shown), thousands(total), listing.table.noun())
}

fn table_cell(cell: &Cell) -> TableCell {
    let shown = TableCell::new(one_line(&cell.text().unwrap_or_default()));
    match cell {
        Cell::Number(_) => shown.set_alignment(CellAlignment::Right),
        _ => shown,
    }
}

fn print_csv(listing: &Listing, out: &mut impl Write) -> io::Result<()> {
    let mut record = Vec::new();
    write_texts(&mut record, listing.columns);
    out.write_all(&record)?;
    for cells in &listing.rows {
        record.clear();
        write_record(&mut record, cells.iter().map(Cell::text));
        out.write_all(&record)?;
    }
    Ok(())
}

/// Writes one array with an object per line: a single JSON text that also suits `grep` and `diff`.
fn print_array(listing: &Listing, out: &mut impl Write) -> io::Result<()> {
    write!(out, "[")?;
    for (place, object) in listing.objects().enumerate() {
        write!(out, "{}", if place > 0 { ",\n" } else { "\n" })?;
        serde_json::to_writer(&mut *out, &object)?;
    }
    write!(out, "{}]", if listing.rows.is_empty() { "" } else { "\n" })
}

fn print_object(listings: &[Listing], out: &mut impl Write) -> io::Result<()> {
    write!(out, "{{")?;
    for (place, listing) in listings.iter().enumerate() {
        write!(out, "{}\"{}\": ", if place > 0 { ",\n" } else { "" }, listing.table.key())?;
        print_array(listing, out)?;
    }
    writeln!(out, "}}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    fn listing(rows: Vec<Vec<Cell>>) -> Listing {
        Listing { table: cli::Table::Aggr, columns: &["name", "no_of_products"], total: 12_345, rows }
    }

    #[test]
    fn a_table_fits_the_terminal_with_one_line_per_row() {
        let rows = vec![vec![Cell::from("a\nb "), Cell::from(7)], vec![Cell::from("long ".repeat(50)), Cell::from(12)]];
        let mut out = Vec::new();
        print_tables(&[listing(rows)], Some(40), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
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
        let mut out = Vec::new();
        print_tables(&[listing(vec![vec![Cell::from(long.as_str()), Cell::Null]])], None, &mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().contains(&long));
    }
}
