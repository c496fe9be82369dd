//! `data-source inspect FILE`: shows how one file is read, for people (`table`) and for programs (`csv`, `json`).

use std::{
    fs::{self, File},
    io::{self, Write},
    path::PathBuf,
};

use anyhow::Context;
use clap::{Args, ValueEnum};
use comfy_table::presets;
use serde::Serialize;
use tributary_csv_gate::{Dialect, Evidence, Header, Quote, Quotes, Ragged, Reject, Table, write_record, write_texts};
use tributary_format_rules::{read_formats, settings, to_toml};
use tributary_protocol::FormatSpec;

/// Rows that the summary shows.
const MAX_ROWS: usize = 10;
/// Columns, and characters per cell, that the summary shows: more would not fit on a screen.
const MAX_COLUMNS: usize = 12;
const MAX_CELL_CHARS: usize = 40;
/// Output is written in pieces of about this size.
const BUFFER_BYTES: usize = 64 << 10;

/// Options of `data-source inspect`.
#[derive(Args, Clone, Debug)]
pub struct InspectArgs {
    /// File to inspect; .gz and .zst are unpacked
    pub file: PathBuf,
    /// File of `[[format]]` tables; the other options win over it
    #[arg(long, value_name = "FILE")]
    pub formats: Option<PathBuf>,
    /// Encoding, such as windows-1252 [default: detected]
    #[arg(long)]
    pub encoding: Option<String>,
    /// Field delimiter, one or several characters; \t is a tab [default: detected]
    #[arg(long, value_name = "C", value_parser = delimiter)]
    pub delimiter: Option<String>,
    /// Quote character; empty for none [default: detected]
    #[arg(long, value_name = "C", value_parser = quote)]
    pub quote: Option<Quote>,
    /// Escape character inside quotes [default: detected]
    #[arg(long, value_name = "C", value_parser = ascii)]
    pub escape: Option<u8>,
    /// Read a quote inside a quoted field as text if neither a delimiter nor a line end follows it
    #[arg(long)]
    pub lenient_quotes: bool,
    /// Lines to skip before the header [default: 0]
    #[arg(long, value_name = "N")]
    pub skip_rows: Option<u64>,
    /// Lines to skip at the end [default: 0]
    #[arg(long, value_name = "N")]
    pub skip_footer: Option<u64>,
    /// Skip lines that start so
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
    /// Treat the first line as a row and name the columns column_1, column_2, …
    #[arg(long)]
    pub no_header: bool,
    /// The treatment of rows that have too few or too many fields [default: reject]
    #[arg(long, value_enum)]
    pub ragged: Option<RaggedArg>,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// Values of `--ragged`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum RaggedArg {
    /// Reject them
    Reject,
    /// Fill the missing fields with empty text
    Pad,
    /// Drop extra fields at the end that are empty
    Trim,
}

/// Values of `--format`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    /// A summary, the first rows and the rejects
    Table,
    /// The header and the good rows
    Csv,
    /// One JSON object with everything but the rows
    Json,
}

/// Prints how a file is read. A broken pipe is not an error: the reader has seen enough.
///
/// # Errors
/// The file cannot be read, or it is rejected as a whole; both name the file.
pub fn run(args: &InspectArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let table = open(args).with_context(|| format!("failed to inspect `{}`", args.file.display()))?;
    let printed = match args.format {
        Format::Csv => print_csv(table, out),
        Format::Table => read(table, MAX_ROWS).and_then(|findings| Ok(print_table(args, &findings, out)?)),
        Format::Json => read(table, 0).and_then(|findings| print_json(args, &findings, out)),
    };
    match printed.and_then(|()| Ok(out.flush()?)) {
        Err(error) if is_broken_pipe(&error) => Ok(()),
        result => result.with_context(|| format!("failed to inspect `{}`", args.file.display())),
    }
}

fn open(args: &InspectArgs) -> anyhow::Result<Table<File>> {
    let size = fs::metadata(&args.file)?.len();
    let rules = args.formats.as_deref().map(read_formats).transpose()?.unwrap_or_default();
    let path = args.file.to_string_lossy();
    let mut settings = settings(&rules.spec(path.trim_start_matches("./")))?;
    settings.encoding = args.encoding.clone().or(settings.encoding);
    settings.delimiter = args.delimiter.clone().or(settings.delimiter);
    settings.quote = args.quote.or(settings.quote);
    settings.escape = args.escape.or(settings.escape);
    settings.skip_rows = args.skip_rows.unwrap_or(settings.skip_rows);
    settings.skip_footer = args.skip_footer.unwrap_or(settings.skip_footer);
    settings.comment = args.comment.clone().or(settings.comment);
    if args.lenient_quotes {
        settings.quotes = Quotes::Lenient;
    }
    if args.no_header {
        settings.header = Header::None;
    }
    settings.ragged = match args.ragged {
        None => settings.ragged,
        Some(RaggedArg::Reject) => Ragged::Reject,
        Some(RaggedArg::Pad) => Ragged::Pad,
        Some(RaggedArg::Trim) => Ragged::Trim,
    };
    Ok(Table::open(&path, size, || File::open(&args.file), &settings)?)
}

/// A file read to its end.
struct Findings {
    table: Table<File>,
    good_rows: u64,
    first_rows: Vec<Vec<String>>,
}

fn read(mut table: Table<File>, rows_kept: usize) -> anyhow::Result<Findings> {
    let mut first_rows = Vec::new();
    let mut good_rows = 0;
    while let Some(row) = table.next_row()? {
        good_rows += 1;
        if first_rows.len() < rows_kept {
            first_rows.push(row.fields().take(MAX_COLUMNS).map(|field| cell(&field)).collect());
        }
    }
    Ok(Findings { table, good_rows, first_rows })
}

fn print_csv(mut table: Table<File>, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut buffer = Vec::with_capacity(2 * BUFFER_BYTES);
    write_texts(&mut buffer, table.columns());
    while let Some(row) = table.next_row()? {
        write_record(&mut buffer, (0..row.len()).map(|field| row.value(field)));
        if buffer.len() >= BUFFER_BYTES {
            out.write_all(&buffer)?;
            buffer.clear();
        }
    }
    Ok(out.write_all(&buffer)?)
}

fn print_table(args: &InspectArgs, findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    print_summary(args, findings, out)?;
    print_rows(findings, out)?;
    print_rejects(findings, out)
}

fn print_summary(args: &InspectArgs, findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    let dialect = findings.table.dialect();
    let columns: Vec<_> = findings.table.columns().iter().map(|column| cell(column)).collect();
    writeln!(out, "file       {}", args.file.display())?;
    writeln!(out, "encoding   {}", shown_encoding(dialect))?;
    writeln!(out, "delimiter  {}", shown_delimiter(&dialect.delimiter))?;
    writeln!(out, "quote      {}", quote_text(dialect.quote).unwrap_or_else(|| "none".to_owned()))?;
    writeln!(out, "packing    {}", dialect.packing)?;
    writeln!(out, "columns    {}: {}", columns.len(), columns.join(", "))?;
    writeln!(out, "rows       {}", findings.good_rows)?;
    writeln!(out, "rejects    {}", findings.table.rejects().total)?;
    if let repaired @ 1.. = findings.table.rejects().repaired {
        writeln!(out, "repaired   {repaired}")?;
    }
    for (number, line) in to_toml(&found_format(args, dialect)).lines().enumerate() {
        writeln!(out, "{:11}{line}", if number == 0 { "format" } else { "" })?;
    }
    Ok(())
}

fn shown_encoding(dialect: &Dialect) -> String {
    let why = match dialect.encoding_evidence {
        Evidence::Set => ", as set".to_owned(),
        Evidence::Marked => ", by its byte order mark".to_owned(),
        Evidence::Guessed { lines, confident } => {
            let line = if lines == 1 { "line" } else { "lines" };
            let doubt = if confident { "" } else { ", which is little evidence" };
            format!(", guessed from {lines} {line}{doubt}")
        }
        _ => String::new(),
    };
    let mixed = if dialect.keeps_utf8_lines { "; lines that are valid UTF-8 are read as UTF-8" } else { "" };
    format!("{}{why}{mixed}", dialect.encoding)
}

/// The settings that read the file in the same way, ready to be pasted.
fn found_format(args: &InspectArgs, dialect: &Dialect) -> FormatSpec {
    let name = args.file.file_name().map(|name| name.to_string_lossy().into_owned());
    // Set for the whole file, an encoding would be used for its UTF-8 lines too.
    let encoding = (!dialect.keeps_utf8_lines).then(|| dialect.encoding.to_owned());
    FormatSpec {
        files: name.into_iter().collect(),
        encoding,
        delimiter: Some(dialect.delimiter.clone()),
        quote: Some(quote_text(dialect.quote).unwrap_or_default()),
        escape: dialect.escape.map(|escape| char::from(escape).to_string()),
        skip_rows: Some(dialect.skipped_lines).filter(|lines| *lines > 0),
        skip_footer: args.skip_footer,
        comment: args.comment.clone(),
        ..FormatSpec::default()
    }
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

/// Output of `--format json`.
#[derive(Serialize)]
struct Json<'a> {
    file: String,
    encoding: &'a str,
    delimiter: &'a str,
    /// The quoting character; null if there is none.
    quote: Option<String>,
    packing: String,
    columns: &'a [String],
    /// Good rows.
    rows: u64,
    rejects_total: u64,
    /// The first of them.
    rejects: Vec<JsonReject<'a>>,
}

#[derive(Serialize)]
struct JsonReject<'a> {
    line: u64,
    byte: u64,
    reason: String,
    raw: &'a str,
}

impl<'a> From<&'a Reject> for JsonReject<'a> {
    fn from(reject: &'a Reject) -> Self {
        Self { line: reject.line, byte: reject.byte, reason: reject.reason.to_string(), raw: &reject.raw }
    }
}

fn print_json(args: &InspectArgs, findings: &Findings, out: &mut dyn Write) -> anyhow::Result<()> {
    let (table, dialect) = (&findings.table, findings.table.dialect());
    let json = Json {
        file: args.file.display().to_string(),
        encoding: dialect.encoding,
        delimiter: &dialect.delimiter,
        quote: quote_text(dialect.quote),
        packing: dialect.packing.to_string(),
        columns: table.columns(),
        rows: findings.good_rows,
        rejects_total: table.rejects().total,
        rejects: table.rejects().kept.iter().map(JsonReject::from).collect(),
    };
    let mut out = io::BufWriter::new(out);
    serde_json::to_writer_pretty(&mut out, &json).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

/// Makes a value safe for a terminal: one line, not too long, and without control characters, which could move the cursor or
/// recolour the screen.
fn cell(value: &str) -> String {
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

fn quote_text(quote: Quote) -> Option<String> {
    quote.byte().map(|byte| char::from(byte).to_string())
}

/// Returns whether the output broke. Errors of reading the file arrive as errors of the reader instead.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn delimiter(text: &str) -> Result<String, String> {
    match text {
        "" => Err("a delimiter has at least one character".to_owned()),
        text => Ok(text.replace("\\t", "\t")),
    }
}

fn quote(text: &str) -> Result<Quote, String> {
    if text.is_empty() { Ok(Quote::None) } else { ascii(text).map(Quote::Char) }
}

fn ascii(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err("give one ASCII character".to_owned()),
    }
}

#[cfg(test)]
mod tests;
