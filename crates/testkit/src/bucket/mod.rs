//! A bucket in memory that speaks as much of S3 as a source asks for: lists in pages, reads with `If-Match`, and errors. It checks the
//! signature of each request, and answers wrongly when a test asks for it.

mod answers;
mod signature;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use sha2::{Digest, Sha256};

use self::{
    answers::{Answer, error, escaped, ok, read},
    signature::{decoded, encoded, is_signed},
};

/// The name of the bucket.
pub const BUCKET: &str = "feeds";
/// The region that the bucket is in.
pub const REGION: &str = "eu-north-1";
/// The id of the only key that may read it, and its secret.
pub const KEY: [&str; 2] = ["AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"];

/// When objects were changed last.
const FIRST: &str = "2026-11-30T06:00:00.000Z";

/// A wrong answer.
#[derive(Debug, Clone, Copy)]
pub enum Wrong {
    /// This status, and an error with this code.
    Error(&'static str, &'static str),
    /// The head announces the whole body, half of it is sent, and the connection is closed.
    Cut,
    /// Nothing, until the client closes the connection.
    Hang,
    /// Half of the body, and then nothing until the client closes the connection.
    Stall,
    /// This body in place of the right one.
    Body(&'static str),
}

/// The server, which stops when this is dropped.
pub struct Bucket {
    /// Its address, as `http://ADDR:PORT`.
    pub url: String,
    state: Arc<Mutex<State>>,
    stopped: Arc<AtomicBool>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Object>,
    /// Objects of a page of a list.
    page: usize,
    /// Wrong answers to requests that contain these texts, and how often they are given.
    wrong: Vec<(String, Wrong, usize)>,
    /// The requests so far: `LIST` with the query, or `GET` or `HEAD` with the key.
    requests: Vec<String>,
    /// Bytes of objects that were sent, by the name of the program in `User-Agent`.
    sent: BTreeMap<String, u64>,
    /// Bodies by which objects are replaced as soon as programs that are not the master have read them.
    replaced_when_read: BTreeMap<String, Vec<u8>>,
    /// Objects that are replaced as soon as they are listed.
    replaced_when_listed: BTreeSet<String>,
}

#[derive(Clone)]
struct Object {
    body: Arc<[u8]>,
    class: &'static str,
    etag: String,
    modified: &'static str,
}

impl Object {
    fn new(body: &[u8], class: &'static str) -> Self {
        let etag: String = Sha256::digest(body)[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { body: body.into(), class, etag, modified: FIRST }
    }
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    fn parameter(&self, name: &str) -> Option<String> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| text(&decoded(value))).next()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Bucket {
    /// Starts a server with an empty bucket.
    ///
    /// # Panics
    /// No port is free.
    #[must_use]
    pub fn start() -> Self {
        Self::start_at("127.0.0.1:0")
    }

    /// The same at an address.
    ///
    /// # Panics
    /// It is not free.
    #[must_use]
    pub fn start_at(address: &str) -> Self {
        let listener = TcpListener::bind(address).expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
        let bucket = Self {
            url,
            state: Arc::new(Mutex::new(State { page: 1_000, ..State::default() })),
            stopped: Arc::default(),
        };
        let (state, stopped) = (bucket.state.clone(), bucket.stopped.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let state = state.clone();
                thread::spawn(move || serve(stream, &state));
            }
        });
        bucket
    }

    /// The variables by which a program reaches it.
    #[must_use]
    pub fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ENDPOINT_URL", self.url.clone()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", KEY[0].to_owned()),
            ("AWS_SECRET_ACCESS_KEY", KEY[1].to_owned()),
        ]
    }

    /// Puts an object, in place of an earlier one.
    pub fn put(&self, key: &str, body: impl AsRef<[u8]>) {
        self.put_in_class(key, body, "STANDARD");
    }

    /// Puts an object in a storage class.
    pub fn put_in_class(&self, key: &str, body: impl AsRef<[u8]>, class: &'static str) {
        self.state().objects.insert(key.to_owned(), Object::new(body.as_ref(), class));
    }

    /// Changes when an object was changed last, and not its content.
    pub fn touch(&self, key: &str, modified: &'static str) {
        if let Some(object) = self.state().objects.get_mut(key) {
            object.modified = modified;
        }
    }

    /// Removes an object.
    pub fn remove(&self, key: &str) {
        self.state().objects.remove(key);
    }

    /// Sets how many objects a page of a list has.
    pub fn set_page(&self, page: usize) {
        self.state().page = page;
    }

    /// Answers the next `times` requests that contain a text wrongly. A request is `LIST` and its query, or `GET` or `HEAD` and the key.
    pub fn answer_wrongly(&self, contains: &str, wrong: Wrong, times: usize) {
        self.state().wrong.push((contains.to_owned(), wrong, times));
    }

    /// Answers rightly again.
    pub fn recover(&self) {
        self.state().wrong.clear();
    }

    /// Appends to an object whenever it was listed, so that it is never read as it was listed.
    pub fn replace_when_listed(&self, key: &str) {
        self.state().replaced_when_listed.insert(key.to_owned());
    }

    /// Replaces an object as soon as a program whose `User-Agent` does not begin with `tributary-` has read a part of it.
    pub fn replace_when_read(&self, key: &str, body: impl Into<Vec<u8>>) {
        self.state().replaced_when_read.insert(key.to_owned(), body.into());
    }

    /// Lets an object rest.
    pub fn rest(&self, key: &str) {
        self.state().replaced_when_listed.remove(key);
    }

    /// Returns the requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.state().requests.clone()
    }

    /// Returns how many of them contain a text.
    #[must_use]
    pub fn count(&self, contains: &str) -> usize {
        self.state().requests.iter().filter(|request| request.contains(contains)).count()
    }

    /// Returns how many bytes of objects were sent to programs whose `User-Agent` begins so.
    #[must_use]
    pub fn bytes_sent(&self, agent: &str) -> u64 {
        self.state().sent.iter().filter(|(program, _)| program.starts_with(agent)).map(|(_, bytes)| bytes).sum()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test thread panics with the lock")
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // Wakes the accepting thread, which then sees the flag.
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a socket can be cloned"));
    while let Some(request) = read_request(&mut reader) {
        let mut state = state.lock().expect("no test thread panics with the lock");
        let wrong = state.note(&request);
        let (head, body) = match wrong {
            Some(Wrong::Error(status, code)) => error(status, code),
            Some(Wrong::Body(body)) => ok("", body.as_bytes().into()),
            _ if !is_signed(&request) => error("403 Forbidden", "SignatureDoesNotMatch"),
            _ => state.answer(&request),
        };
        let body = if request.method == "HEAD" { [].into() } else { body };
        state.note_sent(&request, body.len() as u64);
        drop(state);
        let sent = match wrong {
            Some(Wrong::Hang) => {
                let _ = reader.fill_buf();
                return;
            }
            Some(Wrong::Cut | Wrong::Stall) => {
                let _ = stream.write_all(&[head.as_bytes(), &body[..body.len() / 2]].concat());
                if matches!(wrong, Some(Wrong::Stall)) {
                    let _ = reader.fill_buf();
                }
                return;
            }
            _ => stream.write_all(&[head.as_bytes(), &body].concat()),
        };
        if sent.is_err() {
            return;
        }
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<Request> {
    let mut lines = reader.lines().map_while(Result::ok);
    let first = lines.next()?;
    let (method, target) = first.split_once(' ')?;
    let target = target.split(' ').next()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = lines.take_while(|line| !line.is_empty()).filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    });
    let headers = headers.collect();
    Some(Request { method: method.to_owned(), path: path.to_owned(), query: query.to_owned(), headers })
}

impl State {
    /// Notes a request. Returns how it is to be answered wrongly, if it is.
    fn note(&mut self, request: &Request) -> Option<Wrong> {
        let key = key(request);
        let words = match &key {
            Some(key) if !key.is_empty() => format!("{} {key}", request.method),
            _ => {
                let own = request.query.split('&').filter(|pair| !pair.starts_with("X-Amz-"));
                format!("LIST {}", own.collect::<Vec<_>>().join("&"))
            }
        };
        let wrong = self.wrong.iter_mut().find(|(contains, _, times)| words.contains(contains.as_str()) && *times > 0);
        self.requests.push(words.clone());
        wrong.map(|(_, wrong, times)| {
            *times -= 1;
            *wrong
        })
    }

    /// Notes what is sent of an object, and replaces it if a test has asked for that.
    fn note_sent(&mut self, request: &Request, bytes: u64) {
        let Some(key) = key(request).filter(|key| !key.is_empty()) else { return };
        let agent = request.header("user-agent").unwrap_or_default();
        *self.sent.entry(agent.to_owned()).or_default() += bytes;
        if request.method == "GET"
            && !agent.starts_with("tributary-")
            && let Some(body) = self.replaced_when_read.remove(&key)
        {
            self.objects.insert(key, Object::new(&body, "STANDARD"));
        }
    }

    fn answer(&mut self, request: &Request) -> Answer {
        match key(request) {
            None => error("404 Not Found", "NoSuchBucket"),
            Some(key) if key.is_empty() => self.list(request),
            Some(key) => match self.objects.get(&key) {
                None => error("404 Not Found", "NoSuchKey"),
                Some(object) => {
                    let tag = format!("\"{}\"", object.etag);
                    match request.header("if-match").is_none_or(|wanted| wanted == tag) {
                        true => read(object, request.header("range"), &tag),
                        false => error("412 Precondition Failed", "PreconditionFailed"),
                    }
                }
            },
        }
    }

    fn list(&mut self, request: &Request) -> Answer {
        let prefix = request.parameter("prefix").unwrap_or_default();
        let after = request.parameter("continuation-token").or(request.parameter("start-after")).unwrap_or_default();
        let is_encoded = request.parameter("encoding-type").as_deref() == Some("url");
        let mut found = self.objects.iter().filter(|(key, _)| key.starts_with(&prefix) && **key > after);
        let page: Vec<_> = found.by_ref().take(self.page).map(|(key, object)| (key.clone(), object.clone())).collect();
        let is_truncated = found.next().is_some();
        let mut body = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult>");
        let _ = write!(body, "<Name>{BUCKET}</Name><Prefix>{}</Prefix>", encoded(&prefix, ""));
        let _ = write!(body, "<KeyCount>{}</KeyCount><IsTruncated>{is_truncated}</IsTruncated>", page.len());
        if is_encoded {
            body.push_str("<EncodingType>url</EncodingType>");
        }
        if let Some((last, _)) = page.last().filter(|_| is_truncated) {
            let _ = write!(body, "<NextContinuationToken>{}</NextContinuationToken>", escaped(last));
        }
        for (key, Object { body: content, class, etag, modified }) in &page {
            let key = if is_encoded { encoded(key, "/").replace("%20", "+") } else { escaped(key) };
            let _ = write!(
                body,
                "<Contents><Key>{key}</Key><LastModified>{modified}</LastModified>\
                 <ETag>&quot;{etag}&quot;</ETag><Size>{}</Size><StorageClass>{class}</StorageClass></Contents>",
                content.len()
            );
        }
        body.push_str("</ListBucketResult>");
        for (key, _) in page.iter().filter(|(key, _)| self.replaced_when_listed.contains(key)) {
            if let Some(object) = self.objects.get_mut(key) {
                object.etag = object.etag.chars().rev().collect();
                object.body = [&object.body, &b"\n"[..]].concat().into();
            }
        }
        ok("Content-Type: application/xml\r\n", body.into_bytes().into())
    }
}

/// The key that a request names; empty if it names the bucket, `None` if it names another one.
fn key(request: &Request) -> Option<String> {
    let path = text(&decoded(&request.path));
    let rest = path.strip_prefix(&format!("/{BUCKET}"))?;
    Some(rest.strip_prefix('/').unwrap_or(rest).to_owned())
}
