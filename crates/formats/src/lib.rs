//! File endings, packings and media types: the only place that knows which file names are offered, how a name tells its
//! packing, and what each format is called in HTTP. Pure string functions: it opens no file and reads no content.

mod media_type;
mod name;
mod packing;

pub use media_type::{CSV, CSV_UTF8, CSV_UTF8_WITH_HEADER, media_type};
pub use name::{
    ACCEPT_ATTRIBUTE, ENDINGS_IN_WORDS, WORKBOOK_ENDINGS_IN_WORDS, has_table_ending, has_workbook_ending, is_hidden,
    is_offered, is_owner_file, is_tab_separated, is_workbook, may_be_note, unfinished,
};
pub use packing::Packing;

/// The part of `path` before `ending`, which is compared without regard to ASCII case.
fn strip_ending<'a>(path: &'a str, ending: &str) -> Option<&'a str> {
    let (stem, found) = path.split_at_checked(path.len().checked_sub(ending.len())?)?;
    found.eq_ignore_ascii_case(ending).then_some(stem)
}
