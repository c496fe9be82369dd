//! The command line: the arguments as typed ([`Args`]), and without contradictions (`Request`).

use clap::{CommandFactory, Parser, ValueEnum, error::ErrorKind};
use tributary_cli_common::LogArgs;

/// Prints the tables of a database in key order, by bytes. Works while the master runs, and never changes anything
#[derive(Debug, Parser)]
#[command(name = "readdb", version)]
pub struct Args {
    /// Table to print; without one, the first rows of products and aggr with their row counts
    #[arg(value_enum)]
    table: Option<Table>,

    /// The database: a path or sqlite:PATH. If absent, TRIBUTARY_DATABASE_URL, then DATABASE_URL, then `database_url` in
    /// ./tributary.toml [default: database.db]
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,

    /// Maximum number of rows per table; 0 prints only the header and the count [default: 10 with --format table, all with
    /// csv and json]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    limit: Option<i64>,

    /// Only this sku, exactly as stored (products, edits)
    #[arg(long)]
    sku: Option<String>,

    /// Only this name, exactly as stored (products, aggr)
    #[arg(long)]
    name: Option<String>,

    /// Output format. `table` is for people: it truncates long cells to the width of the terminal and escapes control
    /// characters. `csv` (which needs a table) and `json` are exact
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    /// Log options.
    #[command(flatten)]
    pub log: LogArgs,
}

/// A table that can be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Table {
    /// The current products, by sku
    Products,
    /// The number of products per name, by name
    Aggr,
    /// The sources, by name
    Sources,
    /// The files of all sources, by source and path
    Files,
    /// Rows that were set aside, by source, file and line
    Rejects,
    /// Manual corrections, by sku
    Edits,
    /// The queues of the broker, as the master last saw them
    Queues,
}

impl Table {
    /// Returns the word for its rows in a sentence.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Table::Aggr => "names in aggr",
            other => other.key(),
        }
    }

    /// Returns its key in the JSON object that is printed without a table.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Table::Products => "products",
            Table::Aggr => "aggr",
            Table::Sources => "sources",
            Table::Files => "files",
            Table::Rejects => "rejects",
            Table::Edits => "edits",
            Table::Queues => "queues",
        }
    }

    fn has_sku(self) -> bool {
        matches!(self, Table::Products | Table::Edits)
    }

    fn has_name(self) -> bool {
        matches!(self, Table::Products | Table::Aggr)
    }
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

    /// Refuses a filter that the table does not support: ignoring it would answer a different question.
    fn try_from(args: &Args) -> Result<Request, clap::Error> {
        let refuse = |text: String| Err(Args::command().error(ErrorKind::ArgumentConflict, text));
        if let Some(table) = args.table {
            let noun = table.noun();
            if args.sku.is_some() && !table.has_sku() {
                return refuse(format!("--sku does not apply to {noun}; it filters products and edits"));
            }
            if args.name.is_some() && !table.has_name() {
                return refuse(format!("--name does not apply to {noun}; it filters products and aggr"));
            }
        } else if args.format == Format::Csv {
            return refuse("--format csv needs a table, such as `readdb products --format csv`".to_owned());
        }
        Ok(Request {
            table: args.table,
            limit: args.limit,
            sku: args.sku.clone(),
            name: args.name.clone(),
            format: args.format,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses a command line into a request or the kind of the error.
    fn parse(typed: &str) -> Result<Request, ErrorKind> {
        let words = std::iter::once("readdb").chain(typed.split_whitespace());
        let args = Args::try_parse_from(words).map_err(|error| error.kind())?;
        Request::try_from(&args).map_err(|error| error.kind())
    }

    #[test]
    fn the_definition_is_valid() {
        Args::command().debug_assert();
    }

    #[test]
    fn each_flag_is_read() {
        let check = |typed: &str, expect: Request| assert_eq!(parse(typed), Ok(expect), "{typed}");
        let text = |word: &str| Some(word.to_owned());
        let base = || Request { table: None, limit: None, sku: None, name: None, format: Format::Table };
        check("", base());
        check("--sku 1 --name a", Request { sku: text("1"), name: text("a"), ..base() });
        check("aggr --limit 0", Request { table: Some(Table::Aggr), limit: Some(0), ..base() });
        check("--format json", Request { format: Format::Json, ..base() });
        let limit = |typed: &str| parse(typed).unwrap().limit();
        assert_eq!((limit(""), limit("--limit 11"), limit("--format json")), (10, 11, i64::MAX));
        for (word, table) in [
            ("products", Table::Products),
            ("sources", Table::Sources),
            ("files", Table::Files),
            ("rejects", Table::Rejects),
            ("edits", Table::Edits),
            ("queues", Table::Queues),
        ] {
            check(&format!("{word} --format csv"), Request { table: Some(table), format: Format::Csv, ..base() });
        }
    }

    #[test]
    fn wrong_usage_is_refused() {
        let check = |typed: &str, expect: ErrorKind| assert_eq!(parse(typed), Err(expect), "{typed}");
        check("nothing", ErrorKind::InvalidValue);
        check("--limit -1", ErrorKind::UnknownArgument);
        check("--limit=-1", ErrorKind::ValueValidation);
        check("--limit ten", ErrorKind::ValueValidation);
        check("--format xml", ErrorKind::InvalidValue);
        check("--format csv", ErrorKind::ArgumentConflict);
        for table in ["aggr", "sources", "files", "rejects"] {
            check(&format!("{table} --sku 1"), ErrorKind::ArgumentConflict);
        }
        for table in ["edits", "sources", "files", "rejects", "queues"] {
            check(&format!("{table} --name a"), ErrorKind::ArgumentConflict);
        }
    }
}
