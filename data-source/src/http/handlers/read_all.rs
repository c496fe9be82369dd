//! `/read`: all good rows of all files that can be read, in path order, as one CSV under the union of their headers.

use std::{
    io::{self, Read},
    sync::Arc,
};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    body::SizedStream,
    http::{
        Method,
        header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, ETag, EntityTag, RANGE},
    },
    web::{self, Bytes},
};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use tributary_csv_gate::{Error, Table, write_record, write_texts};
use tributary_folder_watch::{Content, Entry, Folder, Snapshot};
use tributary_format_rules::{FormatRules, settings};
use tributary_formats::CSV_UTF8;
use tributary_http_common::{Work, noted, spilled, stepped, turn};

use super::part::Part;
use crate::http::{
    app::App,
    conditions::{ByteRange, byte_range, is_known_to},
    error::ApiError,
    headers::{revalidate, strong_tag},
};

/// Sends all rows of one version.
pub(crate) async fn read(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let snapshot = app.snapshot()?;
    let tag = strong_tag(&snapshot.version);
    if is_known_to(&request, &tag) {
        return Ok(HttpResponse::NotModified().insert_header(ETag(tag)).insert_header(revalidate()).finish());
    }
    let reader = FolderReader {
        folder: Arc::clone(&app.folder),
        formats: app.formats.clone(),
        shutdown: app.shutdown.clone(),
        sheet: sheet(&app, &snapshot).await?,
    };
    let holds_sheet = reader.sheet.is_some();
    let export = blocking(move |is_over| Export::new(reader, &snapshot, is_over)).await??;
    if request.method() == Method::HEAD {
        let (length, _) = measured(&app, export).await?;
        let nothing = stream::empty::<io::Result<_>>();
        return Ok(match length {
            Some(length) => headers(HttpResponse::Ok(), tag).body(SizedStream::new(length, nothing)),
            None => headers(HttpResponse::Ok(), tag).streaming(nothing),
        });
    }
    // Only a range needs the length, which costs a pass over all rows.
    let (length, export) =
        if request.headers().contains_key(RANGE) { measured(&app, export).await? } else { (None, export) };
    match length.map(|length| (length, byte_range(&request, &tag, length))) {
        Some((size, ByteRange::Unsatisfiable)) => Err(ApiError::RangeNotSatisfiable { size }),
        Some((size, ByteRange::Part(first, last))) => {
            let mut response = headers(HttpResponse::PartialContent(), tag);
            response.insert_header((CONTENT_RANGE, format!("bytes {first}-{last}/{size}")));
            let (mut rows, mut part) = (Rows::of(export), Part::new(first, last));
            let step = move |out: &mut Vec<u8>| rows.write_part(out, &mut part);
            Ok(response.body(SizedStream::new(last - first + 1, streamed(holds_sheet, step).boxed_local())))
        }
        Some((_, ByteRange::Whole)) | None => {
            let version = export.version.clone();
            let on_complete = move || app.set_last_read(version);
            let mut rows = Rows::of(export);
            let body = streamed(holds_sheet, move |out| rows.write(out));
            Ok(headers(HttpResponse::Ok(), tag).streaming(noted(body, on_complete)))
        }
    }
}

/// Waits for the permit to hold sheets, one after the other, if the answer has any.
async fn sheet(app: &App, snapshot: &Snapshot) -> Result<Option<OwnedSemaphorePermit>, ApiError> {
    if !snapshot.entries.iter().any(|entry| app.formats.reads_sheet(&entry.path)) {
        return Ok(None);
    }
    let _place = app.waiting_for_sheet.try_acquire().map_err(|_| ApiError::Busy)?;
    let permit = app.shutdown.run_until_cancelled(Arc::clone(&app.sheets).acquire_owned()).await;
    permit.and_then(Result::ok).map(Some).ok_or_else(|| ApiError::Unavailable(STOPPING.to_owned()))
}

/// Adds the headers that every response with rows has.
fn headers(mut response: HttpResponseBuilder, tag: EntityTag) -> HttpResponseBuilder {
    response
        .insert_header(ETag(tag))
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header((CONTENT_TYPE, CSV_UTF8))
        .insert_header(revalidate());
    response
}

/// Streams what `step` writes. While a sheet is held, a slow caller gets the rest from a file, so that the next caller gets the sheet's place.
fn streamed(
    holds_sheet: bool,
    step: impl FnMut(&mut Vec<u8>) -> io::Result<bool> + Send + 'static,
) -> impl Stream<Item = anyhow::Result<Bytes>> {
    let rows = stepped(Work::Heavy, step).map_err(anyhow::Error::from);
    if holds_sheet { spilled(rows).left_stream() } else { rows.right_stream() }
}

/// Returns the length of an answer. It is measured once per version, by writing the answer to nowhere; `None` if a file
/// changes meanwhile.
async fn measured(app: &web::Data<App>, export: Export) -> Result<(Option<u64>, Export), ApiError> {
    let known = |export: &Export| app.read_length(&export.version);
    if let Some(length) = known(&export) {
        return Ok((Some(length), export));
    }
    let _place = app.waiting_to_measure.try_acquire().map_err(|_| ApiError::Busy)?;
    let _turn = app.measuring.lock().await;
    if let Some(length) = known(&export) {
        return Ok((Some(length), export));
    }
    let measure = move |is_over: &CancellationToken| {
        let mut rows = Rows::of(export);
        let length = rows.length(is_over);
        (length, rows.export)
    };
    let (length, export) = blocking(measure).await?;
    match &length {
        Ok(length) => app.set_read_length(export.version.clone(), *length),
        Err(error) => info!("the length of `/read` is not known: {error}"),
    }
    Ok((length.ok(), export))
}

/// Runs heavy work on a blocking thread. `work` is told when its caller has hung up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce(&CancellationToken) -> T + Send + 'static,
) -> Result<T, ApiError> {
    let turn = turn().await.ok_or(ApiError::Busy)?;
    let is_over = CancellationToken::new();
    let _cancel_if_dropped = is_over.clone().drop_guard();
    let work = move || {
        let _turn = turn;
        work(&is_over)
    };
    web::block(work).await.map_err(|error| ApiError::internal(&error))
}

/// Reads files of the folder until the server stops.
struct FolderReader {
    folder: Arc<Folder>,
    formats: FormatRules,
    shutdown: CancellationToken,
    /// Set if it reads sheets.
    sheet: Option<OwnedSemaphorePermit>,
}

type OpenTable = Table<StoppableFile>;

/// The answer, planned before its first byte because the header comes first.
struct Export {
    reader: FolderReader,
    version: String,
    /// The files that are tables, in path order.
    files: Vec<ExportFile>,
    header: Vec<String>,
}

struct ExportFile {
    entry: Entry,
    /// For each column of the common header the position of the file's own column; `None` where it has none.
    columns: Vec<Option<usize>>,
}

/// The union of the files' columns: trimmed, compared in any case, spelled as first seen, in order of first appearance.
#[derive(Debug, Default)]
struct ColumnUnion {
    spelled: Vec<String>,
    /// Folded to lower case, at the same positions.
    compared: Vec<String>,
}

impl Export {
    fn new(reader: FolderReader, snapshot: &Snapshot, is_over: &CancellationToken) -> Result<Self, ApiError> {
        let mut union = ColumnUnion::default();
        let mut files = Vec::new();
        for entry in snapshot.entries.iter().take_while(|_| !is_over.is_cancelled()) {
            match reader.table(entry) {
                Ok(open) => {
                    files.push(ExportFile { entry: entry.clone(), columns: union.add(open.columns()) });
                }
                Err(Error::Rejected(reject)) => {
                    warn!(file.path = %entry.path, "`{}` is left out of `/read`: {reject}", entry.path);
                }
                Err(error) => {
                    let reason = format!("`{}` cannot be read now: {error}; retry", entry.path);
                    return Err(ApiError::Unavailable(reason));
                }
            }
        }
        Ok(Self { reader, version: snapshot.version.clone(), files, header: union.spelled })
    }

    /// Checks that no file has changed.
    fn check(&self) -> io::Result<()> {
        self.files.iter().try_for_each(|file| self.reader.check(&file.entry))
    }
}

/// The answer as it is written, step by step: a slow caller holds no thread.
struct Rows {
    export: Export,
    /// The file that comes next, or is open.
    file: usize,
    open: Option<OpenTable>,
    is_begun: bool,
}

/// Rows that are written at a time.
const STEP_ROWS: usize = 100;

impl Rows {
    fn of(export: Export) -> Self {
        Self { export, file: 0, open: None, is_begun: false }
    }

    /// Writes some rows, and returns whether there may be more.
    fn write(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        if !std::mem::replace(&mut self.is_begun, true) && !self.export.header.is_empty() {
            write_texts(out, &self.export.header);
        }
        let Some(file) = self.export.files.get(self.file) else {
            // Checked last: if a file changed after it was read, the answer is not that version.
            self.export.check()?;
            return Ok(false);
        };
        let open = match &mut self.open {
            Some(open) => open,
            closed => closed.insert(self.export.reader.table(&file.entry).map_err(as_io)?),
        };
        if !file.write(open, self.export.header.len(), out)? {
            self.open = None;
            self.file += 1;
        }
        Ok(true)
    }

    /// Writes the next bytes of a part. The rows before it are read again.
    fn write_part(&mut self, out: &mut Vec<u8>, part: &mut Part) -> io::Result<bool> {
        let mut written = Vec::new();
        let more = self.write(&mut written)?;
        out.extend_from_slice(part.of(&written));
        if more && part.is_complete() {
            return self.export.check().map(|()| false);
        }
        Ok(more)
    }

    /// Measures the whole answer.
    fn length(&mut self, is_over: &CancellationToken) -> io::Result<u64> {
        let (mut length, mut out) = (0, Vec::new());
        loop {
            if is_over.is_cancelled() {
                return Err(io::Error::other("the caller has hung up"));
            }
            let more = self.write(&mut out)?;
            length += out.len() as u64;
            out.clear();
            if !more {
                return Ok(length);
            }
        }
    }
}

impl ExportFile {
    /// Writes some rows of the open file, and returns whether there may be more.
    fn write(&self, open: &mut OpenTable, width: usize, out: &mut Vec<u8>) -> io::Result<bool> {
        for _ in 0..STEP_ROWS {
            let Some(row) = open.next_row().map_err(as_io)? else { return Ok(false) };
            // The union may have grown after this file was added: it has none of the later columns.
            let own = (0..width).map(|column| self.columns.get(column).copied().flatten());
            write_record(out, own.map(|column| column.and_then(|column| row.value(column))));
        }
        Ok(true)
    }
}

impl ColumnUnion {
    /// Adds a file's columns and returns their mapping; of two columns of one name the first counts.
    fn add(&mut self, columns: &[String]) -> Vec<Option<usize>> {
        let mut own = vec![None; self.spelled.len()];
        for (position, column) in columns.iter().enumerate() {
            let compared = tributary_csv_gate::folded(column);
            match self.compared.iter().position(|known| *known == compared) {
                Some(known) => {
                    own[known].get_or_insert(position);
                }
                None => {
                    self.spelled.push(column.trim().to_owned());
                    self.compared.push(compared);
                    own.push(Some(position));
                }
            }
        }
        own
    }
}

impl FolderReader {
    /// Opens a table.
    fn table(&self, entry: &Entry) -> Result<OpenTable, Error> {
        let open = || {
            let file = self.folder.open(entry).map_err(io::Error::other)?;
            Ok(StoppableFile { file, shutdown: self.shutdown.clone() })
        };
        let settings = settings(&self.formats.spec(&entry.path)).map_err(|why| Error::Settings(why.to_string()))?;
        Table::open(&entry.path, entry.size, open, &settings)
    }

    /// Checks that a file is still what the version says.
    fn check(&self, entry: &Entry) -> io::Result<()> {
        self.folder.check(entry).map_err(io::Error::other)
    }
}

const STOPPING: &str = "the server is stopping";

fn stopping() -> io::Error {
    io::Error::other(STOPPING)
}

fn as_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other),
    }
}

/// A file whose reads fail once the server stops, so that a large file does not delay the stop.
struct StoppableFile {
    file: Content,
    shutdown: CancellationToken,
}

impl Read for StoppableFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.shutdown.is_cancelled() {
            return Err(stopping());
        }
        self.file.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_united_in_order_of_appearance() {
        let mut union = ColumnUnion::default();
        let mut add = |columns: &[&str]| {
            let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
            (union.add(&columns), union.spelled.clone())
        };
        assert_eq!(add(&["Sku", "Name"]), (vec![Some(0), Some(1)], vec!["Sku".to_owned(), "Name".to_owned()]));
        let (own, spelled) = add(&["price", " NAME ", "SKU", "name"]);
        assert_eq!(own, [Some(2), Some(1), Some(0)]);
        assert_eq!(spelled, ["Sku", "Name", "price"]);
        assert_eq!(add(&["x", "X"]).0, [None, None, None, Some(0)]);
    }
}
