//! Turns one sheet of an Excel workbook (`.xlsx`, `.xlsm`) into CSV. It takes any bytes: a damaged or hostile workbook is an
//! error, never a panic, and takes bounded memory.
//!
//! Old workbooks (`.xls`) and OpenDocument files are refused. calamine can read them, but it allocates what their headers ask for
//! or whole rectangles of cells, so a small file could abort the process.
#![warn(missing_docs)]

mod cell;
mod error;
mod parts;
mod sheet;

use std::{
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, PoisonError},
};

use calamine::{Reader as _, Xlsx, XlsxError};
use tributary_protocol::Sheet;

pub use error::WorkbookError;

/// The most bytes of a workbook as it is on disk.
pub const MAX_PACKED_BYTES: u64 = 64 << 20;
/// The most bytes of all its parts, unpacked, and of the CSV.
pub const MAX_UNPACKED_BYTES: u64 = 256 << 20;

/// Held while a workbook is read: its parts take hundreds of megabytes, and many files may be read at a time.
static TURN: Mutex<()> = Mutex::new(());

/// Returns a sheet as CSV in UTF-8 with commas, and with quotes where a field needs them. Rows are as wide as the header,
/// or end with their last cell.
///
/// Lines end with CR, and a line break inside a cell is an LF. So the number of a line is that of the sheet's row.
///
/// One workbook is read at a time; other callers wait.
///
/// # Errors
/// The bytes are no such workbook, it is over a limit, or it has no such sheet.
pub fn to_csv(workbook: &[u8], sheet: &Sheet) -> Result<Vec<u8>, WorkbookError> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    parts::check(workbook)?;
    // calamine adds and indexes unchecked in places. Nothing outlives the call, so nothing half-written can be seen.
    catch_unwind(AssertUnwindSafe(|| read(workbook, sheet)))
        .unwrap_or_else(|_| Err(WorkbookError::Damaged("its reader gave up".to_owned())))
}

fn read(workbook: &[u8], sheet: &Sheet) -> Result<Vec<u8>, WorkbookError> {
    let mut workbook = Xlsx::new(Cursor::new(workbook)).map_err(|error| WorkbookError::Damaged(error.to_string()))?;
    let name = sheet_name(workbook.sheet_names(), sheet)?;
    let cells = workbook.worksheet_cells_reader(&name).map_err(|error| match error {
        XlsxError::NotAWorksheet(_) => WorkbookError::NoTable(name.clone()),
        error => WorkbookError::Damaged(error.to_string()),
    })?;
    sheet::write(cells)
}

/// Finds the sheet among all of the workbook, hidden ones included. Excel compares names in any case.
fn sheet_name(mut names: Vec<String>, wanted: &Sheet) -> Result<String, WorkbookError> {
    let found = match wanted {
        Sheet::Number(number) => usize::try_from(*number).ok().and_then(|number| number.checked_sub(1)),
        Sheet::Name(wanted) => names.iter().position(|name| name == wanted).or_else(|| {
            let wanted = wanted.to_lowercase();
            names.iter().position(|name| name.to_lowercase() == wanted)
        }),
    };
    match found.filter(|found| *found < names.len()) {
        Some(found) => Ok(names.swap_remove(found)),
        None => Err(WorkbookError::no_sheet(wanted, &names)),
    }
}
