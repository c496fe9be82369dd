//! `/read`: all good rows of all files that can be read, in path order, as one CSV under the union of their headers.

use std::{
    io::{self, Read, Write},
    sync::Arc,
};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    body::SizedStream,
    http::{
        Method,
        header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, ETag, EntityTag, RANGE},
    },
    web,
};
use futures_util::stream;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use tributary_csv_gate::{Error, Table, write_record, write_texts};
use tributary_folder_watch::{Content, Entry, Folder, Snapshot};
use tributary_format_rules::{FormatRules, settings};
use tributary_formats::CSV_UTF8;
use tributary_http_common::{Sink, produced};

use super::part::{Counter, Part};
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
        sheets: Arc::clone(&app.sheets),
        shutdown: app.shutdown.clone(),
    };
    let export = blocking(move || Export::new(reader, &snapshot)).await??;
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
            let body = produced(move |sink| export.write_part(sink, first, last), || {});
            Ok(response.body(SizedStream::new(last - first + 1, Box::pin(body))))
        }
        Some((_, ByteRange::Whole)) | None => {
            let version = export.version.clone();
            let on_complete = move || app.set_last_read(version);
            Ok(headers(HttpResponse::Ok(), tag).streaming(produced(move |sink| export.write(sink), on_complete)))
        }
    }
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

/// Returns the length of an answer. It is measured once per version, by writing the answer to nowhere; `None` if a file
/// changes meanwhile.
async fn measured(app: &web::Data<App>, export: Export) -> Result<(Option<u64>, Export), ApiError> {
    if let Some(length) = app.read_length(&export.version) {
        return Ok((Some(length), export));
    }
    let measure = move || {
        let mut counter = Counter::default();
        let written = export.write(&mut counter);
        (written.map(|()| counter.bytes), export)
    };
    let (length, export) = blocking(measure).await?;
    match &length {
        Ok(length) => app.set_read_length(export.version.clone(), *length),
        Err(error) => info!("the length of `/read` is not known: {error}"),
    }
    Ok((length.ok(), export))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    web::block(work).await.map_err(|error| ApiError::internal(&error))
}

/// Reads files of the folder until the server stops.
struct FolderReader {
    folder: Arc<Folder>,
    formats: FormatRules,
    sheets: Arc<Semaphore>,
    shutdown: CancellationToken,
}

/// A table, and the permit to hold it if it is a sheet.
struct OpenTable {
    table: Table<StoppableFile>,
    _permit: Option<OwnedSemaphorePermit>,
}

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
    fn new(reader: FolderReader, snapshot: &Snapshot) -> Result<Self, ApiError> {
        let mut union = ColumnUnion::default();
        let mut files = Vec::new();
        for entry in snapshot.entries.iter() {
            match reader.table(entry) {
                Ok(open) => {
                    files.push(ExportFile { entry: entry.clone(), columns: union.add(open.table.columns()) });
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

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        self.write_until(out, |_| false)
    }

    /// Writes the bytes from the first to the last one, both inclusive. The rows before them are read again.
    fn write_part(&self, out: &mut Sink, first: u64, last: u64) -> io::Result<()> {
        self.write_until(&mut Part::new(out, first, last), Part::is_complete)
    }

    /// Writes rows until all are written or `is_enough`.
    fn write_until<W: Write>(&self, out: &mut W, is_enough: impl Fn(&W) -> bool) -> io::Result<()> {
        let mut record = Vec::new();
        if !self.header.is_empty() {
            write_texts(&mut record, &self.header);
            out.write_all(&record)?;
        }
        for file in &self.files {
            file.write(&self.reader, self.header.len(), out, &is_enough)?;
        }
        // Checked last: if a file changed after it was read, the answer is not that version.
        self.files.iter().try_for_each(|file| self.reader.check(&file.entry))
    }
}

impl ExportFile {
    fn write<W: Write>(
        &self,
        reader: &FolderReader,
        width: usize,
        out: &mut W,
        is_enough: &impl Fn(&W) -> bool,
    ) -> io::Result<()> {
        if is_enough(out) {
            return Ok(());
        }
        let OpenTable { mut table, _permit } = reader.table(&self.entry).map_err(as_io)?;
        let mut record = Vec::new();
        while let Some(row) = table.next_row().map_err(as_io)? {
            record.clear();
            // The union may have grown after this file was added: it has none of the later columns.
            let own = (0..width).map(|column| self.columns.get(column).copied().flatten());
            write_record(&mut record, own.map(|column| column.and_then(|column| row.value(column))));
            out.write_all(&record)?;
            if is_enough(out) {
                break;
            }
        }
        Ok(())
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
    /// Opens a table. A sheet may have to wait until another one was sent.
    fn table(&self, entry: &Entry) -> Result<OpenTable, Error> {
        let permit = if self.formats.reads_sheet(&entry.path) { Some(self.permit()?) } else { None };
        let open = || {
            let file = self.folder.open(entry).map_err(io::Error::other)?;
            Ok(StoppableFile { file, shutdown: self.shutdown.clone() })
        };
        let settings = settings(&self.formats.spec(&entry.path)).map_err(|why| Error::Settings(why.to_string()))?;
        let table = Table::open(&entry.path, entry.size, open, &settings)?;
        Ok(OpenTable { table, _permit: permit })
    }

    fn permit(&self) -> io::Result<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.sheets).acquire_owned();
        let permit = Handle::current().block_on(self.shutdown.run_until_cancelled(permit));
        permit.ok_or_else(stopping)?.map_err(io::Error::other)
    }

    /// Checks that a file is still what the version says.
    fn check(&self, entry: &Entry) -> io::Result<()> {
        self.folder.check(entry).map_err(io::Error::other)
    }
}

fn stopping() -> io::Error {
    io::Error::other("the server is stopping")
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
