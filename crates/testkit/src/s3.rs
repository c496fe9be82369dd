//! An S3 server in this process that keeps objects as files, checks signatures, and misbehaves on demand.

use std::{
    convert::Infallible,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime, sync::watch};

/// The key that the server accepts.
pub const ACCESS_KEY_ID: &str = "TESTKEY";
/// The secret of the key.
pub const SECRET_ACCESS_KEY: &str = "not/really+secret";

type Answer = Response<UnsyncBoxBody<Bytes, io::Error>>;

/// The way in which the server fails requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It answers with a status and an error's code, such as 503 and `SlowDown`.
    Status(u16, &'static str),
    /// It takes the head of a request, and answers nothing until another fault, or none, is asked for. Then it closes the connection.
    Hang,
    /// The same, but only of requests whose query has this text; others are answered.
    HangAt(&'static str),
    /// It closes the connection in place of an answer.
    Close,
    /// It closes the connection in the middle of a body: of what it is sent, or of the object it sends. Others are answered.
    Cut,
}

/// The server, which stops when this is dropped.
pub struct S3Server {
    /// Its address, as `http://ADDR:PORT`.
    pub url: String,
    root: TempDir,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

struct Shared {
    root: PathBuf,
    service: S3Service,
    fault: watch::Sender<Option<Fault>>,
    /// Guards the methods and paths so far, for one access at a time.
    requests: Mutex<Vec<String>>,
}

impl S3Server {
    /// Starts it with an empty bucket.
    ///
    /// # Panics
    /// No port is free, or no folder can be made.
    #[must_use]
    pub fn start(bucket: &str) -> Self {
        let root = TempDir::new().expect("a temporary folder can be made");
        fs::create_dir(root.path().join(bucket)).expect("the name of the bucket is new");
        let mut service = S3ServiceBuilder::new(FileSystem::new(root.path()).expect("the folder exists"));
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY_ID, SECRET_ACCESS_KEY));
        let shared = Shared {
            root: root.path().to_owned(),
            service: service.build(),
            fault: watch::Sender::new(None),
            requests: Mutex::default(),
        };
        let shared = Arc::new(shared);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("threads can be started");
        // Bound here, since a test may be a task of another runtime.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        listener.set_nonblocking(true).expect("a new socket takes options");
        let url = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
        runtime.spawn(serve(listener, Arc::clone(&shared)));
        Self { url, root, shared, runtime: Some(runtime) }
    }

    /// The variables with which a program finds the server.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        let variables = [
            ("AWS_ENDPOINT_URL", self.url.as_str()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY),
            ("AWS_REGION", "eu-central-1"),
        ];
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    /// The folder with the objects of a bucket, each a file. Tests may write and delete there.
    #[must_use]
    pub fn folder(&self, bucket: &str) -> PathBuf {
        self.root.path().join(bucket)
    }

    /// The folder that the buckets are in; parts of uploads that are not complete are there, too.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// Fails requests that begin from now on, or no longer.
    pub fn misbehave(&self, fault: Option<Fault>) {
        self.shared.fault.send_replace(fault);
    }

    /// The methods and paths of all requests so far, as `GET /bucket/key`.
    ///
    /// # Panics
    /// Another thread panicked at it.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().expect("no test thread panics with the lock").clone()
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn serve(listener: std::net::TcpListener, shared: Arc<Shared>) -> Result<Infallible, io::Error> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| answer(Arc::clone(&shared), request));
        // An error is a client that went away, or a connection that is closed on purpose.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(shared: Arc<Shared>, mut request: Request<Incoming>) -> Result<Answer, io::Error> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    shared.requests.lock().expect("no test thread panics with the lock").push(format!("{method} {path}"));
    let mut fault = shared.fault.subscribe();
    let asked = *fault.borrow_and_update();
    match asked {
        Some(Fault::Status(status, code)) => return Ok(error(status, code)),
        Some(Fault::Close) => return Err(io::Error::other("closed on purpose")),
        Some(Fault::Hang) => {
            let _ = fault.changed().await;
            return Err(io::Error::other("closed after a while"));
        }
        Some(Fault::Cut) if method != Method::GET => {
            let half = length(request.headers()) / 2;
            let mut taken = 0;
            while taken < half {
                let frame = request.body_mut().frame().await;
                taken +=
                    frame.and_then(Result::ok).and_then(|frame| frame.into_data().ok()).map_or(half, |data| data.len());
            }
            return Err(io::Error::other("cut on purpose"));
        }
        Some(Fault::HangAt(text)) if request.uri().query().is_some_and(|query| query.contains(text)) => {
            let _ = fault.changed().await;
            return Err(io::Error::other("closed after a while"));
        }
        Some(Fault::Cut | Fault::HangAt(_)) | None => {}
    }
    let if_match = request.headers().get(header::IF_MATCH).cloned();
    let answered = shared.service.call(request.map(Into::into)).await;
    let mut answered = answered.map_err(|why| io::Error::other(format!("{why:?}")))?;
    let is_object = path[1..].find('/').is_some_and(|at| at + 2 < path.len());
    if !answered.status().is_success() || !matches!(method, Method::GET | Method::HEAD) {
        return Ok(answered.map(|body| body.map_err(io::Error::other).boxed_unsync()));
    }
    if !is_object {
        return with_etags(answered, &shared.root.join(&path[1..])).await;
    }
    let etag = etag(&shared.root.join(percent_decode_str(&path[1..]).decode_utf8_lossy().as_ref()));
    let etag = HeaderValue::try_from(etag).map_err(io::Error::other)?;
    // The file system behind it reads without looking at this header.
    if if_match.is_some_and(|expected| expected != etag) {
        return Ok(error(412, "PreconditionFailed"));
    }
    answered.headers_mut().insert(header::ETAG, etag);
    if asked == Some(Fault::Cut) {
        return cut(answered).await;
    }
    Ok(answered.map(|body| body.map_err(io::Error::other).boxed_unsync()))
}

/// An `ETag` that depends on the content alone, also if a test has written the file.
fn etag(file: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    fs::read(file).unwrap_or_default().hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

/// Adds what the file system behind it leaves out of a list.
async fn with_etags(answered: Response<s3s::Body>, bucket: &Path) -> Result<Answer, io::Error> {
    let (mut parts, body) = answered.into_parts();
    let whole = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let mut text = String::new();
    for piece in String::from_utf8_lossy(&whole).split_inclusive("</Key>") {
        text.push_str(piece);
        if let Some((_, key)) = piece.strip_suffix("</Key>").and_then(|piece| piece.rsplit_once("<Key>")) {
            text.push_str(&format!("<ETag>{}</ETag>", etag(&bucket.join(key.replace("&amp;", "&")))));
        }
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    Ok(Response::from_parts(parts, whole_body(text)))
}

/// Announces a whole body and ends in its middle.
async fn cut(answered: Response<s3s::Body>) -> Result<Answer, io::Error> {
    let (parts, body) = answered.into_parts();
    let whole = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let half = whole.slice(..whole.len() / 2);
    let pieces = stream::iter([Ok(Frame::data(half)), Err(io::Error::other("cut on purpose"))]);
    Ok(Response::from_parts(parts, StreamBody::new(pieces).boxed_unsync()))
}

fn error(status: u16, code: &str) -> Answer {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>As the test asks.</Message></Error>"
    );
    let mut answer = Response::new(whole_body(text));
    *answer.status_mut() = StatusCode::from_u16(status).expect("tests name real statuses");
    answer
}

fn whole_body(text: String) -> UnsyncBoxBody<Bytes, io::Error> {
    Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync()
}

fn length(headers: &HeaderMap) -> usize {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    length.and_then(|value| value.parse().ok()).unwrap_or_default()
}
