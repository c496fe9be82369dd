//! Reads JSON of any length within bounds. The text is parsed while it arrives and never held; whatever exceeds a bound ends it.

use std::{
    io::{self, BufReader, Read},
    time::Duration,
};

use reqwest::Response;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tributary_pace::Pace;

use crate::{AnnouncedDigest, Error, error::public};

/// Longest body that is held and parsed at once: cheaper than a thread.
const MAX_HELD_BYTES: usize = 256 << 10;
/// Pieces that arrive while others are parsed.
const MAX_PIECES_AHEAD: usize = 8;
/// Bytes that an item takes from a share at least: a list of short texts takes several times its bytes in memory.
const MIN_ITEM_BYTES: u64 = 128;

/// Bounds of a JSON document whose members are lists: as a manifest's.
#[derive(Debug, Clone, Copy)]
pub struct JsonBounds {
    /// Most items of all lists together.
    pub items: u64,
    /// Longest item, and longest text of a member.
    pub item_bytes: usize,
    /// Longest document.
    pub bytes: u64,
    /// The longest time over which the speed of the document is measured.
    pub patience: Duration,
}

/// Reads a JSON body within bounds. `peer` names the kind of server that was expected, such as "a master". A body that is not short
/// asks `grow` for its bytes, which refuses them if there is no room.
///
/// # Errors
/// The body exceeds a bound, comes too slowly, is other JSON or none, or the connection breaks; [`Error::NoRoom`].
pub async fn read_json_within<T>(
    mut response: Response,
    bounds: JsonBounds,
    mut grow: impl FnMut(u64) -> bool,
    peer: &'static str,
) -> Result<T, Error>
where
    T: DeserializeOwned + Send + 'static,
{
    let url = public(response.url());
    let mut pace = Pace::new(bounds.patience);
    let mut digest = AnnouncedDigest::of(&response);
    let mut scanner = Scanner::new(bounds);
    let mut head = Vec::new();
    let mut is_complete = false;
    while !is_complete && head.len() <= MAX_HELD_BYTES {
        match next(&mut response, &mut pace, &url).await? {
            Some(chunk) => {
                digest.update(&chunk);
                scanner.scan(&chunk).map_err(|reason| Error::Unusable { url: url.clone(), reason })?;
                head.extend_from_slice(&chunk);
            }
            None => is_complete = true,
        }
    }
    let json = |cause| Error::Json { url: url.clone(), peer, cause };
    if is_complete {
        digest.check()?;
        return serde_json::from_slice(&head).map_err(json);
    }
    let (sender, pieces) = mpsc::channel(MAX_PIECES_AHEAD);
    let parse = move || serde_json::from_reader(BufReader::new(Pieces { current: head, read: 0, pieces }));
    let parsing = tokio::task::spawn_blocking(parse);
    let mut ends_early = false;
    while let Some(chunk) = next(&mut response, &mut pace, &url).await? {
        digest.update(&chunk);
        scanner.scan(&chunk).map_err(|reason| Error::Unusable { url: url.clone(), reason })?;
        if !grow(chunk.len() as u64 + scanner.take_lacking()) {
            return Err(Error::NoRoom { url });
        }
        // The parser ends early if it finds a fault.
        if sender.send(chunk).await.is_err() {
            ends_early = true;
            break;
        }
    }
    drop(sender);
    match parsing.await {
        Ok(parsed) if ends_early => parsed.map_err(json),
        // What the parser says of changed bytes would mislead.
        Ok(parsed) => digest.check().and(parsed.map_err(json)),
        Err(_) => {
            Err(Error::Unusable { url, reason: "with JSON that the parser panicked over; this is a bug".to_owned() })
        }
    }
}

/// The next piece of a body, unless it comes too slowly.
async fn next(response: &mut Response, pace: &mut Pace, url: &str) -> Result<Option<Vec<u8>>, Error> {
    let next = async { Ok(response.chunk().await?.map(Vec::from)) };
    let bytes = |chunk: &reqwest::Result<Option<Vec<u8>>>| match chunk {
        Ok(Some(chunk)) => chunk.len() as u64,
        // Its end is no reason to let it go.
        _ => u64::MAX / 2,
    };
    let chunk = pace.wait(next, bytes).await;
    let chunk = chunk.map_err(|cause| Error::TooSlow { url: url.to_owned(), cause })?;
    chunk.map_err(|error| Error::unanswered(url.to_owned(), &error))
}

/// A body that arrives in pieces.
struct Pieces {
    current: Vec<u8>,
    read: usize,
    pieces: mpsc::Receiver<Vec<u8>>,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.read == self.current.len() {
            let Some(next) = self.pieces.blocking_recv() else { return Ok(0) };
            (self.current, self.read) = (next, 0);
        }
        let read = (&self.current[self.read..]).read(buffer)?;
        self.read += read;
        Ok(read)
    }
}

/// Counts what a JSON document holds, byte by byte: before a parser allocates for it. It accepts what is no JSON; the parser does not.
struct Scanner {
    bounds: JsonBounds,
    /// Lists and objects that are open.
    depth: u32,
    in_text: bool,
    is_escaped: bool,
    items: u64,
    /// Bytes of the item so far.
    item: usize,
    bytes: u64,
    /// Bytes by which items were shorter than [`MIN_ITEM_BYTES`].
    lacking: u64,
}

impl Scanner {
    fn new(bounds: JsonBounds) -> Self {
        Self { bounds, depth: 0, in_text: false, is_escaped: false, items: 0, item: 0, bytes: 0, lacking: 0 }
    }

    /// The bytes by which items were shorter than they count, since this was asked for last.
    fn take_lacking(&mut self) -> u64 {
        std::mem::take(&mut self.lacking)
    }

    /// Looks at the next piece. The error is the reason, as in [`Error::Unusable`].
    fn scan(&mut self, piece: &[u8]) -> Result<(), String> {
        let JsonBounds { items, item_bytes, bytes, .. } = self.bounds;
        self.bytes += piece.len() as u64;
        if self.bytes > bytes {
            return Err(format!("with more than {bytes} bytes"));
        }
        for byte in piece {
            self.item += 1;
            if self.item > item_bytes {
                return Err(format!("with an item of more than {item_bytes} bytes"));
            }
            if self.in_text {
                self.in_text = self.is_escaped || *byte != b'"';
                self.is_escaped = !self.is_escaped && *byte == b'\\';
                continue;
            }
            let is_end = match byte {
                b'"' => {
                    self.in_text = true;
                    false
                }
                b'{' | b'[' => {
                    self.depth = self.depth.saturating_add(1);
                    self.items += u64::from(self.depth == 2);
                    self.depth <= 2
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.depth <= 2
                }
                b',' => {
                    self.items += u64::from(self.depth == 2);
                    self.depth <= 2
                }
                _ => false,
            };
            if is_end {
                // The comma behind an object is no item.
                if self.item > 1 {
                    self.lacking += MIN_ITEM_BYTES.saturating_sub(self.item as u64);
                }
                self.item = 0;
                if self.items > items {
                    return Err(format!("with lists of more than {items} items"));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use reqwest::{Method, Url};
    use serde_json::Value;
    use tributary_pace::MAX_PATIENCE;
    use tributary_testkit::faulty::{Answer, FaultySource};

    use super::*;
    use crate::{ClientOptions, Endpoint, expect_ok};

    const BOUNDS: JsonBounds = JsonBounds { items: 10, item_bytes: 50, bytes: 400, patience: MAX_PATIENCE };

    fn scanned(text: &str) -> Result<(), String> {
        // A bound must not depend on where the body is cut.
        let mut scanner = Scanner::new(BOUNDS);
        let by_byte = text.as_bytes().chunks(1).try_for_each(|piece| scanner.scan(piece));
        assert_eq!(by_byte.is_ok(), Scanner::new(BOUNDS).scan(text.as_bytes()).is_ok());
        by_byte
    }

    #[test]
    fn each_bound_is_exact() {
        let list = |item: &str, count: usize| format!(r#"{{"a":[{}]}}"#, vec![item; count].join(","));
        assert_eq!(scanned(&list(r#"{"b":[1,2,3],"c":"x,y"}"#, 10)), Ok(()));
        assert_eq!(scanned(&list("1", 11)), Err("with lists of more than 10 items".to_owned()));
        let two = r#"{"a":[1,2,3,4,5,6],"b":["1","2","3","4","5"]}"#;
        assert_eq!(scanned(two), Err("with lists of more than 10 items".to_owned()));
        let item = |length: usize| list(&format!("{{\"b\":\"{}\"}}", "x".repeat(length)), 2);
        assert_eq!(scanned(&item(40)), Ok(()));
        let too_long = Err("with an item of more than 50 bytes".to_owned());
        assert_eq!(scanned(&item(50)), too_long);
        // Neither brackets nor commas nor quotes in a text end an item.
        assert_eq!(scanned(&list(&format!("\"{}\"", r#"\"],[{,"#.repeat(9)), 1)), too_long);
        assert_eq!(scanned(&list(&"[".repeat(60), 1)), too_long);
        assert_eq!(scanned(&" ".repeat(60)), too_long);
        let long = list(r#"{"a":"0123456789012345678901234567890123456789"}"#, 9);
        assert_eq!(scanned(&long), Err("with more than 400 bytes".to_owned()));
    }

    /// Two bytes per second used to keep a source busy for five minutes.
    #[tokio::test]
    async fn a_body_that_drips_is_given_up() {
        let body = format!(r#"{{"a":"{}"}}"#, "x".repeat(40));
        let server = FaultySource::start(&[("/a", Answer::Drip("application/json", body.into()))]);
        let bounds = JsonBounds { patience: Duration::from_millis(500), ..BOUNDS };
        let error = ask(&server, bounds).await.unwrap_err();
        assert!(matches!(error, Error::TooSlow { .. }) && error.is_unanswered(), "{error}");
    }

    async fn read(body: String, bounds: JsonBounds) -> Result<Value, Error> {
        ask(&FaultySource::start(&[("/a", Answer::json(&body))]), bounds).await
    }

    async fn ask(server: &FaultySource, bounds: JsonBounds) -> Result<Value, Error> {
        let client = ClientOptions { user_agent: "test/1", idle_timeout: None, decompress: false }.build().unwrap();
        let endpoint = Endpoint::new(Url::parse(&server.url).unwrap(), None);
        let answered = endpoint.request(&client, Method::GET, "a").send().await;
        let mut taken = 0;
        let grow = |bytes| {
            taken += bytes;
            taken <= 20 << 20
        };
        let read = read_json_within(expect_ok(answered).await?, bounds, grow, "a test").await;
        if read.is_ok() {
            // What is held at once is free.
            assert!((taken == 0) == (bounds.bytes < MAX_HELD_BYTES as u64), "{taken}");
        }
        read
    }

    /// Texts of three bytes each took ten times that in memory, which nobody counted.
    #[test]
    fn a_short_item_counts_for_more_than_its_bytes() {
        let lacking = |items: &str| {
            let mut scanner = Scanner::new(JsonBounds { items: 1_000, item_bytes: 1_000, bytes: 100_000, ..BOUNDS });
            scanner.scan(format!(r#"{{"a":[{items}]}}"#).as_bytes()).unwrap();
            scanner.take_lacking()
        };
        let short = 100 * (MIN_ITEM_BYTES - 4);
        assert!((short..short + 4 * MIN_ITEM_BYTES).contains(&lacking(&[r#""a""#; 100].join(","))));
        let object = format!(r#"{{"path":"{}"}}"#, "x".repeat(200));
        assert!(lacking(&vec![object; 100].join(",")) < 4 * MIN_ITEM_BYTES);
        assert!(lacking(&vec![format!("\"{}\"", "x".repeat(200)); 100].join(",")) < 4 * MIN_ITEM_BYTES);
    }

    #[tokio::test]
    async fn a_long_body_is_parsed_while_it_arrives() {
        let bounds = JsonBounds { items: 100_000, item_bytes: 100, bytes: 10 << 20, ..BOUNDS };
        let body = format!(r#"{{"a":[{}]}}"#, vec![r#""some item of the list""#; 100_000].join(","));
        assert!(body.len() > 4 * MAX_HELD_BYTES);
        let value = read(body.clone(), bounds).await.unwrap();
        assert_eq!(value, serde_json::from_str::<Value>(&body).unwrap());
        let fewer = read(body.clone(), JsonBounds { items: 99_999, ..bounds }).await.unwrap_err().to_string();
        assert!(fewer.ends_with("answers with lists of more than 99999 items"), "{fewer}");
        let damaged = read(body.replacen("of", "\"", 60_000), bounds).await.unwrap_err().to_string();
        assert!(damaged.contains("does not answer as a test does"), "{damaged}");
    }
}
