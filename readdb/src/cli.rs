//! The command line of `readdb`: what may be typed ([`Args`]), and what it asks for once it is found to make sense
//! ([`Request`]).

use clap::{CommandFactory, Parser, ValueEnum, error::ErrorKind};

use tributary_cli_common::LogArgs;

/// Prints the tables of a database in key order, by bytes. Works while the master runs, and never changes anything.
#[derive(Debug, Parser)]
#[command(name = "readdb", version)]
pub(crate) struct Args {
    /// The table; without one, the first rows of products and aggr with their row counts.
    #[arg(value_enum)]
    table: Option<Table>,

    /// The database: a path or sqlite:PATH. Beats TRIBUTARY_DATABASE_URL, which beats DATABASE_URL, which beats
    /// `database_url` in ./tributary.toml [default: database.db].
    #[arg(long, value_name = "URL")]
    pub(crate) database_url: Option<String>,

    /// Print at most so many rows of a table; 0 prints none, just the header and the count.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(i64).range(0..))]
    limit: i64,

    /// Only this sku, exactly as it is stored (products, edits).
    #[arg(long)]
    sku: Option<String>,

    /// Only this name, exactly as it is stored (products, aggr).
    #[arg(long)]
    name: Option<String>,

    /// How the rows are printed. `table` is for people: long cells are cut to the width of the terminal and control
    /// characters are escaped. `csv` (which needs a table) and `json` are exact.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    /// Options of the logs.
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

/// A table that can be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Table {
    /// What is shown, by sku
    Products,
    /// How many products bear a name, by name
    Aggr,
    /// The sources, by name
    Sources,
    /// The sources' files, by source and path
    Files,
    /// Rows that could not be used, by source, file and line
    Rejects,
    /// People's changes, by sku
    Edits,
}

impl Table {
    /// What its rows are called in a sentence.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Table::Aggr => "names in aggr",
            other => other.key(),
        }
    }

    /// Its member in the object that is printed without a table.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Table::Products => "products",
            Table::Aggr => "aggr",
            Table::Sources => "sources",
            Table::Files => "files",
            Table::Rejects => "rejects",
            Table::Edits => "edits",
        }
    }

    fn has_sku(self) -> bool {
        matches!(self, Table::Products | Table::Edits)
    }

    fn has_name(self) -> bool {
        matches!(self, Table::Products | Table::Aggr)
    }
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// RFC 4180 with a header line; null is an empty field
    Csv,
    /// One array of objects; without a table an object with `products` and `aggr`
    Json,
}

/// What is asked for, free of contradictions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// `None`: products and aggr.
    pub(crate) table: Option<Table>,
    /// At most so many rows a table.
    pub(crate) limit: i64,
    /// Only this sku, in the tables that have one.
    pub(crate) sku: Option<String>,
    /// Only this name, in the tables that are filtered by one.
    pub(crate) name: Option<String>,
    /// How rows are printed.
    pub(crate) format: Format,
}

impl TryFrom<&Args> for Request {
    type Error = clap::Error;

    /// Refuses a filter that the table does not have: ignoring it would answer another question than was asked.
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
            return refuse("--format csv needs a table, for instance `readdb products --format csv`".to_owned());
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

    /// The request that is typed, or the kind of its refusal.
    fn parse(typed: &str) -> Result<Request, ErrorKind> {
        let words = std::iter::once("readdb").chain(typed.split_whitespace());
        let args = Args::try_parse_from(words).map_err(|error| error.kind())?;
        Request::try_from(&args).map_err(|error| error.kind())
    }

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn each_flag_is_read() {
        let check = |typed: &str, expect: Request| assert_eq!(parse(typed), Ok(expect), "{typed}");
        let text = |word: &str| Some(word.to_owned());
        let base = || Request { table: None, limit: 10, sku: None, name: None, format: Format::Table };
        check("", base());
        check("--sku 1 --name a", Request { sku: text("1"), name: text("a"), ..base() });
        check("aggr --limit 0", Request { table: Some(Table::Aggr), limit: 0, ..base() });
        check("--format json", Request { format: Format::Json, ..base() });
        for (word, table) in [
            ("products", Table::Products),
            ("sources", Table::Sources),
            ("files", Table::Files),
            ("rejects", Table::Rejects),
            ("edits", Table::Edits),
        ] {
            check(&format!("{word} --format csv"), Request { table: Some(table), format: Format::Csv, ..base() });
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
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
        for table in ["edits", "sources", "files", "rejects"] {
            check(&format!("{table} --name a"), ErrorKind::ArgumentConflict);
        }
    }
}
