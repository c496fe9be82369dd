//! The summary for people: what was found, the first rows, the rejects.

use std::io::{self, Write};

use comfy_table::presets;
use tributary_csv_gate::{Dialect, Quote};
use tributary_format_rules::to_toml;
use tributary_protocol::{FormatSpec, Sheet};

use super::{Findings, InspectArgs, found_format::found_format};

/// Columns, and characters per cell, that the summary shows: more would not fit on a screen.
pub(super) const MAX_COLUMNS: usize = 12;
const MAX_CELL_CHARS: usize = 40;

/// Prints all of it. `spec` are the settings with which the file was read.
pub(super) fn print(args: &InspectArgs, spec: &FormatSpec, findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    print_found(args, spec, findings, out)?;
    print_rows(findings, out)?;
    print_rejects(findings, out)
}

fn print_found(args: &InspectArgs, spec: &FormatSpec, findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    let (dialect, rejects) = (findings.table.dialect(), findings.table.rejects());
    let columns: Vec<_> = findings.table.columns().iter().map(|column| cell(column)).collect();
    writeln!(out, "file       {}", args.file.display())?;
    match &spec.sheet {
        Some(Sheet::Number(number)) => writeln!(out, "sheet      {number}")?,
        Some(Sheet::Name(name)) => writeln!(out, "sheet      {}", cell(name))?,
        None => print_dialect(dialect, out)?,
    }
    writeln!(out, "columns    {}: {}", columns.len(), columns.join(", "))?;
    writeln!(out, "rows       {}", findings.good_rows)?;
    writeln!(out, "rejects    {}", rejects.total)?;
    if let repaired @ 1.. = rejects.repaired {
        writeln!(out, "repaired   {repaired}")?;
    }
    if let Some((line, text)) = &rejects.ignored.first {
        let lines = rejects.ignored.lines;
        let noun = if lines == 1 { "line" } else { "lines" };
        writeln!(out, "no rows    {lines} {noun}, from line {line} on: {}", cell(text))?;
    }
    match &findings.not_plain {
        None => writeln!(out, "plain      yes: any CSV reader reads the same rows")?,
        Some(why) => writeln!(out, "plain      no: {}", why)?,
    }
    if let Some(note) = &findings.note {
        writeln!(out, "note       {note}")?;
    }
    for (number, line) in to_toml(&found_format(args, spec, findings)).lines().enumerate() {
        writeln!(out, "{:11}{line}", if number == 0 { "format" } else { "" })?;
    }
    Ok(())
}

fn print_dialect(dialect: &Dialect, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "encoding   {}", dialect.encoding_in_words())?;
    writeln!(out, "delimiter  {}", shown_delimiter(&dialect.delimiter))?;
    writeln!(out, "quote      {}", quote_text(dialect.quote).unwrap_or_else(|| "none".to_owned()))?;
    if let Some(escape) = dialect.escape {
        writeln!(out, "escape     {}", char::from(escape))?;
    }
    writeln!(out, "packing    {}", dialect.packing)
}

fn print_rows(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    if findings.first_rows.is_empty() {
        return Ok(());
    }
    let columns = findings.table.columns();
    let mut shown = comfy_table::Table::new();
    shown.load_style(presets::UTF8_FULL_CONDENSED);
    shown.set_header(columns.iter().take(MAX_COLUMNS).map(|column| cell(column)));
    shown.add_rows(&findings.first_rows);
    writeln!(out, "\n{shown}")?;
    let (rows, columns) = (findings.first_rows.len() as u64, columns.len());
    if findings.good_rows > rows {
        writeln!(out, "… and {} more rows", findings.good_rows - rows)?;
    }
    if columns > MAX_COLUMNS {
        writeln!(out, "… and {} more columns", columns - MAX_COLUMNS)?;
    }
    Ok(())
}

fn print_rejects(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    let rejects = findings.table.rejects();
    if rejects.total == 0 {
        return Ok(());
    }
    let mut shown = comfy_table::Table::new();
    shown.load_style(presets::UTF8_FULL_CONDENSED);
    shown.set_header(["line", "reason", "raw"]);
    for reject in &rejects.kept {
        shown.add_row([reject.line.to_string(), reject.reason.to_string(), cell(&reject.raw)]);
    }
    writeln!(out, "\nrejects\n{shown}")?;
    match rejects.total - rejects.kept.len() as u64 {
        0 => Ok(()),
        more => writeln!(out, "… and {more} more rejects"),
    }
}

/// Makes a value safe for a terminal: one line, not too long, and without control characters, which could move the cursor or
/// recolour the screen.
pub(super) fn cell(value: &str) -> String {
    let mut shown: String = value.chars().take(MAX_CELL_CHARS).map(printable).collect();
    if value.chars().nth(MAX_CELL_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

fn printable(character: char) -> char {
    match character {
        '\r' | '\n' => '⏎',
        '\t' => ' ',
        character if character.is_control() => '\u{fffd}',
        character => character,
    }
}

fn shown_delimiter(delimiter: &str) -> String {
    match delimiter {
        "\t" => "tab".to_owned(),
        delimiter => delimiter.escape_debug().to_string(),
    }
}

/// The quoting character, if there is one.
pub(super) fn quote_text(quote: Quote) -> Option<String> {
    quote.byte().map(|byte| char::from(byte).to_string())
}
