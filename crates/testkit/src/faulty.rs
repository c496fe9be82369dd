//! A source that misbehaves on purpose: a bare HTTP server whose answers a test chooses byte by byte.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// The answer to a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A complete answer with this content type and body.
    Ok(&'static str, Vec<u8>),
    /// These bytes, head included.
    Raw(&'static [u8]),
    /// This status (`500 Internal Server Error`) and no body.
    Status(&'static str),
    /// Announce the whole body, send half of it, and close the connection.
    Cut(&'static str, Vec<u8>),
    /// Nothing until the client closes the connection.
    Hang,
    /// Announce the whole body, send half of it, and hang until the client closes the connection.
    Stall(&'static str, Vec<u8>),
    /// Announce the whole body, and send ten bytes of it per second, until the client closes the connection.
    Drip(&'static str, Vec<u8>),
    /// A complete answer with a pause in its middle.
    Pause(&'static str, Vec<u8>, Duration),
}

impl Answer {
    /// A complete answer with a JSON body.
    #[must_use]
    pub fn json(body: &str) -> Self {
        Self::Ok("application/json", body.as_bytes().to_vec())
    }

    /// A complete answer with a CSV body.
    #[must_use]
    pub fn csv(body: &str) -> Self {
        Self::Ok("text/csv", body.as_bytes().to_vec())
    }
}

/// The server, which stops when this is dropped.
pub struct FaultySource {
    /// Its address, as `http://ADDR:PORT`.
    pub url: String,
    /// Guards the answers by path, for one access at a time.
    answers: Arc<Mutex<HashMap<String, Answer>>>,
    /// Guards the request lines, for one access at a time.
    requests: Arc<Mutex<Vec<String>>>,
    /// Guards the fault, for one access at a time.
    fault: Arc<Mutex<Option<Fault>>>,
    stopped: Arc<AtomicBool>,
}

/// Spoils an answer after some right ones.
struct Fault {
    /// Requests until then.
    left: usize,
    spoil: fn(Answer) -> Answer,
    /// Whether all later answers are spoilt too.
    lasts: bool,
}

impl FaultySource {
    /// Starts a server with an answer per path; any other path gets 404.
    ///
    /// # Panics
    /// No port is free.
    #[must_use]
    pub fn start(answers: &[(&str, Answer)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
        let answers: HashMap<_, _> =
            answers.iter().map(|(path, answer)| ((*path).to_owned(), answer.clone())).collect();
        let source = Self {
            url,
            answers: Arc::new(Mutex::new(answers)),
            requests: Arc::default(),
            fault: Arc::default(),
            stopped: Arc::default(),
        };
        let (answers, requests, fault) = (source.answers.clone(), source.requests.clone(), source.fault.clone());
        let stopped = source.stopped.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (answers, requests, fault) = (answers.clone(), requests.clone(), fault.clone());
                thread::spawn(move || serve(stream, &answers, &requests, &fault));
            }
        });
        source
    }

    /// Starts a source of the plain protocol: `/sense` returns only a status, `/read` returns `csv`.
    #[must_use]
    pub fn plain(csv: &str) -> Self {
        Self::start(&[("/sense", Answer::json(r#"{"status":1}"#)), ("/read", Answer::csv(csv))])
    }

    /// Changes the answer of `path`.
    pub fn answer(&self, path: &str, answer: Answer) {
        self.answers.lock().expect("no test thread panics with the lock").insert(path.to_owned(), answer);
    }

    /// Spoils the answer after the next `after` ones; if the fault `lasts`, the later ones too, until [`Self::recover`].
    pub fn fail(&self, after: usize, spoil: fn(Answer) -> Answer, lasts: bool) {
        *self.fault.lock().expect("no test thread panics with the lock") = Some(Fault { left: after, spoil, lasts });
    }

    /// Spoils no more answers. Returns whether one was to be spoilt that nobody has asked for.
    pub fn recover(&self) -> bool {
        let fault = self.fault.lock().expect("no test thread panics with the lock").take();
        fault.is_some_and(|fault| fault.left > 0 || !fault.lasts)
    }

    /// Returns the request lines so far, such as `GET /sense HTTP/1.1`.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no test thread panics with the lock").clone()
    }
}

impl Drop for FaultySource {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // Wakes the accepting thread, which then sees the flag.
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
    }
}

/// Returns the answer, or what a fault makes of it.
fn spoilt(answer: Option<Answer>, fault: &Mutex<Option<Fault>>) -> Option<Answer> {
    let mut fault = fault.lock().expect("no test thread panics with the lock");
    let Some(Fault { left, spoil, lasts }) = &mut *fault else { return answer };
    if *left > 0 {
        *left -= 1;
        return answer;
    }
    let answer = answer.map(*spoil);
    if !*lasts {
        *fault = None;
    }
    answer
}

fn serve(
    mut stream: TcpStream,
    answers: &Mutex<HashMap<String, Answer>>,
    requests: &Mutex<Vec<String>>,
    fault: &Mutex<Option<Fault>>,
) {
    let mut lines = BufReader::new(stream.try_clone().expect("a socket can be cloned")).lines().map_while(Result::ok);
    let Some(request) = lines.next() else { return };
    lines.by_ref().take_while(|line| !line.is_empty()).for_each(drop);
    let path = request.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
    requests.lock().expect("no test thread panics with the lock").push(request);
    let answer = answers.lock().expect("no test thread panics with the lock").get(&path).cloned();
    let answer = spoilt(answer, fault);
    let head = |status: &str, kind: &str, length: usize| {
        format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
            .into_bytes()
    };
    if let Some(Answer::Pause(kind, body, pause)) = &answer {
        let (begin, rest) = body.split_at(body.len() / 2);
        let _ = stream.write_all(&[&head("200 OK", kind, body.len()), begin].concat());
        thread::sleep(*pause);
        let _ = stream.write_all(rest);
        return;
    }
    if let Some(Answer::Drip(kind, body)) = &answer {
        let _ = stream.write_all(&head("200 OK", kind, body.len()));
        for byte in body {
            thread::sleep(Duration::from_millis(100));
            if stream.write_all(&[*byte]).is_err() {
                break;
            }
        }
        return;
    }
    let hangs = matches!(answer, Some(Answer::Hang | Answer::Stall(..)));
    let bytes = match answer.unwrap_or(Answer::Status("404 Not Found")) {
        Answer::Ok(kind, body) => [head("200 OK", kind, body.len()), body].concat(),
        Answer::Raw(bytes) => bytes.to_vec(),
        Answer::Status(status) => head(status, "text/plain", 0),
        Answer::Cut(kind, body) => [head("200 OK", kind, body.len()), body[..body.len() / 2].to_vec()].concat(),
        Answer::Stall(kind, body) => [head("200 OK", kind, body.len()), body[..body.len() / 2].to_vec()].concat(),
        Answer::Hang | Answer::Pause(..) | Answer::Drip(..) => Vec::new(),
    };
    // The client may have closed the connection.
    let _ = stream.write_all(&bytes);
    if hangs {
        lines.for_each(drop);
    }
}
