//! The gate: any bytes in, clean rows of UTF-8 text and a list of rejects out.
//!
//! A file is read twice. The first pass (`survey`) finds its encoding and its line ends, the second one ([`Table`])
//! splits it into rows and sets aside what cannot be used. A file that is still arriving need not wait for its end:
//! [`Table::open_once`] makes both passes at once, and says at the end if the file has to be read twice after all.
//! [`feed`] makes the offers of a product feed of the rows.
//!
//! The gate opens nothing itself: it is handed a [`Read`](std::io::Read) or a closure that opens one. It knows no polars, no
//! threads and no clock, and it holds one bounded window of the file, never the file.
//!
//! ```
//! use tributary_csv_gate::{Columns, Feed, Settings, Table};
//!
//! let file = b"sku;name\n1;caf\xe9\n2\n";
//! let table = Table::open("a.csv", file.len() as u64, || Ok(&file[..]), &Settings::default())?;
//! assert_eq!(table.dialect().encoding, "windows-1252");
//! let mut feed = Feed::new(table, &Columns::default())?;
//! while let Some(offer) = feed.next_offer()? {
//!     assert_eq!((&*offer.sku, &*offer.name, offer.line), ("1", "caf\u{e9}", 2));
//! }
//! assert_eq!(feed.rejects().kept[0].reason.to_string(), "1 field where the header has 2");
//! # Ok::<(), tributary_csv_gate::Error>(())
//! ```

mod decode;
mod dialect;
mod error;
pub mod feed;
mod head;
mod line_end;
mod rejects;
mod row;
mod settings;
mod sniff;
mod split;
mod survey;
mod table;
mod text;
#[cfg(test)]
mod torture;
mod unpack;
mod write;

pub use dialect::{Dialect, LineEnd, Packing};
pub use error::{Error, FileReject};
pub use feed::{Columns, Feed, Offer, folded};
pub use rejects::{Reason, Reject, Rejects};
pub use row::Row;
pub use settings::{Limits, Quote, Ragged, Settings};
pub use table::{Block, BlockRows, Blocks, Table};
pub use write::write_record;

/// The gate's format number. It goes into a file's `reading`, so that raising it makes every file be read again: raise
/// it with every change of what the gate makes of a file.
pub const FORMAT: u32 = 1;
