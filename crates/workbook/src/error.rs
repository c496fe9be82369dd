//! The reasons why a workbook cannot be read. All of them are faults of the file or of its format.

use tributary_protocol::Sheet;

/// The reason why there is no CSV.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WorkbookError {
    /// It is no zip archive with the parts of a workbook.
    #[error(
        "the file is not an Excel workbook (xlsx), but its format sets `sheet`: name other `files` there, or save it as .xlsx"
    )]
    NotAWorkbook,
    /// An OLE container.
    #[error("the file is an old Excel workbook (xls), or one with a password: save it as .xlsx without a password")]
    OldOrEncrypted,
    /// It is over a limit.
    #[error("the workbook holds more than {limit} {what}, which is over the limit: export the sheet as CSV")]
    TooLarge {
        /// The counted things.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The sheet is not there.
    #[error("the workbook has no sheet {wanted}; it has {names}: set sheet to one of them")]
    NoSheet {
        /// The sheet that was asked for.
        wanted: String,
        /// The first names that it has.
        names: String,
    },
    /// The sheet is a chart, or holds macros.
    #[error("the sheet \"{0}\" of the workbook is a chart and holds no table: set sheet to another one")]
    NoTable(String),
    /// A part cannot be read.
    #[error("the workbook is damaged: {0}; open it in Excel and save it again")]
    Damaged(String),
}

impl WorkbookError {
    pub(crate) fn no_sheet(wanted: &Sheet, names: &[String]) -> Self {
        /// Names that an error lists, and characters of each.
        const MAX_NAMES: usize = 10;
        const MAX_NAME_CHARS: usize = 31;
        let wanted = match wanted {
            Sheet::Number(number) => number.to_string(),
            Sheet::Name(name) => format!("\"{name}\""),
        };
        let short = |name: &String| name.chars().take(MAX_NAME_CHARS).collect::<String>();
        let mut shown: Vec<_> = names.iter().take(MAX_NAMES).map(|name| format!("\"{}\"", short(name))).collect();
        match names.len().saturating_sub(MAX_NAMES) {
            0 if names.is_empty() => shown.push("none".to_owned()),
            0 => {}
            more => shown.push(format!("{more} more")),
        }
        Self::NoSheet { wanted, names: shown.join(", ") }
    }
}
