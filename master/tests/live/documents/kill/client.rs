//! A client that does one thing after the other, and goes on when the master is killed.

use serde_json::Value;
use tributary_testkit::http::{self, Response};

use super::{
    Random,
    log::{FailTogether, Kind, Log, Operation, PATHS, Told, has_sequences, url},
};

/// Bodies that no reader can use. The last one is empty.
const NO_FEEDS: [&str; 3] = ["x,y\n1,2\n", "sku;\"name\n", ""];

pub(super) struct Client<'a> {
    number: u64,
    random: Random,
    log: &'a Log,
    /// Counts what it does, for ids.
    count: u64,
    /// Paths and ids of the documents that it sent.
    sent: Vec<(&'static str, String)>,
    /// Paths and ids of the messages that were answered.
    messages: Vec<(&'static str, String)>,
}

/// A body to send.
struct Body {
    text: String,
    hash: String,
    is_feed: bool,
}

impl<'a> Client<'a> {
    pub(super) fn new(number: u64, seed: u64, log: &'a Log) -> Self {
        let random = Random(seed * 1_000 + number);
        Self { number, random, log, count: 0, sent: Vec::new(), messages: Vec::new() }
    }

    /// Works until the log says that it is over.
    pub(super) fn run(mut self) {
        let _together = FailTogether(self.log);
        while !self.log.is_over() && !self.log.has_failed() {
            self.count += 1;
            let path = PATHS[usize::try_from(self.random.below(4)).unwrap()];
            match self.random.below(10) {
                9 => drop(self.ask("GET", &url(path), "").inspect(|answer| expect(answer, &[200, 404]))),
                8 => self.repeat(),
                2 | 3 if has_sequences(path) => self.remove(path),
                _ if has_sequences(path) => self.put(path),
                7 => self.cancel_one(),
                6 => self.remove(path),
                0..3 => self.upload(path),
                _ => self.put(path),
            }
        }
    }

    /// Asks the master that runs now. `None`: it was killed before it answered.
    fn ask(&self, method: &str, path: &str, body: &str) -> Option<Response> {
        let master = self.log.url();
        let answer = http::request(method, &format!("{master}{path}"), &[], body.as_bytes()).ok()?;
        let length = answer.header("content-length").and_then(|length| length.parse().ok());
        let is_whole = answer.status == 204 || length == Some(answer.body.len());
        is_whole.then(|| self.log.answered()).map(|()| answer)
    }

    fn upload(&mut self, path: &'static str) {
        let (id, body) = (format!("{:016x}{:016x}", self.number + 1, self.count), self.body(path));
        let first = self.log.now();
        let target = format!("/api/v1/uploads?filename={path}&replace=1&id={id}");
        let answer = self.ask("POST", &target, &body.text);
        let last = self.log.now();
        let mut told = Told::Nothing;
        if let Some(answer) = answer {
            expect(&answer, &[202]);
            told = Told::Stored;
        }
        let kind = Kind::Send { id: Some(id.clone()), hash: body.hash, is_feed: body.is_feed };
        let sent = Operation { path, kind, sequence: None, first, last, told };
        self.log.put(sent.clone());
        self.sent.push((path, id.clone()));
        // It is logged again whenever more is known of it.
        let mut told = sent.told.clone();
        if told == Told::Nothing {
            told = self.told_of(&id);
            self.log.put(Operation { told: told.clone(), ..sent.clone() });
        }
        match self.random.below(4) {
            0 => self.cancel(path, &id),
            1 => {
                while told == Told::Stored && !self.log.has_failed() {
                    told = self.told_of(&id);
                }
            }
            _ => {}
        }
        self.log.put(Operation { told, ..sent });
    }

    /// Asks what the master says of an upload.
    fn told_of(&self, id: &str) -> Told {
        let Some(answer) = self.ask("GET", &format!("/api/v1/uploads/{id}"), "") else { return Told::Nothing };
        expect(&answer, &[200, 404]);
        // It never came, or another thread of this test would have had to forget it.
        if answer.status == 404 { Told::Refused } else { told(&answer) }
    }

    fn put(&mut self, path: &'static str) {
        let (message, sequence, query) = self.query(path);
        let (body, wait) = (self.body(path), self.random.below(2));
        let target = format!("{}?{query}{}", url(path), ["", "&wait=applied"][usize::try_from(wait).unwrap()]);
        let kind = Kind::Send { id: None, hash: body.hash.clone(), is_feed: body.is_feed };
        let attempt = self.attempt(path, kind, sequence);
        let Some(answer) = self.until_answered("PUT", &target, &body.text, (&attempt, message.is_some())) else {
            return;
        };
        expect(&answer, &[200, 202, 422]);
        let id = json(&answer)["id"].as_str().map(str::to_owned);
        self.sent.extend(id.clone().map(|id| (path, id)));
        self.messages.extend(message.map(|message| (path, message)));
        let kind = Kind::Send { id, hash: body.hash, is_feed: body.is_feed };
        self.log.put(Operation { kind, last: self.log.now(), told: told(&answer), ..attempt });
    }

    fn remove(&mut self, path: &'static str) {
        let (message, sequence, query) = self.query(path);
        let attempt = self.attempt(path, Kind::Remove, sequence);
        let target = format!("{}?{query}", url(path));
        let Some(answer) = self.until_answered("DELETE", &target, "", (&attempt, message.is_some())) else { return };
        expect(&answer, &[200, 204, 404]);
        let told = match answer.status {
            200 => told(&answer),
            404 if sequence.is_none() => Told::Refused,
            // Even if there was nothing, its sequence counts.
            _ => Told::Complete,
        };
        self.log.put(Operation { last: self.log.now(), told, ..attempt });
    }

    /// An operation that begins now.
    fn attempt(&self, path: &'static str, kind: Kind, sequence: Option<i64>) -> Operation {
        let first = self.log.now();
        Operation { path, kind, sequence, first, last: first, told: Told::Nothing }
    }

    fn cancel_one(&mut self) {
        if let Some(at) = self.random.below(64).checked_sub(1).and_then(|at| usize::try_from(at).ok())
            && let Some((path, id)) = self.sent.iter().rev().nth(at / 8).cloned()
            && !has_sequences(path)
        {
            self.cancel(path, &id);
        }
    }

    fn cancel(&self, path: &'static str, id: &str) {
        let first = self.log.now();
        let answer = self.ask("DELETE", &format!("/api/v1/uploads/{id}"), "");
        let last = self.log.now();
        let told = answer.map_or(Told::Nothing, |answer| {
            expect(&answer, &[204, 404]);
            if answer.status == 204 { Told::Complete } else { Told::Refused }
        });
        self.log.put(Operation { path, kind: Kind::Cancel(id.to_owned()), sequence: None, first, last, told });
    }

    /// Sends a message again that was answered, with another body. It changes nothing.
    fn repeat(&mut self) {
        let Some((path, message)) = self.messages.last().cloned() else { return };
        let body = self.body(path);
        let target = format!("{}?message={message}&sequence={}", url(path), i64::MAX);
        if let Some(answer) = self.ask("PUT", &target, &body.text) {
            expect(&answer, &[200]);
        }
    }

    /// Asks until there is an answer if it is a message, but not always. Logs attempts without an answer.
    fn until_answered(
        &mut self,
        method: &str,
        target: &str,
        body: &str,
        (attempt, is_message): (&Operation, bool),
    ) -> Option<Response> {
        loop {
            let answer = self.ask(method, target, body);
            if answer.is_some() {
                return answer;
            }
            self.log.put(Operation { last: self.log.now(), ..attempt.clone() });
            if !is_message || self.random.below(4) == 0 || self.log.has_failed() {
                return None;
            }
        }
    }

    /// A message, a sequence if the path takes them, and both as a query.
    fn query(&mut self, path: &str) -> (Option<String>, Option<i64>, String) {
        let message = format!("{}-{}", self.number, self.count);
        if has_sequences(path) {
            let late = [0, 0, 0, 1, 9][usize::try_from(self.random.below(5)).unwrap()];
            let sequence = self.log.next_sequence() - late;
            let query = format!("message={message}&sequence={sequence}");
            return (Some(message), Some(sequence), query);
        }
        match self.random.below(2) {
            0 => (None, None, String::new()),
            _ => (Some(message.clone()), None, format!("message={message}")),
        }
    }

    /// Now and then the same body again, one that is no feed, or a large one.
    fn body(&mut self, path: &str) -> Body {
        let place = PATHS.iter().position(|other| *other == path).unwrap();
        // On one of the paths every document can be used.
        let is_feed = place == 2 || self.random.below(5) > 0;
        let text = if is_feed {
            let (kind, rows) = (self.random.below(12), 1 + self.random.below(4));
            let (name, rows) = match kind {
                0 => (format!("n{}-{}", self.number, self.count), rows),
                1 => (format!("large{}", "x".repeat(1_900)), 150),
                same => (format!("n{}", same % 4), 2),
            };
            (0..rows).fold("sku,name\n".to_owned(), |text, row| text + &format!("p{place}-{row},{name}\n"))
        } else {
            NO_FEEDS[usize::try_from(self.random.below(3)).unwrap()].to_owned()
        };
        Body { hash: self.log.keep(&text), text, is_feed }
    }
}

#[track_caller]
fn expect(answer: &Response, statuses: &[u16]) {
    assert!(statuses.contains(&answer.status), "{}: {}", answer.status, answer.text());
}

fn json(answer: &Response) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

/// Reads what an answer says of a document.
fn told(answer: &Response) -> Told {
    let document = json(answer);
    let text = |member: &str| document[member].as_str().unwrap_or_default().to_owned();
    if answer.status == 422 {
        return Told::Failed(text("detail"));
    }
    match text("state").as_str() {
        "complete" => Told::Complete,
        "superseded" if document["id"].is_null() => Told::Refused,
        "failed" | "superseded" => Told::Failed(text("error")),
        "receiving" | "queued" | "processing" => Told::Stored,
        state => panic!("{state}: {document}"),
    }
}
