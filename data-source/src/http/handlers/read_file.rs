//! `/read/{path}`: one file's exact bytes, whole, in part, or compressed in transit. Only files in the manifest can be read,
//! and only while they are still the ones that were hashed.

use std::{
    io::{self, Read, Write},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    body::SizedStream,
    http::{
        Method,
        header::{
            ACCEPT_RANGES, AcceptEncoding, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETag, Encoding, EntityTag,
            Header, LastModified, VARY,
        },
    },
    web,
};
use flate2::write::GzEncoder;
use futures_util::stream;
use tokio::sync::OwnedSemaphorePermit;
use tributary_folder_watch::{Content, Entry};
use tributary_formats::{Packing, media_type};
use tributary_http_common::{Work, stepped};
use tributary_protocol::encoded_path;

use crate::http::{
    app::App,
    conditions::{ByteRange, Condition, byte_range, judge},
    error::ApiError,
    headers::{revalidate, strong_tag},
    opened::{Wanted, wanted},
};

const ROUTE: &str = "/read/";
/// Bytes that are read at a time.
const STEP_BYTES: u64 = 48 << 10;
/// Keeps up with a network, and gives most of the gain.
const ZSTD_LEVEL: i32 = 3;

/// Returns the URL path of a file.
pub(crate) fn link(path: &str) -> String {
    format!("{ROUTE}{}", encoded_path(path))
}

/// Sends one file of the manifest.
pub(crate) async fn read(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let entry = find(&request, &app)?;
    let tag = strong_tag(&entry.hash);
    match judge(&request, &tag, last_modified(&entry, SystemTime::now())) {
        Condition::Proceed => {}
        Condition::NotModified => return Ok(headers(HttpResponse::NotModified(), &entry, tag).finish()),
        Condition::Failed => return Err(ApiError::ConditionFailed { path: entry.path }),
    }
    let file = open(&app, entry.clone()).await?;
    let size = entry.size;
    match byte_range(&request, &tag, size) {
        ByteRange::Unsatisfiable => Err(ApiError::RangeNotSatisfiable { size }),
        ByteRange::Part(first, last) => {
            let mut response = headers(HttpResponse::PartialContent(), &entry, tag);
            response.insert_header((CONTENT_RANGE, format!("bytes {first}-{last}/{size}")));
            Ok(exact(&request, response, Section { file, entry, first, length: last - first + 1 }))
        }
        ByteRange::Whole => match packing(&request, &entry) {
            Packing::None => {
                let response = headers(HttpResponse::Ok(), &entry, tag);
                Ok(exact(&request, response, Section { file, entry, first: 0, length: size }))
            }
            packing => {
                let section = Section { file, entry, first: 0, length: size };
                match Arc::clone(&app.packers).try_acquire_owned() {
                    Ok(permit) => packed(packing, section, permit).map_err(|error| ApiError::internal(&error)),
                    Err(_) => Ok(exact(&request, headers(HttpResponse::Ok(), &section.entry, tag), section)),
                }
            }
        },
    }
}

/// Finds the path in the manifest. Nothing else is ever opened, so no path can lead out of the folder.
fn find(request: &HttpRequest, app: &App) -> Result<Entry, ApiError> {
    let Wanted { path, hash, scope } = wanted(request);
    if scope.is_some_and(|scope| !scope.contains(&path)) {
        return Err(ApiError::OutOfScope);
    }
    let entry = app.entry(&path)?;
    match hash.is_none_or(|hash| hash == entry.hash) {
        true => Ok(entry),
        false => Err(ApiError::OtherContent { path }),
    }
}

async fn open(app: &web::Data<App>, entry: Entry) -> Result<Content, ApiError> {
    let folder = Arc::clone(&app.folder);
    let opened = web::block(move || folder.open(&entry)).await.map_err(|error| ApiError::internal(&error))?;
    Ok(opened?)
}

/// Adds the headers that every response about a file has.
fn headers(mut response: HttpResponseBuilder, entry: &Entry, tag: EntityTag) -> HttpResponseBuilder {
    if let Some(modified) = last_modified(entry, SystemTime::now()) {
        response.insert_header(LastModified(modified.into()));
    }
    response
        .insert_header(ETag(tag))
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header((CONTENT_TYPE, media_type(&entry.path)))
        .insert_header(revalidate());
    if !is_packed(&entry.path) {
        response.insert_header((VARY, "Accept-Encoding"));
    }
    response
}

/// Returns the file's time for `Last-Modified` and the conditions on it. `None` where HTTP has no such date: before 1970,
/// which the library's dates cannot express, and after `now`, which a server must not claim (RFC 9110 section 8.8.2.1). The
/// `ETag` identifies the content in any case.
fn last_modified(entry: &Entry, now: SystemTime) -> Option<SystemTime> {
    let modified = SystemTime::from(entry.modified());
    (UNIX_EPOCH..=now).contains(&modified).then_some(modified)
}

fn is_packed(path: &str) -> bool {
    Packing::of(path) != Packing::None
}

/// Chooses how to send a whole file. `HEAD` describes the uncompressed bytes, because callers use it for the exact length.
fn packing(request: &HttpRequest, entry: &Entry) -> Packing {
    if request.method() == Method::HEAD || is_packed(&entry.path) {
        return Packing::None;
    }
    let (zstd, gzip) = (Encoding::zstd(), Encoding::gzip());
    let supported = [zstd.clone(), gzip.clone(), Encoding::identity()];
    match AcceptEncoding::parse(request).ok().and_then(|accepted| accepted.negotiate(supported.iter())) {
        Some(chosen) if chosen == zstd => Packing::Zstd,
        Some(chosen) if chosen == gzip => Packing::Gzip,
        _ => Packing::None,
    }
}

/// A part of an open file to send, and the entry that the file must still match afterwards.
struct Section {
    file: Content,
    entry: Entry,
    first: u64,
    length: u64,
}

fn exact(request: &HttpRequest, mut response: HttpResponseBuilder, section: Section) -> HttpResponse {
    if request.method() == Method::HEAD {
        return response.body(SizedStream::new(section.length, stream::empty::<io::Result<_>>()));
    }
    let (length, mut rest) = (section.length, section);
    let body = stepped(Work::Light, move |out| rest.copy_to(out));
    response.body(SizedStream::new(length, Box::pin(body)))
}

/// Packs a file on the way. A packer takes some megabytes until its client has taken all, so there are few; without one the file is sent as it is.
fn packed(packing: Packing, mut section: Section, permit: OwnedSemaphorePermit) -> io::Result<HttpResponse> {
    // Compressed bytes depend on the library's version, so they are not reproducible byte for byte: the tag is weak.
    let mut response = headers(HttpResponse::Ok(), &section.entry, EntityTag::new_weak(section.entry.hash.clone()));
    response.insert_header((CONTENT_ENCODING, packing.content_coding()));
    let mut packer = Some(Packer::new(packing)?);
    let step = move |out: &mut Vec<u8>| {
        let _held = &permit;
        let Some(open) = &mut packer else { return Ok(false) };
        let more = section.copy_to(open)?;
        out.append(open.packed());
        if !more && let Some(packer) = packer.take() {
            out.append(&mut packer.finish()?);
        }
        Ok(more)
    };
    Ok(response.streaming(stepped(Work::Heavy, step)))
}

/// Packs what is written to it into memory.
enum Packer {
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(zstd::Encoder<'static, Vec<u8>>),
}

impl Packer {
    fn new(packing: Packing) -> io::Result<Self> {
        Ok(match packing {
            Packing::Zstd => Self::Zstd(zstd::Encoder::new(Vec::new(), ZSTD_LEVEL)?),
            _ => Self::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::fast())),
        })
    }

    /// Returns the bytes that were packed since it was last taken.
    fn packed(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Gzip(packer) => packer.get_mut(),
            Self::Zstd(packer) => packer.get_mut(),
        }
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip(packer) => packer.finish(),
            Self::Zstd(packer) => packer.finish(),
        }
    }
}

impl Write for Packer {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(packer) => packer.write(data),
            Self::Zstd(packer) => packer.write(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Section {
    /// Copies the next bytes, and returns whether there are more. After the last ones it checks that the file did not change meanwhile.
    fn copy_to(&mut self, out: &mut impl Write) -> io::Result<bool> {
        self.file.skip_to(self.first)?;
        let step = self.length.min(STEP_BYTES);
        if io::copy(&mut (&mut self.file).take(step), out)? < step {
            return Err(changed(&self.entry));
        }
        self.first += step;
        self.length -= step;
        if self.length > 0 || self.file.is_unchanged()? { Ok(self.length > 0) } else { Err(changed(&self.entry)) }
    }
}

fn changed(entry: &Entry) -> io::Error {
    tracing::info!(file.path = %entry.path, "`{}` changed while it was read, so the response was cut", entry.path);
    io::Error::other(format!("`{}` changed while it was read", entry.path))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use percent_encoding::percent_decode_str;
    use tributary_folder_watch::Stat;

    use super::*;

    #[test]
    fn links_lead_back_to_the_path() {
        for (path, expect) in [
            ("a.csv", "/read/a.csv"),
            ("sub/two words.csv", "/read/sub/two%20words.csv"),
            ("50%?#é.csv", "/read/50%25%3F%23%C3%A9.csv"),
        ] {
            assert_eq!(link(path), expect);
            let encoded = expect.strip_prefix(ROUTE).unwrap();
            assert_eq!(percent_decode_str(encoded).decode_utf8().unwrap(), path);
        }
    }

    #[test]
    fn packing_is_what_the_caller_prefers() {
        let stat = Stat { size: 1, mtime_ns: 0, ctime_ns: 0, ino: 1 };
        let check = |path: &str, accepted: &str, expect: Packing| {
            let entry = Entry { path: path.to_owned(), hash: String::new(), size: 1, stat, is_partial: false };
            let request = TestRequest::get().insert_header(("accept-encoding", accepted)).to_http_request();
            assert_eq!(packing(&request, &entry), expect, "{path} {accepted}");
        };
        check("a.csv", "gzip, zstd", Packing::Zstd);
        check("a.csv", "gzip", Packing::Gzip);
        check("a.csv", "zstd;q=0.5, gzip;q=0.8", Packing::Gzip);
        check("a.csv", "zstd;q=0, gzip;q=0.1", Packing::Gzip);
        check("a.csv", "gzip;q=0.5, identity", Packing::None);
        for plain in ["", "identity", "br, deflate", "zstd;q=0", "*", "nonsense;;q"] {
            check("a.csv", plain, Packing::None);
        }
        check("a.csv.GZ", "gzip, zstd", Packing::None);
        check("a.csv.zst", "gzip, zstd", Packing::None);
    }
}
