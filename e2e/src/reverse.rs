//! A reverse proxy with TLS before a master, set up as docs/guide/proxy.md says: its lines are taken from there.

use std::{
    fs::{self, File},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;
use tributary_testkit::wait;

use crate::block;

/// The name of the guide. [Browsers](crate::browse) take it for this machine.
pub const NAME: &str = "shop.example";
const PAGE: &str = "proxy.md";

/// A running proxy, stopped when this is dropped.
pub struct ReverseProxy {
    child: Child,
    /// Its address by the name of the guide, without a slash at the end.
    pub url: String,
    /// Its port.
    pub port: u16,
    folder: TempDir,
}

/// A free port, and the lines of the guide for `tributary.toml` with it. The guide's is the usual one, which needs no mention.
///
/// # Panics
/// There is no free port, or the guide says something else than expected.
#[must_use]
pub fn settings() -> (u16, String) {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = free.expect("there is a free port").port();
    let lines = block(PAGE, "toml", "allowed_hosts");
    (port, replaced(&lines, "https://shop.example", &format!("https://shop.example:{port}")))
}

impl ReverseProxy {
    /// Starts nginx on this port, before the server at this address.
    ///
    /// # Panics
    /// It does not start, or the guide says something else than expected, here and below.
    #[must_use]
    pub fn nginx(target: &str, port: u16) -> Self {
        Self::start(port, |folder| {
            let site = block(PAGE, "nginx", "server_name");
            let site = replaced(&site, "listen 443 ssl", &format!("listen 127.0.0.1:{port} ssl"));
            let site = replaced(&site, "/etc/ssl/shop.example.crt", &path(folder, "own.crt"));
            let site = replaced(&site, "/etc/ssl/shop.example.key", &path(folder, "own.key"));
            let site = replaced(&site, "http://127.0.0.1:5000", target);
            let bodies = path(folder, "bodies");
            let places = format!("access_log off; client_body_temp_path {bodies}; proxy_temp_path {bodies};");
            let begin = format!("user root; daemon off; pid {};", path(folder, "pid"));
            fs::write(folder.join("conf"), format!("{begin}\nevents {{}}\nhttp {{\n{places}\n{site}}}\n"))
                .expect("the configuration can be written");
            let mut nginx = Command::new("nginx");
            nginx.args(["-e", "stderr", "-c", &path(folder, "conf"), "-p", &path(folder, "")]);
            nginx
        })
    }

    /// Starts Caddy on this port, before the server at this address. Its certificate is the one of the test: it would ask an authority for one.
    #[must_use]
    pub fn caddy(target: &str, port: u16) -> Self {
        Self::start(port, |folder| {
            let own = format!("tls {} {}", path(folder, "own.crt"), path(folder, "own.key"));
            let site = block(PAGE, "text", "reverse_proxy");
            let site = replaced(&site, "shop.example {", &format!("shop.example:{port} {{\n    {own}"));
            let site = replaced(&site, "127.0.0.1:5000", target.trim_start_matches("http://"));
            let begin = "{\n    admin off\n    auto_https off\n}\n";
            fs::write(folder.join("Caddyfile"), format!("{begin}{site}")).expect("the configuration can be written");
            let mut caddy = Command::new("caddy");
            caddy.args(["run", "--config", &path(folder, "Caddyfile"), "--adapter", "caddyfile"]);
            caddy.env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
            caddy
        })
    }

    fn start(port: u16, command: impl FnOnce(&Path) -> Command) -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        make_certificate(folder.path());
        let log = File::create(folder.path().join("log")).expect("a log can be made");
        let mut command = command(folder.path());
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("the proxy starts");
        wait::until("the proxy listens", || {
            let said = || fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            assert!(matches!(child.try_wait(), Ok(None)), "the proxy has ended: {}", said());
            TcpStream::connect(("127.0.0.1", port)).ok().map(drop)
        });
        Self { child, url: format!("https://{NAME}:{port}"), port, folder }
    }

    /// The certificate of the proxy, which nobody else has signed.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("own.crt")
    }

    /// Begins a script in Python for which the name of the guide is this machine, and which trusts the proxy.
    #[must_use]
    pub fn python(&self, script: &str) -> String {
        let certificate = self.certificate();
        let names = ["REQUESTS_CA_BUNDLE", "WEBSOCKET_CLIENT_CA_BUNDLE", "SSL_CERT_FILE"];
        let trust = names.map(|name| format!("os.environ[{name:?}] = {certificate:?}\n")).concat();
        let resolve = format!(
            "known = socket.getaddrinfo\n\
             socket.getaddrinfo = lambda host, *more, **named: known('127.0.0.1' if host == '{NAME}' else host, *more, **named)\n"
        );
        format!("import os, socket\n{trust}{resolve}{script}")
    }
}

impl Drop for ReverseProxy {
    fn drop(&mut self) {
        // Its own processes end with it only if it is asked.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().expect("a temporary folder has a plain name").to_owned()
}

#[track_caller]
fn replaced(text: &str, old: &str, new: &str) -> String {
    assert!(text.contains(old), "the guide has no `{old}` any more: {text}");
    text.replace(old, new)
}

fn make_certificate(folder: &Path) {
    let names = format!(
        "[req]\ndistinguished_name=name\nx509_extensions=own\n[name]\n[own]\nbasicConstraints=critical,CA:FALSE\n\
         subjectAltName=DNS:{NAME},DNS:localhost\n"
    );
    fs::write(folder.join("names"), names).expect("a file can be written");
    let mut openssl = Command::new("openssl");
    openssl.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "30",
    ]);
    openssl.args(["-subj", &format!("/CN={NAME}"), "-config", "names", "-keyout", "own.key", "-out", "own.crt"]);
    let made = openssl.current_dir(folder).stderr(Stdio::null()).status();
    assert!(made.expect("openssl runs").success(), "openssl makes a certificate");
}
