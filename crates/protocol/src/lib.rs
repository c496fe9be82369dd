//! Defines the messages between a data-source and a master: the JSON of `/sense`, `/sense/files`, `/aggregate` and `/plain`, how files
//! are to be read, error bodies, and the encoding of paths in URLs. It knows no HTTP library and does no I/O. The rules are in
//! `docs/reference/source-protocol.md`.
#![warn(missing_docs)]

mod bounds;
mod capability;
mod column;
mod digest;
mod file_list;
mod format;
mod group;
mod manifest;
mod path;
mod plain;
mod problem;
mod report;
mod sense;

pub use bounds::{MAX_HASH_BYTES, MAX_PATH_BYTES, MAX_TEXT_BYTES, cut_text};
pub use capability::{Capability, CapabilityRequest};
pub use column::ColumnSpec;
pub use digest::{BodyDigest, CONTENT_DIGEST};
pub use file_list::{FileList, pack_hash, unpack_hash};
pub use format::{Escapes, FormatSpec, HeaderSpec, Negative, OneOrMany, Op, Order, Quotes, Ragged, Sheet};
pub use group::{CalendarPart, DateGroup, GroupSpec};
pub use manifest::{CompactManifest, LeftOut, Manifest, ManifestEntry, Unreadable};
pub use path::encoded_path;
pub use plain::{AskPlain, PlainColumn, PlainFile, PlainLine};
pub use problem::{PROBLEM_JSON, Problem};
pub use report::{Aggregate, AggregateLine, GroupLine, MetricSpec, PartialHead, ReportSpec, RowReject};
pub use sense::Sense;
