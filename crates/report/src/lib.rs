//! Reports: declared aggregations over files of any columns.
#![warn(missing_docs)]
