//! Uploads whose bytes the disk does not take: they fail as a whole, nothing of them stays, and those that come in parts are gone on with.

use std::fs;

use tributary_testkit::{
    http::{self, Response},
    process::limit_file_size,
    wait,
};

use super::is_ready;
use crate::system::System;

const ROWS: usize = 3_000;
/// Sizes beyond which no file may grow: less than all files, and more than the log but less than the upload.
const LIMITS: [u64; 5] = [0, 1_000, 900_000, 1 << 20, 2 << 20];

fn feed(word: &str) -> String {
    let text = "x".repeat(1_000);
    (0..ROWS).fold("sku,name,description\n".to_owned(), |feed, row| feed + &format!("{word}{row},{word},{text}\n"))
}

/// Does something while no file may grow beyond this, and waits until all is well afterwards.
fn limited<T>(system: &System, bytes: u64, act: impl FnOnce() -> T) -> T {
    limit_file_size(system.master_id(), Some(bytes));
    let done = act();
    limit_file_size(system.master_id(), None);
    wait::until("it can write again", || is_ready(system).then_some(()));
    done
}

fn products(system: &System, name: &str) -> u64 {
    let aggr = system.json(&format!("/api/v1/aggr?q={name}"));
    aggr["items"].as_array().unwrap().iter().filter_map(|row| row["no_of_products"].as_u64()).sum()
}

fn files(system: &System) -> usize {
    fs::read_dir(system.beside("uploads")).map_or(0, |files| files.count())
}

#[test]
fn a_document_that_cannot_be_written_leaves_nothing() {
    let mut system = System::new();
    system.start_master(&[]);
    for (number, limit) in LIMITS.into_iter().enumerate() {
        let (word, path) = (format!("w{number}x"), format!("/api/v1/documents/d{number}.csv"));
        let refused = limited(&system, limit, || system.ask("PUT", &path, &feed(&word)));
        assert!(matches!(refused.status, 500 | 503), "{}", refused.text());
        assert_eq!(system.ask("GET", &path, "").status, 404, "below {limit} bytes");
        assert_eq!((products(&system, &word), files(&system)), (0, number), "below {limit} bytes");
        assert_eq!(system.ask("PUT", &format!("{path}?wait=applied"), &feed(&word)).status, 200);
        assert_eq!((products(&system, &word), files(&system)), (ROWS as u64, number + 1));
    }
}

/// `u0.csv` to `u4.csv`, in Base64.
const NAMES: [&str; LIMITS.len()] = ["dTAuY3N2", "dTEuY3N2", "dTIuY3N2", "dTMuY3N2", "dTQuY3N2"];

fn tus(system: &System, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
    let headers: Vec<_> = [("Tus-Resumable", "1.0.0")].into_iter().chain(headers.iter().copied()).collect();
    http::request(method, &system.master_url(path), &headers, body.as_bytes()).unwrap()
}

#[test]
fn a_part_that_cannot_be_written_is_sent_again() {
    let mut system = System::new();
    system.start_master(&[]);
    for (number, (limit, name)) in LIMITS.into_iter().zip(NAMES).enumerate() {
        let word = format!("w{number}x");
        let body = feed(&word);
        let (length, name) = (body.len().to_string(), format!("filename {name}"));
        let announce =
            || tus(&system, "POST", "/api/v1/tus/", &[("Upload-Length", &length), ("Upload-Metadata", &name)], "");
        // Only the database is written then.
        if limit == 0 && system.file().is_some() {
            let refused = limited(&system, limit, announce);
            assert!(matches!(refused.status, 500 | 503), "{}", refused.text());
            assert_eq!(files(&system), number, "nothing of it stays");
        }
        let created = announce();
        let path = created.header("location").unwrap().to_owned();
        let append = |offset: usize| {
            let offset_text = offset.to_string();
            let headers = [("Content-Type", "application/offset+octet-stream"), ("Upload-Offset", &*offset_text)];
            tus(&system, "PATCH", &path, &headers, &body[offset..])
        };
        let refused = limited(&system, limit, || append(0));
        assert!(matches!(refused.status, 500 | 503), "{}", refused.text());
        let head = tus(&system, "HEAD", &path, &[], "");
        let offset: usize = head.header("upload-offset").unwrap().parse().unwrap();
        assert_eq!((head.status, products(&system, &word)), (200, 0), "below {limit} bytes");
        let done = append(offset);
        assert_eq!(done.status, 204, "from byte {offset}: {}", done.text());
        wait::until("it is applied as a whole", || (products(&system, &word) == ROWS as u64).then_some(()));
    }
}
