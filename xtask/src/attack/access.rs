//! Access: tokens, roles, TLS.

use std::{
    fs::{self, File},
    io::{Read, Write},
    path::Path,
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tributary_testkit::{
    http,
    process::{self, Daemon},
};

use super::{Attack, How, clients::at_once, stage::Stage};

pub(super) const ATTACKS: &[Attack] = &[
    Attack("8", "tokens that can be guessed", How::Alone(weak_tokens)),
    Attack("8", "every route without a token, and with one of too weak a role", How::Alone(roles)),
    Attack("8", "320 wrong tokens from 32 connections", How::Alone(guessing)),
    Attack("9", "plain HTTP, noise and 200 silent handshakes on the port of TLS; a broken pair", How::Alone(tls)),
    Attack("9", "a source behind a certificate that nobody signed, and another one than pinned", How::Alone(pinned)),
];

const TOKENS: [(&str, &str); 4] = [
    ("read", "ann-q7Yh2mVt9Kp4Zx8Rb1Nc5"),
    ("edit", "bob-q7Yh2mVt9Kp4Zx8Rb1Nc5"),
    ("upload", "cid-q7Yh2mVt9Kp4Zx8Rb1Nc5"),
    ("admin", "dan-q7Yh2mVt9Kp4Zx8Rb1Nc5"),
];

/// Operations with the place of the weakest role in [`TOKENS`] that may do them.
const NEEDED: [(usize, &str, &str); 14] = [
    (0, "GET", "/"),
    (0, "GET", "/metrics"),
    (0, "GET", "/api/v1/products"),
    (0, "GET", "/api/v1/events"),
    (0, "GET", "/socket.io/?EIO=4&transport=polling"),
    (0, "GET", "/openapi.json"),
    (1, "POST", "/hide"),
    (1, "PUT", "/api/v1/products/x"),
    (1, "DELETE", "/api/v1/products/x/edit"),
    (2, "POST", "/upload"),
    (2, "PUT", "/api/v1/documents/x.csv"),
    (2, "DELETE", "/api/v1/uploads/x"),
    (3, "POST", "/accept"),
    (3, "POST", "/api/v1/sources/north/accept"),
];

fn home() -> Result<tempfile::TempDir> {
    tempfile::tempdir().context("failed to make a temporary folder")
}

fn master(home: &Path, args: &[&str]) -> Command {
    let mut master = process::command("master", home);
    master.args(["--listen", "127.0.0.1:0"]).args(args).env("RUST_LOG", "warn");
    master
}

/// Starts a program whose log goes to a file.
fn start(home: &Path, mut command: Command) -> Result<Daemon> {
    command.stderr(File::create(home.join("log"))?);
    Ok(Daemon::start(command))
}

fn error(output: &Output) -> String {
    process::stderr(output).trim().to_owned()
}

fn weak_tokens() -> Result<String> {
    let home = home()?;
    let long = "x".repeat(64);
    let mut told = String::new();
    for line in ["x", "ann x", "ann read secret", &long, "password1234"] {
        for program in ["master", "data-source"] {
            fs::write(home.path().join("tokens"), format!("{line}\n"))?;
            let mut command = process::command(program, home.path());
            command.args(["--listen", "127.0.0.1:0", "--token-file", "tokens"]);
            let output = if program == "master" {
                command
            } else {
                command.args(["--dir", "."]);
                command
            }
            .output()?;
            told = error(&output);
            ensure!(output.status.code() == Some(1) && told.contains("tokens"), "{program} with `{line}`: {told}");
            ensure!(!told.contains("password1234"), "the token stands in the error");
        }
    }
    Ok(told.lines().last().unwrap_or_default().to_owned())
}

/// A master with the tokens of [`TOKENS`].
fn guarded(home: &Path) -> Result<Daemon> {
    let lines: String = TOKENS.iter().map(|(role, token)| format!("{} {role} {token}\n", &token[..3])).collect();
    fs::write(home.join("tokens"), lines)?;
    start(home, master(home, &["--token-file", "tokens"]))
}

fn status(master: &Daemon, token: Option<&str>, method: &str, path: &str) -> Result<u16> {
    // Of a stream only the head is wanted.
    let host = master.url.trim_start_matches("http://");
    let line = token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
    let text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n{line}\r\n");
    let mut stream = Stage::send(&master.url, text.as_bytes())?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).with_context(|| format!("{method} {path} got no answer"))?;
    Ok(String::from_utf8_lossy(&head[9..]).parse()?)
}

fn roles() -> Result<String> {
    let home = home()?;
    let master = guarded(home.path())?;
    let mut asked = 0;
    let described = http::request(
        "GET",
        &format!("{}/openapi.json", master.url),
        &[("Authorization", &format!("Bearer {}", TOKENS[0].1))],
        b"",
    )?;
    let described: Value = serde_json::from_slice(&described.body)?;
    for path in described["paths"].as_object().context("the description of the API has no paths")?.keys() {
        let path = path.split('{').next().unwrap_or(path).to_owned() + if path.contains('{') { "x" } else { "" };
        let is_open = ["/healthz", "/readyz"].contains(&path.as_str());
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().filter(|_| !is_open) {
            let found = status(&master, None, method, &path)?;
            ensure!(found == 401, "{method} {path} without a token was answered with {found}");
            asked += 1;
        }
    }
    for (needed, method, path) in NEEDED {
        for (place, (role, token)) in TOKENS.iter().enumerate() {
            let found = status(&master, Some(token), method, path)?;
            let is_refused = found == 403;
            ensure!(
                is_refused == (place < needed) && found != 401,
                "{method} {path} with the role `{role}` was answered with {found}"
            );
            asked += 1;
        }
    }
    Ok(format!("{asked} requests"))
}

fn guessing() -> Result<String> {
    let home = home()?;
    let master = guarded(home.path())?;
    let url = format!("{}/api/v1/products", master.url);
    let begun = Instant::now();
    let (answered, slowest) = thread::scope(|scope| -> Result<(usize, f64)> {
        let guesses = scope.spawn(|| {
            at_once(32, |number| {
                let mut answered = 0;
                for guess in 0..10 {
                    let token = format!("Bearer {number}-{guess}-wrong-token");
                    let answer = http::request("GET", &url, &[("Authorization", &token)], b"")?;
                    ensure!([401, 429].contains(&answer.status), "a wrong token was answered with {}", answer.status);
                    answered += usize::from(answer.status == 401);
                }
                Ok(answered)
            })
        });
        let mut slowest = 0.0_f64;
        while !guesses.is_finished() {
            let asked = Instant::now();
            let answer = http::request("GET", &url, &[("Authorization", &format!("Bearer {}", TOKENS[0].1))], b"")?;
            ensure!(answer.status == 200, "the right token was answered with {}", answer.status);
            slowest = slowest.max(asked.elapsed().as_secs_f64());
            thread::sleep(Duration::from_millis(20));
        }
        let counts = guesses.join().map_err(|_| anyhow::anyhow!("a client panicked"))??;
        Ok((counts.into_iter().sum(), slowest))
    })?;
    ensure!(answered < 200, "{answered} of 320 guesses were judged");
    ensure!(slowest < 1.0, "the right token waited {slowest:.1} s");
    let seconds = begun.elapsed().as_secs_f64();
    Ok(format!("{answered} guesses judged in {seconds:.0} s; the right token waited {slowest:.2} s at most"))
}

/// Writes a key and a certificate that nobody signed.
fn certificate(home: &Path, name: &str) -> Result<()> {
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    fs::write(home.join(format!("{name}.crt")), key.cert.pem())?;
    fs::write(home.join(format!("{name}.key")), key.signing_key.serialize_pem())?;
    Ok(())
}

fn tls() -> Result<String> {
    let home = home()?;
    certificate(home.path(), "a")?;
    let refused = master(home.path(), &["--tls-cert", "a.crt", "--tls-key", "none.key"]).output()?;
    ensure!(refused.status.code() == Some(1) && error(&refused).contains("none.key"), "{}", error(&refused));
    let master =
        start(home.path(), master(home.path(), &["--tls-cert", "a.crt", "--tls-key", "a.key", "--patience", "1s"]))?;
    ensure!(master.url.starts_with("https://"), "{}", master.url);
    let plain = master.url.replace("https://", "http://");
    for noise in [&b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..], &[0x16, 0x03, 0x01, 0xff, 0xff], &[0xff; 70_000]] {
        let mut answer = Vec::new();
        let _ = Stage::send(&plain, noise)?.read_to_end(&mut answer);
        ensure!(!answer.starts_with(b"HTTP/"), "plain HTTP was answered");
    }
    let silent = (0..200).map(|_| Stage::send(&plain, b"\x16\x03\x01")).collect::<Result<Vec<_>>>()?;
    let shake = || {
        let mut client = Command::new("openssl");
        client.args([
            "s_client",
            "-connect",
            plain.trim_start_matches("http://"),
            "-CAfile",
            "a.crt",
            "-verify_return_error",
            "-brief",
        ]);
        client.current_dir(home.path()).stdin(std::process::Stdio::null()).output().context("failed to run openssl")
    };
    let begun = Instant::now();
    ensure!(shake()?.status.success(), "no handshake beside silent ones");
    let took = begun.elapsed().as_secs_f64();
    fs::File::create(home.path().join("a.key"))?.write_all(b"no key")?;
    let broken = Instant::now();
    while !fs::read_to_string(home.path().join("log"))?.contains("stays in force") {
        ensure!(broken.elapsed() < Duration::from_secs(60), "a broken pair is not logged");
        thread::sleep(Duration::from_millis(50));
    }
    ensure!(shake()?.status.success(), "the old certificate is not in force any more");
    drop(silent);
    Ok(format!("a handshake in {took:.2} s meanwhile"))
}

fn pinned() -> Result<String> {
    let home = home()?;
    certificate(home.path(), "a")?;
    fs::create_dir(home.path().join("north"))?;
    fs::write(home.path().join("north/feed.csv"), "sku,name\na,A\n")?;
    let mut source = process::command("data-source", home.path());
    source.args(["--listen", "127.0.0.1:0", "--dir", "north", "--tls-cert", "a.crt", "--tls-key", "a.key"]);
    let source = start(home.path(), source)?;
    let once = |line: &str| -> Result<Output> {
        let section = format!("[[source]]\nname = \"north\"\nurl = \"{}\"\n{line}\n", source.url);
        fs::write(home.path().join("tributary.toml"), section)?;
        Ok(process::command("master", home.path()).arg("--once").output()?)
    };
    let unknown = once("")?;
    ensure!(unknown.status.code() == Some(1), "a certificate that nobody signed is trusted");
    let other = once(&format!("pin = \"sha256:{}\"", "ab".repeat(32)))?;
    let told = process::stdout(&other) + &error(&other);
    let place =
        told.find("but sha256:").with_context(|| format!("the error does not say which certificate came: {told}"))?;
    let pin = &told[place + "but ".len()..place + "but sha256:".len() + 64];
    let right = once(&format!("pin = \"{pin}\""))?;
    ensure!(right.status.success(), "the pinned certificate is refused: {}{}", process::stdout(&right), error(&right));
    Ok(String::new())
}
