//! The CSV gate: takes any bytes and returns clean rows of UTF-8 text and a list of rejects.
//!
//! A file is read twice. The first pass (`survey`) detects the encoding and the line ends. The second pass ([`Table`])
//! splits the file into rows and sets aside the ones that cannot be used. [`Table::open_once`] does both in one pass,
//! so that a file can be read while it arrives; at the end it reports whether the file needs two passes after all.
//! [`feed`] turns the rows of a product feed into offers.
//!
//! The gate opens nothing itself: callers pass a [`Read`](std::io::Read) or a closure that opens one. It knows nothing
//! of polars, threads or the clock, and it holds one bounded window of the file, never all of it.
//!
//! ```
//! use tributary_csv_gate::{Columns, Feed, OpWords, Settings, Table};
//!
//! let file = b"sku;name\n1;caf\xe9\n2\n";
//! let table = Table::open("a.csv", file.len() as u64, || Ok(&file[..]), &Settings::default())?;
//! assert_eq!(table.dialect().encoding, "windows-1252");
//! let mut feed = Feed::new(table, &Columns::default(), OpWords::new())?;
//! while let Some(offer) = feed.next_offer()? {
//!     assert_eq!((offer.sku, offer.texts.get(0), offer.line), ("1", "caf\u{e9}", 2));
//! }
//! assert_eq!(feed.rejects().kept[0].reason.to_string(), "1 field where the header has 2: ragged = \"pad\" leaves the missing ones empty");
//! # Ok::<(), tributary_csv_gate::Error>(())
//! ```

mod charset;
mod columns;
mod decode;
mod dialect;
#[cfg(test)]
mod drip;
mod error;
pub mod feed;
mod footer;
mod head;
mod line;
mod line_end;
mod notes;
pub mod plain;
mod rejects;
mod row;
mod settings;
mod sniff;
mod split;
mod survey;
mod table;
mod tail;
mod unpack;
mod window;
mod write;

pub use columns::{AmbiguousColumn, find_column, find_first, folded};
pub use dialect::{Dialect, Evidence, LineEnd};
pub use error::{Error, FileReject};
pub use feed::{CheckedRow, Columns, Feed, FeedItem, OfferRow, OfferTexts, OpWords, OwnColumn, RowCheck};
pub use rejects::{
    CheckedCell, Doubtful, Explained, FieldCure, Ignored, Reason, Reject, Rejects, UnclearCheck, WHOLE_FILE, explain,
    fault_kind,
};
pub use row::Row;
pub use settings::{Header, Limits, Quote, Settings};
pub use table::{
    Table,
    blocks::{Block, BlockRows, Blocks},
    segments::{FoundSegment, Segment},
};
pub use tributary_protocol::{Escapes, Op, Quotes, Ragged, Sheet};
pub use write::{write_record, write_texts};

/// The version of the gate's rules. Raise it with every change of the rows or rejects that some file gives: it is part
/// of a file's `reading`, so raising it makes masters read every file again.
pub const FORMAT: u32 = 6;
