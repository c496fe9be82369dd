//! A list as an Excel file. Texts are text cells, so that `00123`, `1E5` and twenty digits stay what they are.
//!
//! The rows go to a temporary file first. So a list that no sheet can hold is refused with words instead of cut.

use std::io::{self, Seek, SeekFrom, Write};

use actix_web::{
    HttpResponse,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    web,
};
use anyhow::Context;
use futures_util::StreamExt;
use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};
use tokio::{runtime::Handle, sync::Semaphore};
use tokio_util::sync::CancellationToken;
use tributary_http_common::TempFile;

use super::{Cell, Table};
use crate::http::server::error::ApiError;

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// Excel's limit, the header included.
const MAX_ROWS: u32 = 1_048_576;
/// Excel's limit for a cell, in units of UTF-16.
const MAX_CELL: usize = 32_767;
/// Bounds the temporary file.
const MAX_TEXT_BYTES: usize = 1 << 30;
/// Digits of a number that Excel shows; it puts zeros in the place of further ones.
const MAX_DIGITS: usize = 15;
/// Excel's limit for the name of a sheet.
const MAX_SHEET_NAME: usize = 31;

/// Sheets that are written at a time. Each takes a core, and one of the few lists that are read at a time.
const MAX_SHEETS: usize = 2;

static SHEETS: Semaphore = Semaphore::const_new(MAX_SHEETS);

pub(super) async fn answer<R: Send + 'static>(table: Table<R>) -> Result<HttpResponse, ApiError> {
    let place = SHEETS.try_acquire().map_err(|_| ApiError::Busy)?;
    let (name, is_over) = (table.name.clone(), CancellationToken::new());
    let _cancel_if_client_goes = is_over.clone().drop_guard();
    let work = move || {
        let _place = place;
        saved(workbook(table, &is_over)?, is_over)
    };
    let saved = web::block(work).await.context("a sheet broke off")??;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, XLSX))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.xlsx\"")))
        .streaming(saved.stream()))
}

/// Saves a workbook to a temporary file, of which a slow client takes piece after piece.
fn saved(mut workbook: Workbook, is_over: CancellationToken) -> Result<TempFile, ApiError> {
    let mut file = Wanted { file: TempFile::new(), is_over };
    workbook.save_to_writer(&mut file).context("failed to write a sheet")?;
    Ok(file.file)
}

/// A file whose writes fail once its client has hung up. The library has no other way to stop.
struct Wanted {
    file: TempFile,
    is_over: CancellationToken,
}

impl Write for Wanted {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.is_over.is_cancelled() { Err(io::ErrorKind::BrokenPipe.into()) } else { self.file.write(data) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Wanted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// Writes all rows, as long as the client waits for them. Call it on a thread that may block.
fn workbook<R>(table: Table<R>, is_over: &CancellationToken) -> Result<Workbook, ApiError> {
    let Table { name, header, mut rows, cells } = table;
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet_with_constant_memory().context("failed to create a temporary file")?;
    let name: String = name.chars().take(MAX_SHEET_NAME).collect();
    sheet.set_name(name).and_then(|sheet| sheet.set_freeze_panes(1, 0)).map_err(refusal)?;
    let mut sheet = Sheet { sheet, header: &header, text: Format::new().set_num_format("@"), row: 0, bytes: 0 };
    sheet.push(header.iter().map(Cell::from))?;
    while let Some(batch) = Handle::current().block_on(rows.next()) {
        if is_over.is_cancelled() {
            return Err(ApiError::Busy);
        }
        batch?.iter().try_for_each(|row| sheet.push(cells(row)))?;
    }
    Ok(workbook)
}

/// A sheet that is filled row by row.
struct Sheet<'a> {
    sheet: &'a mut Worksheet,
    header: &'a [String],
    /// Keeps a text a text when a person edits its cell.
    text: Format,
    row: u32,
    bytes: usize,
}

impl Sheet<'_> {
    fn push<'b>(&mut self, cells: impl IntoIterator<Item = Cell<'b>>) -> Result<(), ApiError> {
        if self.row == MAX_ROWS {
            let why = format!("an Excel sheet has at most {MAX_ROWS} rows, and the list has more");
            return Err(ApiError::Invalid(format!("{why}; take it as CSV, or a part of it")));
        }
        for (column, cell) in (0..).zip(cells) {
            match cell {
                Cell::Null => Ok(()),
                Cell::Flag(flag) => self.sheet.write_boolean(self.row, column, flag).map(drop).map_err(refusal),
                Cell::Number(digits) => match number(&digits) {
                    Some(number) => self.sheet.write_number(self.row, column, number).map(drop).map_err(refusal),
                    None => self.write_text(column, &digits),
                },
                Cell::Text(text) => self.write_text(column, &text),
            }?;
        }
        self.row += 1;
        Ok(())
    }

    fn write_text(&mut self, column: u16, text: &str) -> Result<(), ApiError> {
        if text.encode_utf16().count() > MAX_CELL {
            let name = self.header.get(usize::from(column)).map_or("", String::as_str);
            let place = format!("row {}, column `{name}`", self.row + 1);
            let why = format!("{place}: an Excel cell has at most {MAX_CELL} characters, and this one has more");
            return Err(ApiError::Invalid(format!("{why}; take the list as CSV")));
        }
        self.bytes += text.len();
        if self.bytes > MAX_TEXT_BYTES {
            let why = format!("the list has more than {MAX_TEXT_BYTES} bytes of text, too much for an Excel file");
            return Err(ApiError::Invalid(format!("{why}; take it as CSV, or a part of it")));
        }
        self.sheet.write_string_with_format(self.row, column, text, &self.text).map(drop).map_err(refusal)
    }
}

/// Returns the number if Excel keeps it and shows all its digits.
fn number(digits: &str) -> Option<f64> {
    let number: f64 = digits.parse().ok()?;
    let is_integer = !digits.contains(['.', 'e']);
    let is_kept = match is_integer {
        true => digits.trim_start_matches('-').len() <= MAX_DIGITS,
        // The shortest digits of a double are its own; a decimal with others has more than a double holds.
        false => {
            serde_json::to_string(&number).is_ok_and(|shortest| shortest == digits) || number.to_string() == digits
        }
    };
    is_kept.then_some(number)
}

fn refusal(error: XlsxError) -> ApiError {
    match error {
        XlsxError::IoError(_) | XlsxError::ZipError(_) => {
            anyhow::Error::new(error).context("failed to write a sheet").into()
        }
        limit => ApiError::Invalid(format!("the list does not fit into an Excel sheet: {limit}; take it as CSV")),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use std::iter;
    use tributary_engine::Batches;

    use super::*;

    #[test]
    fn numbers_are_numbers_if_no_digit_is_lost() {
        for digits in
            ["0", "-5", "123456789012345", "0.1", "0.3333333333333333", "-1e+300", "1e-21", "0.0000001", "3.0"]
        {
            assert_eq!(number(digits), digits.parse().ok(), "{digits}");
        }
        for digits in ["1234567890123456", "-9223372036854775808", "100000000000000.01", "0.30000000000000000001"] {
            assert_eq!(number(digits), None, "{digits}");
        }
    }

    fn table(rows: Batches<String>) -> Table<String> {
        fn cells(row: &String) -> Vec<Cell<'_>> {
            vec![Cell::from(row)]
        }
        Table { name: "t".into(), header: vec!["a".into()], rows, cells }
    }

    #[actix_web::test]
    async fn a_sheet_is_given_up_once_its_client_has_hung_up() {
        let (taking, mut taken) = tokio::sync::mpsc::unbounded_channel();
        let next = move || taking.send(()).map(|()| vec![String::new()]).map_err(anyhow::Error::from);
        let mut answering = Box::pin(answer(table(stream::repeat_with(next).boxed())));
        tokio::select! {
            _ = &mut answering => panic!("the rows are still coming"),
            _ = taken.recv() => {}
        }
        drop(answering);
        let mut rows = 1;
        while taken.recv().await.is_some() {
            rows += 1;
        }
        assert!(rows < MAX_ROWS - 1, "it was written to its end");
    }

    /// The problem with a list of these texts.
    async fn problem(rows: Vec<Vec<String>>) -> Option<String> {
        let table = table(stream::iter(rows.into_iter().map(Ok)).boxed());
        let work = move || workbook(table, &CancellationToken::new()).map(drop);
        let done = tokio::task::spawn_blocking(work).await.unwrap();
        done.err().map(|error| error.to_string())
    }

    #[tokio::test]
    async fn what_no_sheet_holds_is_refused_with_words() {
        let text = |length| iter::repeat_n('𝄞', length).collect::<String>();
        assert_eq!(problem(vec![vec![text(16_383)]]).await, None);
        let long = problem(vec![vec!["x".into(), text(16_384)]]).await.unwrap();
        assert!(long.starts_with("row 3, column `a`: an Excel cell has at most 32767 characters"), "{long}");
        assert_eq!(problem(vec![vec![String::new(); 1_048_575]]).await, None);
        let many = problem(vec![vec![String::new(); 1_048_576]]).await.unwrap();
        assert!(many.starts_with("an Excel sheet has at most 1048576 rows"), "{many}");
    }
}
