//! The command line.

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use tributary_cli_common::LogArgs;

use crate::products::OwnColumns;

/// Examples under `--help`.
const EXAMPLES: &str = "\
Examples:
  generate products --rows 1000 --out feed.csv                  a feed of products
  generate products --rows 9 --columns price,stock --out f.csv  the same with columns of its own
  generate sales --rows 1000000 --out - | gzip > sales.csv.gz   sales per day, packed

Exit codes: 0 success, 1 failure, 2 wrong usage";

/// Generates CSV files at the speed of the disk; the same seed gives the same bytes
#[derive(Debug, Clone, Parser)]
#[command(name = "generate", version, after_help = EXAMPLES)]
pub struct Args {
    /// The kind of file.
    #[command(subcommand)]
    pub shape: ShapeArgs,
    /// Log options.
    #[command(flatten)]
    pub log: LogArgs,
}

/// The kinds of files.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum ShapeArgs {
    /// Department Name,Date,Number of Sales: about 32 bytes per row. Groups are departments [default: 500]
    Sales(FileArgs),
    /// name,sku,description: a product feed. Groups are names [default: about one per 2.3 rows]
    Products {
        /// Options of the file.
        #[command(flatten)]
        file: FileArgs,
        /// Columns behind description, in this order: any of price,stock,brand,gtin,category,image
        #[arg(long, value_name = "NAME,…")]
        columns: Option<OwnColumns>,
    },
    /// TransactionID,Date,Product,Price,Quantity,Customer,Payment. Groups are products [default: 1000]
    Transactions {
        /// Options of the file.
        #[command(flatten)]
        file: FileArgs,
        /// Header of the price column
        #[arg(long, value_name = "NAME", default_value = "Price")]
        price_header: String,
        /// Header of the quantity column
        #[arg(long, value_name = "NAME", default_value = "Quantity")]
        quantity_header: String,
    },
}

impl ShapeArgs {
    /// Returns the options of the file.
    #[must_use]
    pub fn file(&self) -> &FileArgs {
        match self {
            Self::Sales(file) | Self::Products { file, .. } | Self::Transactions { file, .. } => file,
        }
    }
}

/// Options of a file of any shape.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct FileArgs {
    /// Number of rows, without the header
    #[arg(long, value_name = "N")]
    pub rows: u64,
    /// Number of groups; exact if there are at least as many rows
    #[arg(long, value_name = "D", value_parser = clap::value_parser!(u32).range(1..))]
    pub groups: Option<u32>,
    /// Seed of the random numbers
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Output file, which appears once it is complete; `-` is stdout
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

impl FileArgs {
    /// Whether the data goes to stdout.
    #[must_use]
    pub fn is_stdout(&self) -> bool {
        self.out == Path::new("-")
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, error::ErrorKind};

    use super::*;

    fn parse(typed: &str) -> Result<ShapeArgs, ErrorKind> {
        let words = std::iter::once("generate").chain(typed.split_whitespace());
        Args::try_parse_from(words).map(|args| args.shape).map_err(|error| error.kind())
    }

    #[test]
    fn each_flag_is_read() {
        Args::command().debug_assert();
        let base = || FileArgs { rows: 9, groups: None, seed: 1, out: "a.csv".into() };
        let check = |typed: &str, expect: ShapeArgs| assert_eq!(parse(typed), Ok(expect), "{typed}");
        check("sales --rows 9 --out a.csv", ShapeArgs::Sales(base()));
        check(
            "products --rows 9 --out a.csv --groups 3",
            ShapeArgs::Products { file: FileArgs { groups: Some(3), ..base() }, columns: None },
        );
        check(
            "products --rows 9 --out a.csv --columns stock,price",
            ShapeArgs::Products { file: base(), columns: Some("stock,price".parse().unwrap()) },
        );
        let transactions = |file: FileArgs, price: &str, quantity: &str| ShapeArgs::Transactions {
            file,
            price_header: price.to_owned(),
            quantity_header: quantity.to_owned(),
        };
        check(
            "transactions --rows 9 --out - --seed 7",
            transactions(FileArgs { seed: 7, out: "-".into(), ..base() }, "Price", "Quantity"),
        );
        check(
            "transactions --rows 9 --out a.csv --price-header Unit_Price --quantity-header Qty",
            transactions(base(), "Unit_Price", "Qty"),
        );
    }

    #[test]
    fn wrong_usage_is_refused() {
        let check = |typed: &str, expect: ErrorKind| assert_eq!(parse(typed), Err(expect), "{typed}");
        check("", ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand);
        check("prices --rows 1 --out a", ErrorKind::InvalidSubcommand);
        check("sales --rows 1", ErrorKind::MissingRequiredArgument);
        check("sales --out a", ErrorKind::MissingRequiredArgument);
        check("sales --rows many --out a", ErrorKind::ValueValidation);
        check("sales --rows 1 --out a --groups 0", ErrorKind::ValueValidation);
        check("sales --rows 1 --out a --price-header Cost", ErrorKind::UnknownArgument);
        check("sales --rows 1 --out a --columns price", ErrorKind::UnknownArgument);
        check("products --rows 1 --out a --columns colour", ErrorKind::ValueValidation);
        check("products --rows 1 --out a --columns price,price", ErrorKind::ValueValidation);
        check("products --rows 1 --out a --columns=", ErrorKind::ValueValidation);
    }
}
