//! The cost for a master of following 500 sources in which nothing changes. This program plays the sources, because 500 data-sources would
//! take the processor that is measured.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tributary_testkit::process::{self, Daemon};

use crate::bench::{
    figures::{mebibytes, seconds},
    running::fresh,
    table::Row,
    usage,
    waiting::until,
};

const SOURCES: usize = 500;
/// The time of the measurement.
const WATCHED: Duration = Duration::from_secs(30);
/// The part of one core that the master may take.
const MAX_CORE: f64 = 0.10;
/// The longest time between two requests to one source.
const MAX_GAP: Duration = Duration::from_secs(15);

/// Measures the line `sources`.
pub(super) fn measure(home: &Path) -> Result<Vec<Row>> {
    eprintln!("watching a master of {SOURCES} sources for {WATCHED:?}");
    let sources = Sources::start()?;
    let folder = home.join("many");
    fresh(&folder)?;
    let mut config = "database_url = \"database.db\"\nlisten = \"127.0.0.1:0\"\n".to_owned();
    for source in 0..SOURCES {
        writeln!(config, "[[source]]\nname = \"source {source}\"\nurl = \"{}/{source}\"", sources.url)?;
    }
    fs::write(folder.join("tributary.toml"), config)?;
    let mut command = process::command("master", &folder);
    command.env("RUST_LOG", "error");
    let master = Daemon::start(command);
    until("every source is applied and asked to hold its answer", Duration::from_millis(100), || {
        Ok(sources.all_held().then_some(()))
    })?;
    let (begun, before) = (Instant::now(), usage::cpu_so_far(master.id())?);
    thread::sleep(WATCHED);
    let (watched, cpu) = (begun.elapsed(), usage::cpu_so_far(master.id())? - before);
    let (part, gap) = (cpu.as_secs_f64() / watched.as_secs_f64(), sources.longest_gap(begun));
    let row = Row {
        what: format!("sources: {SOURCES} sources, nothing changing, for {} s", WATCHED.as_secs()),
        wall: format!("each is asked at least every {}", seconds(gap)),
        cpu: format!("{:.1} % of one core", part * 100.0),
        memory: mebibytes(usage::peak_so_far(master.id())?),
        ..Row::default()
    };
    Ok(vec![row.target("<= 10 % of one core, <= 15 s", part <= MAX_CORE && gap <= MAX_GAP)])
}

/// All sources: one server with a path for each.
struct Sources {
    url: String,
    /// The requests to each source. A lock is held only to add or read one.
    asked: Arc<Vec<Mutex<Asked>>>,
}

/// The requests to a source.
#[derive(Default)]
struct Asked {
    at: Vec<Instant>,
    /// Whether it was asked to wait for a version other than its own, which is then applied.
    is_held: bool,
}

impl Sources {
    /// Starts a server that ends with this program.
    fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("failed to listen")?;
        let url = format!("http://{}", listener.local_addr()?);
        let asked: Arc<Vec<Mutex<Asked>>> = Arc::new((0..SOURCES).map(|_| Mutex::default()).collect());
        let shared = asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let asked = shared.clone();
                // A held answer is a sleeping thread. If none can be started, the connection closes and the master retries.
                let _ = thread::Builder::new().stack_size(128 << 10).spawn(move || serve(stream, &asked));
            }
        });
        Ok(Self { url, asked })
    }

    fn all_held(&self) -> bool {
        self.asked.iter().all(|asked| asked.lock().is_ok_and(|asked| asked.is_held))
    }

    /// The longest time between two requests to one source, from `begun` until now.
    fn longest_gap(&self, begun: Instant) -> Duration {
        let gap = |asked: &Mutex<Asked>| {
            let mut times = asked.lock().map(|asked| asked.at.clone()).unwrap_or_default();
            times.push(Instant::now());
            let since = times.iter().position(|at| *at >= begun).unwrap_or_default().saturating_sub(1);
            times[since..].windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
        };
        self.asked.iter().map(gap).max().unwrap_or_default()
    }
}

/// Answers the requests of one connection until it is closed.
fn serve(mut stream: TcpStream, asked: &[Mutex<Asked>]) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    loop {
        let request = lines.next()?.ok()?;
        while !lines.next()?.ok()?.is_empty() {}
        let target = request.split(' ').nth(1)?.trim_start_matches('/');
        let (source, path) = target.split_once('/')?;
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let (kind, body) = answer(source.parse().ok()?, path, query, asked)?;
        let length = body.len();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all([head, body].concat().as_bytes()).ok()?;
    }
}

/// Answers as a source that never changes. An unknown path closes the connection.
fn answer(source: usize, path: &str, query: &str, asked: &[Mutex<Asked>]) -> Option<(&'static str, String)> {
    let content = format!("sku,name\np{source},Product {}\n", source % 50);
    let hash = blake3::hash(content.as_bytes()).to_hex();
    let size = content.len();
    match path {
        "sense" => {
            let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            let knows = parameter("since") == Some(hash.as_str());
            let wait = parameter("wait").and_then(|wait| wait.parse().ok()).unwrap_or(0.0);
            let mut noted = asked.get(source)?.lock().ok()?;
            noted.at.push(Instant::now());
            noted.is_held |= knows && wait > 0.0;
            drop(noted);
            if knows {
                thread::sleep(Duration::try_from_secs_f64(wait).ok()?);
            }
            let status = u8::from(!knows);
            Some(("application/json", format!(r#"{{"status":{status},"version":"{hash}","files":1,"bytes":{size}}}"#)))
        }
        "sense/files" => Some((
            "application/json",
            format!(
                r#"{{"version":"{hash}","files":[{{"path":"feed.csv","size":{size},"modified":"2026-01-01T00:00:00Z","hash":"blake3:{hash}"}}]}}"#
            ),
        )),
        "read/feed.csv" => Some(("text/csv", content)),
        _ => None,
    }
}
