//! Clients that break off, crowds, and the end of the master.

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
};

use serde_json::json;

use super::{BOUNDARY, Master, SALES, TOTALS, file, form, refused, size};
use crate::system::System;

/// Begins to send a form that says it is longer than what comes.
fn begin(master: &Master, begun: &[u8]) -> TcpStream {
    let host = master.url.trim_start_matches("http://");
    let mut client = TcpStream::connect(host).unwrap();
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n",
        begun.len() + 1000
    );
    client.write_all(head.as_bytes()).unwrap();
    client.write_all(begun).unwrap();
    client
}

#[test]
fn who_breaks_off_has_no_totals() {
    let system = System::new();
    let master = Master::start(&system, &["--patience", "1s"]);
    let whole = form(&[file("sales.csv", SALES)]);
    for end in 0..20 {
        drop(begin(&master, &whole[..whole.len() * end / 20]));
    }
    let mut silent = begin(&master, &whole[..whole.len() - 60]);
    let mut answer = String::new();
    silent.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("comes too slowly"), "{answer}");
    let id = master.upload(&whole);
    assert_eq!(master.ended(&id)["status"], "complete");
    assert_eq!(master.files(), [format!("{id}.csv")]);
}

#[test]
fn two_hundred_files_at_once_get_their_own_totals() {
    let system = System::new();
    // 192 more may wait, so none of 200 is sent away, however slowly they are read.
    system.configure("[grpc]\nstreams = 8");
    let master = Master::start(&system, &[]);
    let one = |number: u64| {
        let text = format!("h\n{}", format!("d{number},,{number}\n").repeat(5000));
        let job = master.ended(&master.upload(&form(&[file("sales.csv", &text), size(text.len())])));
        assert_eq!((&job["total_sales"], &job["rows_processed"]), (&json!(5000 * number), &json!(5000)));
        let totals = master.ask("GET", job["result_file_url"].as_str().unwrap(), &[]).text();
        assert_eq!(totals, format!("Department Name,Total Number of Sales\r\nd{number},{}\r\n", 5000 * number));
    };
    thread::scope(|scope| (0..200).for_each(|number| drop(scope.spawn(move || one(number)))));
    assert_eq!(master.files().len(), 200);
}

#[test]
fn a_file_without_totals_is_a_failed_job() {
    let system = System::new();
    let master = Master::start(&system, &[]);
    // The rest of the file is read all the same, so that the client hears of it.
    let text = format!("h\na,,{}\nb,,1\n{}", u64::MAX, "a,,1\n".repeat(400_000));
    let job = master.ended(&master.upload(&form(&[file("sales.csv", &text), size(text.len())])));
    assert_eq!((&job["status"], &job["filename"]), (&json!("failed"), &json!("sales.csv")));
    assert!(job["error"].as_str().unwrap().contains("the sales are more than"), "{job}");
    assert!(job.get("result_file_name").is_none());
    assert_eq!(master.files(), [""; 0]);
}

#[test]
fn a_killed_master_leaves_whole_totals() {
    let system = System::new();
    let mut master = Master::start(&system, &[]);
    let whole = form(&[file("sales.csv", SALES)]);
    let ids: Vec<String> = (0..3).map(|_| master.upload(&whole)).collect();
    ids.iter().for_each(|id| drop(master.ended(id)));
    let late = master.upload(&whole);
    let begun = begin(&master, &whole);
    master.daemon.kill();
    drop(begun);
    let again = Master::start(&system, &[]);
    for id in ids {
        assert_eq!(refused(&again.ask("GET", &format!("/status/{id}"), &[]), 404), format!("Job ID {id} not found."));
        let totals = again.ask("GET", &format!("/download/{id}.csv"), &[]);
        assert_eq!((totals.status, totals.text().as_str()), (200, TOTALS));
        assert_eq!(totals.header("content-disposition"), Some("attachment; filename=\"Processed_results.csv\""));
    }
    let files = again.files();
    assert!(files.len() == 3 || files.contains(&format!("{late}.csv")), "{files:?}");
    let late = again.ask("GET", &format!("/download/{late}.csv"), &[]);
    assert!(late.status == 404 || late.text() == TOTALS, "as a whole or not at all");
}
