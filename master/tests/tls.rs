//! TLS: pages, API, streams and sources over it, other certificates without a restart, and whom a master trusts.

use std::{fs, path::PathBuf, str::FromStr, time::Duration};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use reqwest::{Method, Response, StatusCode, header};
use tributary_http_client::{ClientOptions, Trust};
use tributary_testkit::{
    process::{self, Daemon},
    wait,
};
use tributary_tls::Pin;

use crate::system::System;

/// Certificates in a folder: those of two servers, signed by one authority.
struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    fn new(system: &System) -> Self {
        let folder = system.folder("certificates");
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        fs::write(folder.join("ca.crt"), params.self_signed(&key).unwrap().pem()).unwrap();
        let issuer = Issuer::new(params, key);
        for (file, names) in [("here", &["localhost", "127.0.0.1"][..]), ("there", &["there.example"])] {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let key = KeyPair::generate().unwrap();
            let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
            fs::write(folder.join(format!("{file}.crt")), certificate.pem()).unwrap();
            fs::write(folder.join(format!("{file}.key")), key.serialize_pem()).unwrap();
        }
        Self { folder }
    }

    fn path(&self, file: &str) -> String {
        self.folder.join(file).to_str().unwrap().to_owned()
    }

    fn flags(&self, server: &str) -> [String; 4] {
        let (certificate, key) = (self.path(&format!("{server}.crt")), self.path(&format!("{server}.key")));
        ["--tls-cert".to_owned(), certificate, "--tls-key".to_owned(), key]
    }

    /// As openssl gives it.
    fn pin(&self, server: &str) -> String {
        let pem = fs::read_to_string(self.path(&format!("{server}.crt"))).unwrap();
        let trust = rustls_certificate(&pem);
        Pin::of(&trust).to_string()
    }
}

fn rustls_certificate(pem: &str) -> rustls::pki_types::CertificateDer<'static> {
    use rustls::pki_types::pem::PemObject;
    rustls::pki_types::CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

fn daemon(system: &System, program: &str, args: &[&str], flags: &[String]) -> Daemon {
    let mut command = system.command(program, &["--listen", "127.0.0.1:0"]);
    command.args(args).args(flags).env("RUST_LOG", "info");
    command.stderr(fs::File::create(system.folder("logs").join(program)).unwrap());
    Daemon::start(command)
}

async fn ask(trust: &Trust, method: Method, url: &str) -> Result<Response, reqwest::Error> {
    let options = ClientOptions { user_agent: "test", idle_timeout: Some(Duration::from_secs(30)), decompress: false };
    options.build_trusting(trust).unwrap().request(method, url).send().await
}

/// The error of the only source; empty if there is none.
fn source_error(system: &System) -> String {
    system.table("sources").first().and_then(|source| source["error"].as_str()).unwrap_or_default().to_owned()
}

fn follow(system: &System, url: &str, lines: &str) {
    system.configure(&format!("[[source]]\nname = \"north\"\nurl = \"{url}\"\n{lines}\n"));
}

#[test]
fn a_master_trusts_an_authority_or_one_certificate_of_a_source() {
    let system = System::new();
    let certificates = Certificates::new(&system);
    system.write("north", "feed.csv", "sku,name\na,x\nb,y\n");
    let dir = system.folder("north");
    let serve = |server: &str| {
        let args = ["--settle", "20ms", "--dir", dir.to_str().unwrap()];
        daemon(&system, "data-source", &args, &certificates.flags(server))
    };
    let here = serve("here");
    assert!(here.url.starts_with("https://127.0.0.1:"), "{}", here.url);
    let authority = format!("ca_file = {:?}", certificates.path("ca.crt"));
    let pin = |server: &str| format!("pin = \"{}\"", certificates.pin(server));
    let refused = |url: &str, lines: &str, expect: &[&str]| {
        follow(&system, url, lines);
        assert_eq!(system.run("master", &["--once"]).status.code(), Some(1));
        let error = source_error(&system);
        assert!(expect.iter().all(|part| error.contains(part)), "{lines}: {error}");
    };
    let accepted = |url: &str, lines: &str| {
        follow(&system, url, lines);
        let output = system.run("master", &["--once"]);
        assert!(output.status.success(), "{lines}: {}", process::stdout(&output));
    };
    refused(&here.url, "", &["the certificate of https://127.0.0.1:", "no authority", "`ca_file`"]);
    refused(&here.url, &pin("there"), &["is not the pinned one but sha256:", &certificates.pin("here")]);
    refused(&here.url.replace("https", "http"), "", &["127.0.0.1"]);
    assert_eq!(system.products().len(), 0);
    accepted(&here.url, &authority);
    assert_eq!(system.products().len(), 2);
    accepted(&here.url, &pin("here"));
    let there = serve("there");
    refused(&there.url, &authority, &["it is not for this name, `127.0.0.1`, but for there.example"]);
    accepted(&there.url, &pin("there"));
    for (lines, why) in [
        ("ca_file = \"none.pem\"", "failed to read"),
        ("pin = \"sha256:00\"", "64 hex digits"),
        (&*format!("{authority}\n{}", pin("here")), "leave `ca_file` out"),
    ] {
        follow(&system, &here.url, lines);
        let output = system.run("master", &["--check"]);
        assert!(output.status.code() == Some(2) && process::stderr(&output).contains(why), "{output:?}");
    }
    follow(&system, "http://127.0.0.1:1", &pin("here"));
    assert!(process::stderr(&system.run("master", &["--check"])).contains("write https://"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_streams_and_sockets_come_over_tls() {
    let system = System::new();
    let certificates = Certificates::new(&system);
    let master = daemon(&system, "master", &[], &certificates.flags("here"));
    let trust = Trust::read(&certificates.folder.join("ca.crt")).unwrap();
    let port = master.url.rsplit(':').next().unwrap();
    // The guard compares with the server's end of the connection, which lies below TLS.
    for host in ["127.0.0.1", "localhost"] {
        for path in ["/", "/healthz", "/readyz", "/api/v1/products", "/socket.io/?EIO=4&transport=polling"] {
            let answer = ask(&trust, Method::GET, &format!("https://{host}:{port}{path}")).await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK, "{host} {path}");
            assert!(answer.headers().get(header::STRICT_TRANSPORT_SECURITY).is_none());
        }
    }
    let mut events = ask(&trust, Method::GET, &format!("{}/api/v1/events", master.url)).await.unwrap();
    assert!(String::from_utf8_lossy(&events.chunk().await.unwrap().unwrap()).contains("retry: 1000"));
    assert_eq!(put(&trust, &master.url, &[]).await, StatusCode::CREATED);
    let mut told = String::new();
    while !told.contains("event: edit") {
        told += &String::from_utf8_lossy(&events.chunk().await.unwrap().unwrap());
    }
    // `Origin` of the same site has the scheme of the page.
    let origin = [("origin", master.url.as_str()), ("sec-fetch-site", "same-origin")];
    assert_eq!(put(&trust, &master.url, &origin).await, StatusCode::OK);
    assert_eq!(put(&trust, &master.url, &[("origin", "https://other.example")]).await, StatusCode::FORBIDDEN);
    let options = ClientOptions { user_agent: "test", idle_timeout: None, decompress: false };
    let socket = options.build_trusting(&trust).unwrap();
    let socket = socket.get(format!("{}/socket.io/?EIO=4&transport=websocket", master.url));
    let socket = socket.header("connection", "upgrade").header("upgrade", "websocket");
    let socket = socket.header("sec-websocket-version", "13").header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(socket.send().await.unwrap().status(), StatusCode::SWITCHING_PROTOCOLS);
    assert!(ask(&trust, Method::GET, &master.url.replace("https", "http")).await.is_err(), "it speaks nothing but TLS");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sales_gateway_has_the_certificate_of_the_pages() {
    let system = System::new();
    let certificates = Certificates::new(&system);
    let gateway = ["--sales-gateway", "127.0.0.1:0", "--sales-gateway-origin", "https://shop.example"];
    let _master = daemon(&system, "master", &gateway, &certificates.flags("here"));
    let trust = Trust::read(&certificates.folder.join("ca.crt")).unwrap();
    let log = system.folder("logs").join("master");
    let address = wait::until("the address of the gateway", || process::logged_address(&log, "gateway"));
    assert_eq!(ask(&trust, Method::GET, &format!("https://{address}/")).await.unwrap().status(), StatusCode::OK);
    assert!(ask(&trust, Method::GET, &format!("http://{address}/")).await.is_err(), "it speaks nothing but TLS");
}

async fn put(trust: &Trust, url: &str, headers: &[(&str, &str)]) -> StatusCode {
    let options = ClientOptions { user_agent: "test", idle_timeout: None, decompress: false };
    let request = options.build_trusting(trust).unwrap().put(format!("{url}/api/v1/products/a"));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(r#"{"name":"n","description":"d"}"#).send().await.unwrap().status()
}

#[test]
fn publish_and_relay_trust_an_authority_or_one_certificate_of_a_master() {
    let system = System::new();
    let certificates = Certificates::new(&system);
    let master = daemon(&system, "master", &[], &certificates.flags("here"));
    let (authority, pin) = (certificates.path("ca.crt"), certificates.pin("here"));
    system.write("north", "a.csv", "sku,name\na,x\n");
    let file = system.folder("north").join("a.csv");
    let publish = |flags: &[&str], variables: &[(&str, &str)], code: i32, expect: &str| {
        let mut command = system.command("publish", &[file.to_str().unwrap(), "--replace", "--to", &master.url]);
        let output = command.args(flags).envs(variables.iter().copied()).output().unwrap();
        let text = process::stdout(&output) + &process::stderr(&output);
        assert!(output.status.code() == Some(code) && text.contains(expect), "{flags:?} {variables:?}: {text}");
    };
    publish(&[], &[], 1, "no authority that this machine knows has signed it; add");
    publish(&["--pin", &certificates.pin("there")], &[], 1, "is not the pinned one but sha256:");
    publish(&["--ca-file", "none.pem"], &[], 2, "failed to read none.pem");
    publish(&["--ca-file", &authority], &[], 0, "complete");
    publish(&["--pin", &pin], &[], 0, "complete");
    publish(&[], &[("TRIBUTARY_CA_FILE", &authority)], 0, "complete");
    publish(&[], &[("TRIBUTARY_PIN", &pin)], 0, "complete");
    // Nothing listens on port 1, so a relay that trusts the master fails at the broker.
    let relay = |flags: &[&str], expect: &str| {
        let log = system.folder("logs").join("relay");
        let mut command = system.command("relay", &["--amqp", "amqp://127.0.0.1:1", "--to", &master.url]);
        command.args(flags).env("RUST_LOG", "info").stderr(fs::File::create(&log).unwrap());
        let mut relay = command.spawn().unwrap();
        wait::until(expect, || fs::read_to_string(&log).unwrap().contains(expect).then_some(()));
        relay.kill().and_then(|()| relay.wait()).unwrap();
    };
    relay(&[], "no authority that this machine knows has signed it");
    relay(&["--ca-file", &authority], "the broker amqp://127.0.0.1:1 cannot be reached");
    relay(&["--pin", &pin], "the broker amqp://127.0.0.1:1 cannot be reached");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_certificate_needs_no_restart() {
    let system = System::new();
    let certificates = Certificates::new(&system);
    let pinned = |server: &str| Trust::pinned(Pin::from_str(&certificates.pin(server)).unwrap());
    let (here, there) = (pinned("here"), pinned("there"));
    let master = daemon(&system, "master", &[], &certificates.flags("here"));
    let url = format!("{}/healthz", master.url);
    assert!(ask(&here, Method::GET, &url).await.is_ok() && ask(&there, Method::GET, &url).await.is_err());
    let log = || fs::read_to_string(system.folder("logs").join("master")).unwrap();
    fs::copy(certificates.path("there.crt"), certificates.path("here.crt")).unwrap();
    wait::until("the half of a pair is noticed", || log().contains("the old certificate stays in force").then_some(()));
    assert!(log().contains("another certificate"), "{}", log());
    assert!(ask(&here, Method::GET, &url).await.is_ok(), "the old one is in force");
    fs::copy(certificates.path("there.key"), certificates.path("here.key")).unwrap();
    wait::until("the new pair is in force", || log().contains("here.crt is in force").then_some(()));
    assert!(ask(&there, Method::GET, &url).await.is_ok() && ask(&here, Method::GET, &url).await.is_err());
}

#[test]
fn wrong_files_are_named_at_the_start() {
    let system = System::new();
    let certificates = Certificates::new(&system);
    let check = |args: &[&str], code: i32, expect: &str| {
        for program in ["master", "data-source"] {
            let dir = system.folder("north");
            let dir = ["--dir", dir.to_str().unwrap()];
            let own: &[&str] = if program == "master" { &[] } else { &dir };
            let output = system.run(program, &[&["--listen", "127.0.0.1:0"], own, args].concat());
            let error = process::stderr(&output);
            assert!(output.status.code() == Some(code) && error.contains(expect), "{program} {args:?}: {error}");
        }
    };
    let (certificate, key) = (certificates.path("here.crt"), certificates.path("there.key"));
    check(&["--tls-cert", &certificate], 2, "without `tls_key`");
    check(&["--tls-key", &key], 2, "without `tls_cert`");
    check(&["--tls-cert", &certificate, "--tls-key", &key], 1, "another certificate");
    check(&["--tls-cert", "none.crt", "--tls-key", &key], 1, "none.crt");
}

#[test]
fn one_environment_file_serves_both_servers() {
    let system = System::new();
    let certificates = Certificates::new(&system);
    let dir = system.folder("north");
    let variables = [
        ("TRIBUTARY_LISTEN", "127.0.0.1:1".to_owned()),
        ("TRIBUTARY_MASTER_LISTEN", "127.0.0.1:0".to_owned()),
        ("TRIBUTARY_SOURCE_LISTEN", "localhost:0".to_owned()),
        ("TRIBUTARY_SOURCE_TLS_CERT", certificates.path("here.crt")),
        ("TRIBUTARY_SOURCE_TLS_KEY", certificates.path("here.key")),
        ("TRIBUTARY_DIR", dir.to_str().unwrap().to_owned()),
    ];
    let start = |program: &str, variables: &[(&str, String)]| {
        let mut command = system.command(program, &[]);
        command.envs(variables.iter().map(|(name, value)| (*name, value))).env("RUST_LOG", "error");
        Daemon::start(command)
    };
    assert!(start("master", &variables).url.starts_with("http://"));
    assert!(start("data-source", &variables).url.starts_with("https://"));
    let older = [("TRIBUTARY_LISTEN", "localhost:0".to_owned()), variables[5].clone()];
    for program in ["master", "data-source"] {
        assert!(start(program, &older).url.starts_with("http://127.0.0.1:"), "the older name still counts");
    }
}
