//! The command line: the arguments as typed ([`Args`]), and without contradictions (`Request`).

mod table;

use std::time::Duration;

use clap::{
    CommandFactory, Parser, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
    error::ErrorKind,
};
use tributary_cli_common::LogArgs;
use tributary_store::HistorySpan;

pub(crate) use table::Table;

/// Longest time between two looks at the database.
const MAX_WATCH_SECONDS: u64 = 3_600;

/// Examples under `--help`.
const EXAMPLES: &str = "\
Examples:
  readdb products --name Pen --limit 50      the first 50 products of a name
  readdb held --watch                        versions that wait for a person, and follow them
  readdb report sales --format csv > s.csv   a whole report

Exit codes: 0 success, 1 failure, 2 wrong usage";

/// Prints the tables of a database in key order, by bytes. Works while the master runs, and never changes anything
#[derive(Debug, Parser)]
#[command(name = "readdb", version, after_help = EXAMPLES)]
pub struct Args {
    /// Table to print; without one, the first rows of products and aggr with their row counts
    #[arg(value_enum)]
    table: Option<Table>,

    /// Name of the report, with `report`
    #[arg(value_name = "NAME")]
    report: Option<String>,

    /// The database: a path, sqlite:PATH or postgres://… If absent, TRIBUTARY_DATABASE_URL, then DATABASE_URL, then `database_url` in
    /// ./tributary.toml [default: database.db]
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,

    /// Maximum number of rows per table; 0 prints only the header and the count [default: 10 with --format table, all with
    /// csv and json]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    limit: Option<i64>,

    /// Only this sku, exactly as stored (products, edits, changes)
    #[arg(long)]
    sku: Option<String>,

    /// Only this name, exactly as stored (products, aggr)
    #[arg(long)]
    name: Option<String>,

    /// Time that the history goes back: an hour by minutes, a day by quarters of an hour, a week by two hours, or a year by days
    /// [default: hour]
    #[arg(long, value_parser = span())]
    span: Option<HistorySpan>,

    /// Only the history of this source; else that of all together
    #[arg(long, value_name = "NAME")]
    source: Option<String>,

    /// Print again whenever the database has changed, and look for changes every so many seconds [default: 1]. Ctrl-C ends it
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "1",
        value_parser = clap::value_parser!(u64).range(1..=MAX_WATCH_SECONDS))]
    watch: Option<u64>,

    /// Output format. `table` is for people: it truncates long cells to the width of the terminal and escapes control
    /// characters. `csv` (which needs a table) and `json` are exact
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    /// Log options.
    #[command(flatten)]
    pub log: LogArgs,
}

/// The output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// RFC 4180 with a header line; null is nothing, an empty text is ""
    Csv,
    /// One array of objects; without a table an object with `products` and `aggr`
    Json,
}

/// The arguments, without contradictions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// `None` for products and aggr.
    pub(crate) table: Option<Table>,
    /// Maximum number of rows per table, if one is given.
    limit: Option<i64>,
    /// Only this sku, in the tables that have one.
    pub(crate) sku: Option<String>,
    /// Only this name, in the tables that can be filtered by it.
    pub(crate) name: Option<String>,
    /// Name of the report; some with [`Table::Report`].
    pub(crate) report: Option<String>,
    /// The time that the history goes back.
    pub(crate) span: HistorySpan,
    /// The source of the history; `None` for all together.
    pub(crate) source: Option<String>,
    /// Interval in which changes are looked for; `None` to print once.
    pub(crate) watch: Option<Duration>,
    /// The output format.
    pub(crate) format: Format,
}

impl Request {
    /// The tables to print, in order.
    pub(crate) fn tables(&self) -> &[Table] {
        self.table.as_ref().map_or(&[Table::Products, Table::Aggr], std::slice::from_ref)
    }

    /// Maximum number of rows per table. People get a few without asking, programs all.
    pub(crate) fn limit(&self) -> i64 {
        let default = if self.format == Format::Table { 10 } else { i64::MAX };
        self.limit.unwrap_or(default)
    }
}

impl Args {
    /// Why a filter or a name does not go with the table.
    fn mismatch(&self) -> Option<String> {
        let table = self.table;
        let is_wrong = |is_given: bool, applies: fn(Table) -> bool| is_given && !table.is_none_or(applies);
        let of = |table: Table| table.noun();
        if is_wrong(self.sku.is_some(), Table::has_sku) {
            return table
                .map(|table| format!("--sku does not apply to {}; it filters products, edits and changes", of(table)));
        }
        if is_wrong(self.name.is_some(), Table::has_name) {
            return table.map(|table| format!("--name does not apply to {}; it filters products and aggr", of(table)));
        }
        if table == Some(Table::Changes) && self.sku.is_none() {
            return Some("name the product, as in `readdb changes --sku 1`".to_owned());
        }
        let is_history = table == Some(Table::History);
        if !is_history && (self.span.is_some() || self.source.is_some()) {
            return Some("--span and --source apply to `readdb history` only".to_owned());
        }
        match (table == Some(Table::Report), &self.report) {
            (true, None) => {
                Some("name the report, as in `readdb report sales`; `readdb reports` lists them".to_owned())
            }
            (false, Some(name)) => {
                Some(format!("`{name}` is one word too many; only `readdb report NAME` takes a name"))
            }
            _ => None,
        }
    }

    /// Refuses arguments that contradict each other.
    ///
    /// # Errors
    /// The text names them.
    pub fn check(&self) -> Result<(), clap::Error> {
        Request::try_from(self).map(drop)
    }
}

impl TryFrom<&Args> for Request {
    type Error = clap::Error;

    /// Refuses what does not apply to the table: ignoring it would answer a different question.
    fn try_from(args: &Args) -> Result<Request, clap::Error> {
        let refuse = |text: String| Err(Args::command().error(ErrorKind::ArgumentConflict, text));
        if let Some(why) = args.mismatch() {
            return refuse(why);
        }
        if args.table.is_none() && args.format == Format::Csv {
            return refuse("--format csv needs a table, such as `readdb products --format csv`".to_owned());
        }
        if args.watch.is_some() && args.format != Format::Table {
            return refuse("--watch prints for people; programs follow the events of the master's API".to_owned());
        }
        Ok(Request {
            table: args.table,
            limit: args.limit,
            sku: args.sku.clone(),
            name: args.name.clone(),
            report: args.report.clone(),
            span: args.span.unwrap_or_default(),
            source: args.source.clone(),
            watch: args.watch.map(Duration::from_secs),
            format: args.format,
        })
    }
}

/// Reads the name of a span.
fn span() -> impl TypedValueParser<Value = HistorySpan> {
    let names = PossibleValuesParser::new(HistorySpan::ALL.map(HistorySpan::as_str));
    names.try_map(|name| HistorySpan::named(&name).ok_or("it is not a span"))
}

#[cfg(test)]
mod tests;
