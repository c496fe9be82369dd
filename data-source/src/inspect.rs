//! `data-source inspect FILE`: shows how one file is read, for people (`table`) and for programs (`csv`, `json`).

mod flags;
mod found_format;
mod summary;

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{self, PathBuf},
};

use anyhow::Context;
use clap::{Args, ValueEnum};
pub use flags::FormatFlags;
use serde::Serialize;
use summary::{MAX_COLUMNS, cell, quote_text};
use tributary_csv_gate::{
    Reject, Table,
    plain::{NotPlain, plain_table},
    write_record, write_texts,
};
use tributary_format_rules::{read_formats, settings};
use tributary_protocol::FormatSpec;

/// Rows that the summary shows.
const MAX_ROWS: usize = 10;
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
    /// Settings of the format.
    #[command(flatten)]
    pub flags: FormatFlags,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
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
    let Chosen { spec, note } = choose(args)?;
    let table = open(args, &spec).with_context(|| format!("failed to inspect `{}`", args.file.display()))?;
    let printed = match args.format {
        Format::Csv => note_on_stderr(note.as_deref()).and_then(|()| print_csv(table, out)),
        Format::Table => {
            read(args, &spec, table, note).and_then(|findings| Ok(summary::print(args, &spec, &findings, out)?))
        }
        Format::Json => read(args, &spec, table, note).and_then(|findings| print_json(args, &spec, &findings, out)),
    };
    match printed.and_then(|()| Ok(out.flush()?)) {
        Err(error) if is_broken_pipe(&error) => Ok(()),
        result => result.with_context(|| format!("failed to inspect `{}`", args.file.display())),
    }
}

/// The settings of the file.
struct Chosen {
    spec: FormatSpec,
    /// A remark on the choice, for people.
    note: Option<String>,
}

/// Chooses the settings: the flags, then the file of formats. Its patterns count from any folder on, because nobody says which one is
/// served.
fn choose(args: &InspectArgs) -> anyhow::Result<Chosen> {
    let spec = args.flags.spec();
    let Some(formats) = &args.formats else { return Ok(Chosen { spec, note: None }) };
    let rules = read_formats(formats)?;
    let path = path::absolute(&args.file).unwrap_or_else(|_| args.file.clone());
    Ok(match rules.spec_from_any_folder(&path.to_string_lossy()) {
        Some(rule) => Chosen { spec: spec.or(rule), note: None },
        None => {
            let (formats, file) = (formats.display(), args.file.display());
            Chosen { spec, note: Some(format!("no format of {formats} matches {file}, from any of its folders on")) }
        }
    })
}

/// The clean table alone goes to stdout.
fn note_on_stderr(note: Option<&str>) -> anyhow::Result<()> {
    note.map_or(Ok(()), |note| Ok(writeln!(io::stderr(), "note: {note}")?))
}

fn open(args: &InspectArgs, spec: &FormatSpec) -> anyhow::Result<Table<File>> {
    let size = fs::metadata(&args.file)?.len();
    Ok(Table::open(&args.file.to_string_lossy(), size, || File::open(&args.file), &settings(spec)?)?)
}

/// A file read to its end.
struct Findings {
    table: Table<File>,
    good_rows: u64,
    first_rows: Vec<Vec<String>>,
    /// A remark on how its format was chosen.
    note: Option<String>,
    /// The reason why other readers may read it differently; `None` if all read the same.
    not_plain: Option<NotPlain>,
}

fn read(
    args: &InspectArgs,
    spec: &FormatSpec,
    mut table: Table<File>,
    note: Option<String>,
) -> anyhow::Result<Findings> {
    let mut first_rows = Vec::new();
    let mut good_rows = 0;
    while let Some(row) = table.next_row()? {
        good_rows += 1;
        if first_rows.len() < MAX_ROWS {
            first_rows.push(row.fields().take(MAX_COLUMNS).map(|field| cell(&field)).collect());
        }
    }
    let not_plain = not_plain(args, spec)?;
    Ok(Findings { table, good_rows, first_rows, note, not_plain })
}

/// Reads the file once more, as any other reader would.
fn not_plain(args: &InspectArgs, spec: &FormatSpec) -> anyhow::Result<Option<NotPlain>> {
    let (path, size) = (args.file.to_string_lossy(), fs::metadata(&args.file)?.len());
    Ok(plain_table(&path, size, || File::open(&args.file), &settings(spec)?, |_| true)?.err())
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

/// Output of `--format json`.
#[derive(Serialize)]
struct Json<'a> {
    file: String,
    encoding: &'a str,
    delimiter: &'a str,
    /// The quoting character; null if there is none.
    quote: Option<String>,
    /// The escape character; null if there is none.
    escape: Option<String>,
    packing: String,
    /// Lines above the header.
    skip_rows: u64,
    columns: &'a [String],
    /// Good rows.
    rows: u64,
    rejects_total: u64,
    /// Good rows with a quote that lenient quotes made text.
    repaired: u64,
    /// Lines that are no rows; null if there are none.
    ignored: Option<JsonIgnored<'a>>,
    /// Whether any CSV reader reads the same rows.
    plain: bool,
    /// The reason if not; else null.
    not_plain: Option<String>,
    /// Notes on what was guessed or left out.
    notes: Vec<String>,
    /// The first of them.
    rejects: Vec<JsonReject<'a>>,
    /// The settings that read the file in the same way.
    format: FormatSpec,
}

#[derive(Serialize)]
struct JsonIgnored<'a> {
    lines: u64,
    /// The first of them.
    line: u64,
    raw: &'a str,
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

fn print_json(args: &InspectArgs, spec: &FormatSpec, findings: &Findings, out: &mut dyn Write) -> anyhow::Result<()> {
    let table = &findings.table;
    let dialect = table.dialect();
    let ignored = &table.rejects().ignored;
    let json = Json {
        file: args.file.display().to_string(),
        encoding: dialect.encoding,
        delimiter: &dialect.delimiter,
        quote: quote_text(dialect.quote),
        escape: dialect.escape.map(|escape| char::from(escape).to_string()),
        packing: dialect.packing.to_string(),
        skip_rows: dialect.skipped_lines,
        columns: table.columns(),
        rows: findings.good_rows,
        rejects_total: table.rejects().total,
        repaired: table.rejects().repaired,
        ignored: ignored.first.as_ref().map(|(line, raw)| JsonIgnored { lines: ignored.lines, line: *line, raw }),
        plain: findings.not_plain.is_none(),
        not_plain: findings.not_plain.as_ref().map(NotPlain::to_string),
        notes: findings.note.iter().cloned().chain(dialect.notes(table.rejects())).collect(),
        rejects: table.rejects().kept.iter().map(JsonReject::from).collect(),
        format: found_format::found_format(args, spec, findings),
    };
    let mut out = io::BufWriter::new(out);
    serde_json::to_writer_pretty(&mut out, &json).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

/// Returns whether the output broke. Errors of reading the file arrive as errors of the reader instead.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests;
