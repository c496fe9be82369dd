//! A file that is written to for ever, over HTTP.

use std::{
    fs::File,
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::Value;

use crate::support::{Source, wait_for};

/// The manifest's entry of the growing file.
fn entry(source: &Source) -> Value {
    let manifest = source.get("/sense/files").json();
    manifest["files"].as_array().unwrap().iter().find(|file| file["path"] == "till.csv").cloned().unwrap_or_default()
}

fn hash(content: &[u8]) -> String {
    format!("blake3:{}", blake3::hash(content).to_hex())
}

#[test]
fn a_growing_file_is_served_up_to_its_last_complete_record() {
    let source = Source::with(&[("old.csv", "sku\nold\n")], &["--settle", "200ms", "--max-settle", "300ms"]);
    let mut file = File::create(source.path("till.csv")).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let is_stopped = Arc::clone(&stop);
    let writer = std::thread::spawn(move || {
        file.write_all(b"sku\n").unwrap();
        for number in 0.. {
            if is_stopped.load(Ordering::Relaxed) {
                break;
            }
            for half in [format!("row {number}"), ",\n".to_owned()] {
                file.write_all(half.as_bytes()).unwrap();
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    });
    wait_for("a part", || entry(&source)["partial"] == true);
    // It may be offered anew between two requests.
    wait_for("the part that is listed", || {
        let entry = entry(&source);
        let tag = format!("\"{}\"", entry["hash"].as_str().unwrap());
        let whole = source.ask("GET", "/read/till.csv", &[("if-match", &tag)]);
        let end = source.ask("GET", "/read/till.csv", &[("if-match", &tag), ("range", "bytes=-2")]);
        if (whole.status.as_u16(), end.status.as_u16()) != (200, 206) {
            return false;
        }
        let body = whole.body.unwrap();
        assert_eq!(
            (Some(body.len() as u64), hash(&body).as_str()),
            (entry["size"].as_u64(), entry["hash"].as_str().unwrap())
        );
        assert_eq!(end.text(), ",\n");
        true
    });
    assert!(source.get("/read").text().contains("\nrow 0"));
    assert!(source.get("/metrics").text().contains("\ntributary_source_partial_files 1\n"));
    assert!(source.get("/").text().contains("being written"));
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    wait_for("the whole file", || entry(&source).get("partial").is_none());
    assert!(source.get("/metrics").text().contains("\ntributary_source_partial_files 0\n"));
}
