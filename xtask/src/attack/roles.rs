//! Masters that only read, and the passwords of databases: nothing is written, nobody is sent to an address that a client chose, and no password
//! is shown.

use std::{
    fs,
    io::{Read, Write},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tributary_testkit::{
    http,
    process::{self, Daemon},
    wait,
};

use super::{Attack, How, stage::Stage};
use crate::processes;

pub(super) const ATTACKS: &[Attack] = &[
    Attack("8", "every changing route of a reader, under hosts and headers that a client chose", How::Alone(changes)),
    Attack("3", "bodies of half a terabyte to a reader", How::Alone(bodies)),
    Attack("8", "passwords of databases, in addresses that can be read and that cannot", How::Alone(passwords)),
];

/// Address of the active master, as others are told.
const ACTIVE: &str = "https://active.example";
const PASSWORD: &str = "S3cretOfTheShop";
const RUNS: [(&str, &[&str]); 5] =
    [("starter", &[]), ("readdb", &[]), ("master", &["--check"]), ("master", &["--once"]), ("master", &["--help"])];
/// Memory that a body may cost.
const MAX_ABOVE_IDLE: u64 = 16 << 20;
const METHODS: [&str; 4] = ["POST", "PUT", "PATCH", "DELETE"];
/// Pages, and routes that stand in no description.
const OTHER_ROUTES: [&str; 10] = [
    "/update",
    "/accept",
    "/clear",
    "/hide",
    "/undo",
    "/products/a",
    "/upload",
    "/upload/remove",
    "/api/v1/tus/",
    "/api/v1/tus/x",
];

/// An active master without sources, and a reader beside it.
struct Pair {
    active: Daemon,
    reader: Daemon,
    home: tempfile::TempDir,
}

impl Pair {
    fn start() -> Result<Self> {
        let home = tempfile::tempdir().context("failed to make a temporary folder")?;
        fs::write(home.path().join("tributary.toml"), "[compat]\n")?;
        let start = |name: &str, args: &[&str]| -> Result<Daemon> {
            let mut master = process::command("master", home.path());
            master.args(["--listen", "127.0.0.1:0"]).args(args).env("RUST_LOG", "warn");
            master.stderr(fs::File::create(home.path().join(name))?);
            Ok(Daemon::start(master))
        };
        let active = start("active.log", &["--public-url", ACTIVE])?;
        let reader = start("reader.log", &["--read-only"])?;
        wait::until("the reader knows the active master", || {
            let (_, body) = http::get(&format!("{}/readyz", reader.url)).ok()?;
            String::from_utf8_lossy(&body).contains(ACTIVE).then_some(())
        });
        Ok(Self { active, reader, home })
    }

    /// Lists of the active master that a change would alter.
    fn shown(&self) -> Result<Vec<Vec<u8>>> {
        let lists = ["/api/v1/products", "/api/v1/uploads"];
        lists.iter().map(|list| Ok(http::get(&format!("{}{list}", self.active.url))?.1)).collect()
    }
}

/// The routes of the API, with their parameters filled in, and those beside it.
fn routes(reader: &Daemon) -> Result<Vec<String>> {
    let described: Value = serde_json::from_slice(&http::get(&format!("{}/openapi.json", reader.url))?.1)?;
    let paths = described["paths"].as_object().context("the description of the API has no paths")?;
    let mut routes: Vec<_> = paths.keys().map(|path| path.replace(['{', '}'], "")).collect();
    routes.extend(OTHER_ROUTES.map(str::to_owned));
    Ok(routes)
}

fn changes() -> Result<String> {
    let pair = Pair::start()?;
    let before = pair.shown()?;
    let (mut sent_on, mut refused) = (0, 0);
    let liar = [
        ("Tus-Resumable", "1.0.0"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "ftp"),
        ("Forwarded", "host=evil.example"),
        ("X-Original-URL", "http://evil.example/"),
        ("Referer", "http://evil.example/"),
    ];
    for route in routes(&pair.reader)? {
        for method in METHODS {
            for host in ["localhost", "localhost:1", "evil.example"] {
                let headers = [&liar[..], &[("Host", host)]].concat();
                let answer = http::request(method, &format!("{}{route}", pair.reader.url), &headers, b"{}")?;
                let place = answer.header("location").map(str::to_owned);
                match answer.status {
                    307 => {
                        let expected = format!("{ACTIVE}{route}");
                        ensure!(place.as_deref() == Some(&expected), "{method} {route} was sent to {place:?}");
                        ensure!(host != "evil.example", "{method} {route} was sent on for a foreign host");
                        sent_on += 1;
                    }
                    400..=421 => {
                        ensure!(place.is_none(), "{method} {route} was sent to {place:?}");
                        refused += 1;
                    }
                    other => ensure!(method == "POST" && other == 200, "{method} {route} was answered with {other}"),
                }
            }
        }
    }
    ensure!(sent_on > 20, "only {sent_on} requests were sent on");
    ensure!(pair.shown()? == before, "something was changed");
    Ok(format!("{sent_on} sent on, {refused} refused"))
}

/// The longest time in which a reader takes in what it has refused, so that its answer is not lost.
const MAX_TAKING: Duration = Duration::from_secs(30);

fn bodies() -> Result<String> {
    let pair = Pair::start()?;
    let begin = fs::read_dir(pair.home.path())?.count();
    let idle = processes::memory(pair.reader.id())?;
    let mut taken = 0;
    for (request, kind) in [
        ("PUT /api/v1/documents/x.csv", "text/csv"),
        ("POST /api/v1/uploads?filename=x.csv", "text/csv"),
        ("POST /upload", "multipart/form-data; boundary=x"),
        ("PUT /api/v1/products/x", "application/json"),
    ] {
        let head = format!(
            "{request} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: 500000000000\r\n\r\n"
        );
        let mut stream = Stage::send(&pair.reader.url, head.as_bytes())?;
        let piece = vec![b'x'; 1 << 20];
        let begun = Instant::now();
        let sent =
            (0..476_800).take_while(|_| begun.elapsed() < MAX_TAKING && stream.write_all(&piece).is_ok()).count();
        ensure!(begun.elapsed() < MAX_TAKING, "{request}: more is taken after {} s", MAX_TAKING.as_secs());
        let mut answer = [0; 12];
        // A client that still sends may lose the answer.
        let is_answered = stream.read_exact(&mut answer).is_ok();
        ensure!(!is_answered || answer.ends_with(b"307"), "{request}: {}", String::from_utf8_lossy(&answer));
        taken = taken.max(sent);
    }
    let above = processes::peak_memory(pair.reader.id())?.saturating_sub(idle);
    ensure!(above <= MAX_ABOVE_IDLE, "the reader took {} MiB above idle", above >> 20);
    ensure!(fs::read_dir(pair.home.path())?.count() == begin, "a file was made");
    Ok(format!("{taken} MiB of 476,837 left the client; the reader took {} MiB", above >> 20))
}

/// Addresses with [`PASSWORD`], most of which can be read in two ways or in none. Nobody listens there.
fn addresses() -> Vec<String> {
    let (secret, place) = (PASSWORD, "127.0.0.1:1/shop");
    let mut addresses = vec![
        format!("postgres://{place}?user=shop&password={secret}"),
        format!("postgres://shop:{secret}@127.0.0.1:x/shop"),
        format!("postgres://shop:{secret}@[::1:1/shop"),
        format!("postgres://shop:{secret}@127.0.0.1:1"),
        format!("postgres://shop:{secret}@{place}/more"),
        format!("postgres://shop:{secret}@{place}?sslmode={}", "wrong"),
        format!("Postgres://shop:{secret}@{place}"),
        format!(" postgres://shop:{secret}@{place}"),
        format!("postgres:shop:{secret}@{place}"),
        format!("mysql://shop:{secret}@{place}"),
        format!("host=127.0.0.1 port=1 user=shop password={secret} dbname=shop"),
    ];
    let passwords = ["S", "a@S", "S/x", "S?x", "S%zz", "S#x", "S x", "S\nx", "[S", "%00S"];
    addresses.extend(passwords.map(|password| format!("postgres://shop:{}@{place}", password.replace('S', secret))));
    addresses
}

fn passwords() -> Result<String> {
    let mut tried = 0;
    for address in addresses() {
        let toml = format!("database_url = {}\n", Value::String(address.clone()));
        for (program, args) in RUNS {
            for is_in_file in [false, true] {
                let home = tempfile::tempdir().context("failed to make a temporary folder")?;
                let mut command = process::command(program, home.path());
                command.args(args).env("RUST_LOG", "trace");
                if is_in_file {
                    fs::write(home.path().join("tributary.toml"), &toml)?;
                } else {
                    command.env("DATABASE_URL", &address);
                }
                let output = command.output()?;
                let told = process::stdout(&output) + &process::stderr(&output);
                ensure!(!told.contains(PASSWORD), "{program} {args:?} shows the password of {address:?}: {told}");
                ensure!(args != ["--once"] || output.status.code() != Some(0), "{address:?} was used");
                for made in fs::read_dir(home.path())? {
                    let name = made?.file_name();
                    ensure!(!name.to_string_lossy().contains(PASSWORD), "{program} {args:?} made the file {name:?}");
                }
                tried += 1;
            }
        }
    }
    Ok(format!("{tried} runs"))
}
