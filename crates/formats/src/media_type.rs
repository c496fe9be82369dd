//! Media types of tables (RFC 4180, IANA) and of packed files.

use crate::{Packing, is_tab_separated, strip_ending};

/// The media type of CSV, whatever its encoding.
pub const CSV: &str = "text/csv";

/// The media type of CSV that the servers write.
pub const CSV_UTF8: &str = "text/csv; charset=utf-8";

/// The media type of CSV that the servers write when the first record names the columns.
pub const CSV_UTF8_WITH_HEADER: &str = "text/csv; charset=utf-8; header=present";

const TSV: &str = "text/tab-separated-values";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const XLSM: &str = "application/vnd.ms-excel.sheet.macroEnabled.12";
const GZIP: &str = "application/gzip";
const ZSTD: &str = "application/zstd";

/// The media type of a file's exact bytes, packed or not. It states no charset: readers find the encoding.
#[must_use]
pub fn media_type(path: &str) -> &'static str {
    match Packing::of(path) {
        Packing::Gzip => GZIP,
        Packing::Zstd => ZSTD,
        Packing::None if is_tab_separated(path) => TSV,
        Packing::None if strip_ending(path, ".xlsx").is_some() => XLSX,
        Packing::None if strip_ending(path, ".xlsm").is_some() => XLSM,
        Packing::None => CSV,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_follow_the_ending() {
        for (path, expect) in [
            ("a.csv", "text/csv"),
            ("a.TXT", "text/csv"),
            ("a.tsv", "text/tab-separated-values"),
            ("a.csv.GZ", "application/gzip"),
            ("a.tsv.zst", "application/zstd"),
            ("a.XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            ("a.xlsm", "application/vnd.ms-excel.sheet.macroEnabled.12"),
        ] {
            assert_eq!(media_type(path), expect, "{path}");
        }
    }
}
