//! A scripted master: a bare HTTP server that speaks the uploads API and records the requests.

use std::{
    collections::{HashMap, VecDeque},
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::Duration,
};

/// The script for one upload.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Accept it. Its status is each of these in turn, then the last one for ever; `None` closes the connection.
    Take(Vec<Option<String>>),
    /// Read the body, then answer with this status, further header lines, and the detail of a problem.
    Refuse(&'static str, &'static str, &'static str),
    /// Answer with a status and a detail without reading the body.
    RefuseAtOnce(&'static str, &'static str),
    /// Close the connection after so many bytes of the body.
    Break(u64),
    /// Read the body and never answer.
    Silent,
    /// Like `Take`, but close the connection instead of answering.
    Lose(Vec<Option<String>>),
}

/// An upload as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upload {
    /// The request's target without the id that was chosen.
    pub(crate) target: String,
    /// The headers by their names in lower case.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

#[derive(Default)]
struct State {
    replies: VecDeque<Reply>,
    uploads: Vec<Upload>,
    /// The remaining statuses of each upload.
    statuses: Vec<VecDeque<Option<String>>>,
    /// Index in `statuses` by the id that the client chose.
    chosen: HashMap<String, usize>,
    /// Other requests, such as `DELETE /api/v1/uploads/0`.
    others: Vec<String>,
    /// Uploads that are not over.
    open: usize,
    /// The highest value of `open`.
    max_open: usize,
}

/// The server; it runs until the test process ends.
pub(crate) struct FakeMaster {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

impl FakeMaster {
    /// Answers the first upload with the first reply and so on, and each further one with the last reply.
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

    /// The uploads so far.
    pub(crate) fn uploads(&self) -> Vec<Upload> {
        self.state().uploads.clone()
    }

    /// Requests that are neither `POST` nor `GET`.
    pub(crate) fn others(&self) -> Vec<String> {
        self.state().others.clone()
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
    let answer = match method {
        "POST" => receive(reader, target, headers, state)?,
        "GET" => {
            let mut state = state.lock().unwrap();
            let id = target.rsplit('/').next()?;
            let id = id.parse().ok().or_else(|| state.chosen.get(id).copied());
            match id.and_then(|id| state.statuses.get_mut(id)) {
                Some(rest) if rest.len() > 1 => response("200 OK", "", &rest.pop_front()??),
                Some(rest) => {
                    let status = rest.front().cloned()??;
                    let is_over = status.contains(r#""state":"complete""#) || status.contains(r#""state":"failed""#);
                    state.open -= usize::from(is_over);
                    response("200 OK", "", &status)
                }
                None => response("404 Not Found", "", r#"{"title":"Gone","status":404,"detail":"no such upload"}"#),
            }
        }
        _ => {
            state.lock().unwrap().others.push(format!("{method} {target}"));
            response("204 No Content", "", "")
        }
    };
    stream.write_all(answer.as_bytes()).ok()
}

/// Receives an upload as scripted.
fn receive(
    mut reader: BufReader<&TcpStream>,
    target: &str,
    headers: HashMap<String, String>,
    state: &Mutex<State>,
) -> Option<String> {
    let reply = {
        let mut state = state.lock().unwrap();
        state.open += 1;
        state.max_open = state.max_open.max(state.open);
        if state.replies.len() > 1 { state.replies.pop_front()? } else { state.replies.front()?.clone() }
    };
    let length: u64 = headers.get("content-length")?.parse().ok()?;
    let length = match &reply {
        Reply::Break(bytes) => *bytes,
        Reply::RefuseAtOnce(..) => 0,
        _ => length,
    };
    let mut body = Vec::new();
    reader.by_ref().take(length).read_to_end(&mut body).ok()?;
    let is_taken = matches!(reply, Reply::Take(_) | Reply::Lose(_));
    let mut state = state.lock().unwrap();
    state.open -= usize::from(!is_taken);
    let (target, id) = target.rsplit_once("&id=")?;
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    state.uploads.push(Upload { target: target.to_owned(), headers, body });
    let problem = |detail: &str| format!(r#"{{"title":"No","status":0,"detail":"{detail}"}}"#);
    match reply {
        Reply::Take(statuses) => {
            state.statuses.push(statuses.into());
            let id = state.statuses.len() - 1;
            Some(response(
                "202 Accepted",
                &format!("Location: /api/v1/uploads/{id}\r\n"),
                &format!(r#"{{"id":"{id}"}}"#),
            ))
        }
        Reply::Refuse(status, headers, detail) => Some(response(status, headers, &problem(detail))),
        Reply::RefuseAtOnce(status, detail) => {
            drop(state);
            let answer = response(status, "Connection: close\r\n", &problem(detail));
            reader.get_mut().write_all(answer.as_bytes()).ok()?;
            // Closing with unread bytes resets the connection, as it does with any server.
            thread::sleep(Duration::from_millis(20));
            None
        }
        Reply::Lose(statuses) => {
            state.statuses.push(statuses.into());
            let index = state.statuses.len() - 1;
            state.chosen.insert(id.to_owned(), index);
            None
        }
        Reply::Break(_) => None,
        Reply::Silent => {
            drop(state);
            let _ = reader.read(&mut [0]);
            None
        }
    }
}

fn response(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
