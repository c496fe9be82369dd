//! `/read`: all good rows of all files, in path order, as one CSV under the union of their headers. Which rows are good is
//! for the gate to say.

use std::{
    fs::File,
    io::{self, Read, Write},
    sync::Arc,
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method,
        header::{CONTENT_TYPE, ETag},
    },
    web,
};
use futures_util::stream;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use tributary_csv_gate::{Error, Settings, Table, write_record};
use tributary_folder_watch::{Entry, Folder, Snapshot};
use tributary_formats::CSV_UTF8;
use tributary_http_common::{Sink, produced};

use super::{always_ask, strong_tag};
use crate::{app::App, conditions::is_known_to, error::ApiError};

/// All rows of one version.
pub(crate) async fn read(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let snapshot = app.snapshot()?;
    let tag = strong_tag(&snapshot.version);
    if is_known_to(&request, &tag) {
        return Ok(HttpResponse::NotModified().insert_header(ETag(tag)).insert_header(always_ask()).finish());
    }
    let mut response = HttpResponse::Ok();
    response.insert_header(ETag(tag)).insert_header(always_ask()).insert_header((CONTENT_TYPE, CSV_UTF8));
    if request.method() == Method::HEAD {
        return Ok(response.streaming(stream::empty::<io::Result<_>>()));
    }
    let source = Source { folder: Arc::clone(&app.folder), shutdown: app.shutdown.clone() };
    let plan = web::block(move || Plan::of(source, &snapshot)).await.map_err(|error| ApiError::internal(&error))??;
    let version = plan.version.clone();
    let on_complete = move || app.set_last_read(version);
    Ok(response.streaming(produced(move |sink| plan.write(sink), on_complete)))
}

/// Where files are read from, and when to stop.
struct Source {
    folder: Arc<Folder>,
    shutdown: CancellationToken,
}

/// What will be written: known in full before the first byte, because the header comes first.
struct Plan {
    source: Source,
    version: String,
    /// The files that the gate can read, in path order.
    files: Vec<Part>,
    header: Vec<String>,
}

/// One file's share.
struct Part {
    entry: Entry,
    /// For each column of the common header the file's own, by position; `None` where the file has none.
    columns: Vec<Option<usize>>,
}

/// The union of the files' columns: trimmed, compared in any case, spelled as first seen, in order of first appearance.
#[derive(Debug, Default)]
struct Union {
    spelled: Vec<String>,
    /// In small letters, at the same positions.
    compared: Vec<String>,
}

impl Plan {
    fn of(source: Source, snapshot: &Snapshot) -> Result<Self, ApiError> {
        let mut union = Union::default();
        let mut files = Vec::new();
        for entry in &snapshot.entries {
            match source.table(entry) {
                Ok(table) => files.push(Part { entry: entry.clone(), columns: union.add(table.columns()) }),
                Err(Error::Rejected(reject)) => {
                    warn!(file.path = %entry.path, "`{}` is left out of /read: {reject}", entry.path);
                }
                Err(error) => {
                    let reason = format!("`{}` cannot be read now: {error}; ask again", entry.path);
                    return Err(ApiError::Unavailable(reason));
                }
            }
        }
        Ok(Self { source, version: snapshot.version.clone(), files, header: union.spelled })
    }

    fn write(&self, sink: &mut Sink) -> io::Result<()> {
        let mut record = Vec::new();
        if !self.header.is_empty() {
            write_record(&mut record, &self.header);
            sink.write_all(&record)?;
        }
        for part in &self.files {
            part.write(&self.source, self.header.len(), sink)?;
        }
        // Looked at in the end: a file that changed after it was read makes the answer no version either.
        self.files.iter().try_for_each(|part| self.source.check(&part.entry))
    }
}

impl Part {
    fn write(&self, source: &Source, width: usize, sink: &mut Sink) -> io::Result<()> {
        let mut table = source.table(&self.entry).map_err(as_io)?;
        let mut record = Vec::new();
        while let Some(row) = table.next_row().map_err(as_io)? {
            record.clear();
            // The union may have grown since this file was looked at: the columns that came later are not its own.
            let own = (0..width).map(|column| self.columns.get(column).copied().flatten());
            write_record(&mut record, own.map(|column| column.map(|column| row.field(column)).unwrap_or_default()));
            sink.write_all(&record)?;
        }
        Ok(())
    }
}

impl Union {
    /// Adds a file's columns; of two of one name the first counts.
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

impl Source {
    fn table(&self, entry: &Entry) -> Result<Table<Watchful>, Error> {
        let open = || {
            let file = self.folder.open(entry).map_err(io::Error::other)?;
            Ok(Watchful { file, shutdown: self.shutdown.clone() })
        };
        Table::open(&entry.path, entry.stat.size, open, &Settings::default())
    }

    /// Checks, after the last row, that a file is still what the version says.
    fn check(&self, entry: &Entry) -> io::Result<()> {
        self.folder.check(entry).map_err(io::Error::other)
    }
}

fn as_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other),
    }
}

/// A file that cannot be read any more once the server stops, so that no long survey holds it up.
struct Watchful {
    file: File,
    shutdown: CancellationToken,
}

impl Read for Watchful {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.shutdown.is_cancelled() {
            return Err(io::Error::other("the server stops"));
        }
        self.file.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_united_in_order_of_appearance() {
        let mut union = Union::default();
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
