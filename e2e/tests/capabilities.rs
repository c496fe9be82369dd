//! Paths of capabilities, read by DataFusion: the reader of a stock cluster's executors, which sends no token and several requests.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use e2e::python;
use serde_json::{Value, json};
use tempfile::TempDir;
use tributary_testkit::process::{self, Daemon};

const TOKEN: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
/// Enough that DataFusion reads the file in parts: it leaves smaller ones than 10 MiB whole.
const ROWS: u64 = 600_000;

/// A file of so many rows, its number of pieces, and its price in cents.
pub(crate) fn sales(rows: u64) -> (String, u64, u64) {
    let (mut text, mut pieces, mut cents) = ("department,pieces,price\n".to_owned(), 0, 0);
    for row in 0..rows {
        let (sold, price) = (row % 1_000, row * 37 % 1_000_000);
        text.push_str(&format!("Dept {},{sold},{}.{:02}\n", row % 97, price / 100, price % 100));
        (pieces, cents) = (pieces + sold, cents + price);
    }
    (text, pieces, cents)
}

/// Makes an authority and a certificate of 127.0.0.1, both in this folder: the reader's Python binding takes https alone.
fn certify(folder: &Path) {
    let openssl = |words: &str| {
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        let made = openssl.args(words.split(' ')).current_dir(folder).output().unwrap();
        assert!(made.status.success(), "{}", process::stderr(&made));
    };
    openssl("-keyout ca.key -out ca.pem -subj /CN=tests");
    openssl(
        "-CA ca.pem -CAkey ca.key -keyout own.key -out own.pem -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
         -addext basicConstraints=critical,CA:FALSE",
    );
}

fn source(folder: &Path) -> Daemon {
    let (token, feeds) = (folder.join("token"), folder.join("feeds"));
    fs::write(&token, format!("ann read {TOKEN}\n")).unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let mut source = process::command("data-source", folder);
    source.args(["--listen", "127.0.0.1:0", "--settle", "20ms", "--rescan", "200ms", "--token-file"]).arg(token);
    source.args(["--tls-cert", "own.pem", "--tls-key", "own.key", "--dir"]).arg(feeds).current_dir(folder);
    Daemon::start({
        source.env("RUST_LOG", "warn").stderr(Stdio::inherit());
        source
    })
}

#[test]
fn datafusion_reads_a_file_in_parts_and_never_mixes_two_contents() {
    let home = TempDir::new().unwrap();
    let folder = home.path();
    certify(folder);
    let (text, pieces, cents) = sales(ROWS);
    let (name, new) = ("~ sales 50%.csv", folder.join("new.csv"));
    fs::create_dir(folder.join("feeds")).unwrap();
    fs::write(folder.join("feeds").join(name), &text).unwrap();
    fs::write(&new, text.replace("Dept 1,", "Dept one,")).unwrap();
    let source = source(folder);
    let script = format!("import os\nos.environ['SSL_CERT_FILE'] = 'ca.pem'\n{}", include_str!("capabilities.py"));
    let printed = python(&script, &[&source.url, TOKEN, name, new.to_str().unwrap()], folder);
    let steps: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let price = format!("{}.{:02}", cents / 100, cents % 100);
    assert_eq!(steps[0], json!({"rows": ROWS, "pieces": pieces, "price": price}));
    let [changed, revoked] = [&steps[1], &steps[2]].map(|step| step["error"].as_str().expect("it fails"));
    assert!(changed.contains("412 Precondition Failed"), "{changed}");
    assert!(revoked.contains("403 Forbidden"), "{revoked}");
}
