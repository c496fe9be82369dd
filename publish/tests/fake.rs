//! A scripted master: a bare HTTP server that speaks tus and the uploads API, and records the uploads.

use std::{
    collections::{HashMap, VecDeque},
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};

/// The script for one request that announces or sends something.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Take the part. Once the file is whole, its status is each of these in turn, then the last one for ever; `None` closes the
    /// connection.
    Take(Vec<Option<String>>),
    /// Answer an announcement with this status, further header lines, and the detail of a problem.
    Refuse(&'static str, &'static str, &'static str),
    /// Read a part, then answer like that and forget the part.
    RefusePart(&'static str, &'static str, &'static str),
    /// Answer a part with a status and a detail without reading it.
    RefuseAtOnce(&'static str, &'static str),
    /// Take so many bytes of a part, then close the connection.
    Break(u64),
    /// Read a part, and answer neither this request nor any later one.
    Silent,
    /// Like `Take`, but close the connection instead of answering.
    Lose(Vec<Option<String>>),
}

/// An upload as it was announced and as it arrived.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Upload {
    /// The target of its announcement.
    pub(crate) target: String,
    /// The headers of its announcement by their names in lower case.
    pub(crate) headers: HashMap<String, String>,
    /// The pairs of `Upload-Metadata`.
    pub(crate) metadata: HashMap<String, String>,
    /// Offset and length of each part that was sent.
    pub(crate) parts: Vec<(usize, usize)>,
    pub(crate) body: Vec<u8>,
    length: usize,
    /// The remaining statuses; none before it is whole.
    statuses: VecDeque<Option<String>>,
    /// Whether its announcement was refused.
    is_refused: bool,
    is_cancelled: bool,
    is_over: bool,
}

#[derive(Default)]
struct State {
    replies: VecDeque<Reply>,
    uploads: Vec<Upload>,
    cancelled: usize,
    is_silent: bool,
    /// Uploads that are not over.
    open: usize,
    /// The highest value of `open`.
    max_open: usize,
}

impl State {
    fn next(&mut self) -> Option<Reply> {
        if self.replies.len() > 1 { self.replies.pop_front() } else { self.replies.front().cloned() }
    }

    fn find(&mut self, target: &str) -> Option<&mut Upload> {
        let id = target.rsplit('/').next()?;
        let is_it = |upload: &&mut Upload| upload.metadata.get("id").is_some_and(|known| known == id);
        self.uploads.iter_mut().filter(|upload| !upload.is_refused).find(is_it)
    }
}

/// The server; it runs until the test process ends.
pub(crate) struct FakeMaster {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

impl FakeMaster {
    /// Answers the first request with the first reply that suits it and so on, and each further one with the last reply.
    pub(crate) fn start(replies: &[Reply]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { replies: replies.iter().cloned().collect(), ..State::default() }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                thread::spawn(move || while serve(&stream, &state).is_some() {});
            }
        });
        Self { url, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Replaces the script.
    pub(crate) fn goes_on_with(&self, replies: &[Reply]) {
        self.state().replies = replies.iter().cloned().collect();
    }

    /// Sets the status of all uploads.
    pub(crate) fn finish(&self, status: Option<String>) {
        self.state().uploads.iter_mut().for_each(|upload| upload.statuses = [status.clone()].into());
    }

    /// Cancels all uploads.
    pub(crate) fn cancel_all(&self) {
        self.state().uploads.iter_mut().for_each(|upload| upload.is_cancelled = true);
    }

    /// The uploads so far, refused ones too.
    pub(crate) fn uploads(&self) -> Vec<Upload> {
        self.state().uploads.clone()
    }

    /// Whether a part has come.
    pub(crate) fn has_part(&self) -> Option<()> {
        self.state().uploads.iter().any(|upload| !upload.parts.is_empty()).then_some(())
    }

    /// Number of `DELETE` requests.
    pub(crate) fn cancelled(&self) -> usize {
        self.state().cancelled
    }

    /// The most uploads that were under way at the same time.
    pub(crate) fn max_open(&self) -> usize {
        self.state().max_open
    }
}

/// The status of an upload: its state, its rows and its rejects.
pub(crate) fn status(state: &str, rows: u64, rejects: u64) -> Option<String> {
    let percent = if state == "processing" { "12.5" } else { "null" };
    Some(format!(
        r#"{{"id":"0","filename":"f","state":"{state}","bytes":1,"total":null,"rows":{rows},"percent":{percent},"rejects":{rejects},
            "error":null,"results":[{{"title":"t","href":"/"}}],"created_at":"2026-11-25T10:00:00Z","finished_at":null,"newer":1}}"#
    ))
}

/// The status of an upload that failed for this reason.
pub(crate) fn failed(why: &str) -> Option<String> {
    Some(format!(r#"{{"id":"0","state":"failed","bytes":1,"rows":0,"percent":null,"rejects":0,"error":"{why}"}}"#))
}

/// The status of an upload that the master does not know any more.
pub(crate) fn forgotten() -> Option<String> {
    Some(String::new())
}

/// Answers one request. Returns nothing when the connection is to be closed.
fn serve(mut stream: &TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let line = reader.by_ref().lines().next()?.ok()?;
    let (method, target) = line.strip_suffix(" HTTP/1.1")?.split_once(' ')?;
    let headers: HashMap<_, _> = reader
        .by_ref()
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())))
        .collect();
    if state.lock().unwrap().is_silent {
        hang(reader);
        return None;
    }
    if target.contains("/api/v1/tus/") {
        assert_eq!(headers["tus-resumable"], "1.0.0");
    }
    let answer = match method {
        "POST" => announce(target, headers, &mut state.lock().unwrap())?,
        "PATCH" => receive(reader, target, &headers, state)?,
        "HEAD" => offset(state.lock().unwrap().find(target)),
        "GET" => tell(target, &mut state.lock().unwrap())?,
        _ => {
            let mut state = state.lock().unwrap();
            state.cancelled += 1;
            if let Some(upload) = state.find(target) {
                upload.is_cancelled = true;
            }
            response("204 No Content", "", "")
        }
    };
    stream.write_all(answer.as_bytes()).ok()
}

/// Waits until the client closes the connection.
fn hang(mut reader: BufReader<&TcpStream>) {
    let _ = std::io::copy(&mut reader, &mut std::io::sink());
}

fn offset(upload: Option<&mut Upload>) -> String {
    match upload {
        Some(upload) if upload.is_cancelled || is_failed(upload) => "HTTP/1.1 410 Gone\r\n\r\n".to_owned(),
        Some(Upload { body, length, .. }) => {
            format!("HTTP/1.1 200 OK\r\nUpload-Offset: {}\r\nUpload-Length: {length}\r\n\r\n", body.len())
        }
        None => "HTTP/1.1 404 Not Found\r\n\r\n".to_owned(),
    }
}

fn is_failed(upload: &Upload) -> bool {
    upload.statuses.front().is_some_and(|status| status.as_ref().is_some_and(|text| text.contains("failed")))
}

fn tell(target: &str, state: &mut State) -> Option<String> {
    let problem = || response("404 Not Found", "", r#"{"title":"Gone","status":404,"detail":"no such upload"}"#);
    let Some(upload) = state.find(target) else { return Some(problem()) };
    let said = match upload.statuses.len() {
        _ if upload.is_cancelled => failed("it was cancelled")?,
        0 => format!(r#"{{"state":"receiving","bytes":{}}}"#, upload.body.len()),
        1 => {
            let status = upload.statuses.front().cloned()??;
            let is_over = status.contains(r#""state":"complete""#) || status.contains(r#""state":"failed""#);
            let is_first = is_over && !std::mem::replace(&mut upload.is_over, is_over);
            state.open -= usize::from(is_first);
            status
        }
        _ => upload.statuses.pop_front()??,
    };
    if said.is_empty() { Some(problem()) } else { Some(response("200 OK", "", &said)) }
}

/// Announces an upload as scripted.
fn announce(target: &str, headers: HashMap<String, String>, state: &mut State) -> Option<String> {
    let pair = |pair: &str| {
        let (key, value) = pair.split_once(' ').unwrap();
        (key.to_owned(), String::from_utf8(BASE64_STANDARD.decode(value).unwrap()).unwrap())
    };
    let metadata: HashMap<_, _> = headers["upload-metadata"].split(',').map(pair).collect();
    assert!(metadata["id"].len() == 32 && metadata["id"].bytes().all(|byte| byte.is_ascii_hexdigit()), "{metadata:?}");
    let length = headers["upload-length"].parse().ok()?;
    let is_refused = matches!(state.replies.front(), Some(Reply::Refuse(..)));
    let mut upload = Upload { target: target.to_owned(), headers, metadata, length, is_refused, ..Upload::default() };
    let answer = if is_refused {
        let Some(Reply::Refuse(status, headers, detail)) = state.next() else { return None };
        response(status, headers, &problem(detail))
    } else {
        if length == 0
            && let Some(Reply::Take(statuses)) = state.next()
        {
            upload.statuses = statuses.into();
        }
        state.open += 1;
        state.max_open = state.max_open.max(state.open);
        response("201 Created", "Tus-Resumable: 1.0.0\r\n", "")
    };
    state.uploads.push(upload);
    Some(answer)
}

/// Receives a part as scripted.
fn receive(
    mut reader: BufReader<&TcpStream>,
    target: &str,
    headers: &HashMap<String, String>,
    state: &Mutex<State>,
) -> Option<String> {
    let reply = state.lock().unwrap().next()?;
    let length: u64 = headers.get("content-length")?.parse().ok()?;
    let length = match &reply {
        Reply::Break(bytes) => *bytes,
        Reply::RefuseAtOnce(..) => 0,
        _ => length,
    };
    let mut part = Vec::new();
    reader.by_ref().take(length).read_to_end(&mut part).ok()?;
    let mut state = state.lock().unwrap();
    state.is_silent = matches!(reply, Reply::Silent);
    let upload = state.find(target)?;
    let offset: usize = headers["upload-offset"].parse().ok()?;
    assert_eq!((offset, &*headers["content-type"]), (upload.body.len(), "application/offset+octet-stream"));
    upload.parts.push((offset, part.len()));
    if matches!(reply, Reply::Take(_) | Reply::Lose(_) | Reply::Break(_)) {
        upload.body.extend(part);
    }
    let offset = upload.body.len();
    if let Reply::Take(statuses) | Reply::Lose(statuses) = &reply
        && offset == upload.length
    {
        upload.statuses = statuses.clone().into();
    }
    drop(state);
    match reply {
        Reply::Take(_) => {
            Some(format!("HTTP/1.1 204 No Content\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\n\r\n"))
        }
        Reply::Refuse(status, headers, detail) | Reply::RefusePart(status, headers, detail) => {
            Some(response(status, headers, &problem(detail)))
        }
        Reply::RefuseAtOnce(status, detail) => {
            let answer = response(status, "Connection: close\r\n", &problem(detail));
            reader.get_mut().write_all(answer.as_bytes()).ok()?;
            // Closing with unread bytes resets the connection, as it does with any server.
            thread::sleep(Duration::from_millis(20));
            None
        }
        Reply::Lose(_) | Reply::Break(_) => None,
        Reply::Silent => {
            hang(reader);
            None
        }
    }
}

fn problem(detail: &str) -> String {
    format!(r#"{{"title":"No","status":0,"detail":"{detail}"}}"#)
}

fn response(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
