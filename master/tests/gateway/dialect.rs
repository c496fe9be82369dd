//! Paths, statuses and members, as the gateway has them that this one stands for.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::{Value, json};

use super::{BOUNDARY, Master, SALES, TOTALS, file, form, part, refused, size};
use crate::system::System;

/// The members of a complete job, in their order.
const MEMBERS: [&str; 16] = [
    "job_id",
    "filename",
    "file_size_bytes",
    "status",
    "rows_processed",
    "created_at",
    "malformed_rows",
    "processed_percentage",
    "message",
    "last_update",
    "total_sales",
    "unique_departments",
    "processing_time_seconds",
    "result_file_name",
    "result_file_url",
    "storage_result_file_url",
];

#[test]
fn a_file_becomes_a_job_with_totals() {
    let system = System::new();
    let master = Master::start(&system, &[]);
    let said = SALES.len();
    let forms = [
        (form(&[file("sales.csv", SALES), size(said)]), said),
        (form(&[size(said), file("sales.csv", SALES)]), said),
        (form(&[part("name=\"note\"", "x"), file("sales.csv", SALES)]), 0),
        (form(&[file("sales.csv", SALES), part("name=\"file_size_bytes\"", "many")]), 0),
        (form(&[file("sales.csv", SALES), file("other.csv", "h\nBooks,,1\n"), size(said)]), said),
    ];
    for (form, bytes) in forms {
        let id = master.upload(&form);
        let job = master.ended(&id);
        let text = job.to_string();
        let members: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(members.len(), MEMBERS.len(), "{text}");
        assert!(MEMBERS.iter().all(|member| members.contains_key(*member)), "{text}");
        let url = format!("/download/{id}.csv");
        let expect = json!({"job_id": id, "filename": "sales.csv", "file_size_bytes": bytes, "status": "complete",
            "rows_processed": 3, "malformed_rows": 1, "processed_percentage": 100.0, "total_sales": 22,
            "unique_departments": 2, "result_file_name": format!("{id}.csv"), "result_file_url": url,
            "storage_result_file_url": null});
        expect.as_object().unwrap().iter().for_each(|(member, value)| assert_eq!(&job[member], value, "{member}"));
        assert!(["created_at", "last_update", "processing_time_seconds"].iter().all(|time| job[time].is_f64()));
        let totals = master.ask("GET", &url, &[]);
        assert_eq!((totals.status, totals.text().as_str()), (200, TOTALS));
        let header = |name: &str| totals.header(name).unwrap_or_default();
        assert_eq!((header("content-type"), header("cache-control")), ("text/csv; charset=utf-8", "no-cache"));
        let saved = header("content-disposition");
        assert!(saved.starts_with("attachment; filename=\"Processed_sales_1") && saved.ends_with(".csv\""), "{saved}");
        assert_eq!(header("content-length"), TOTALS.len().to_string());
    }
    let empty = master.ended(&master.upload(&form(&[file("E.CSV", "")])));
    assert_eq!((&empty["status"], &empty["rows_processed"]), (&json!("complete"), &json!(0)));
    assert_eq!(master.files().len(), 6);
}

#[test]
fn a_form_without_a_file_that_can_be_read_is_refused() {
    let system = System::new();
    let master = Master::start(&system, &[]);
    let check = |form: &[u8], expect: &str| assert_eq!(refused(&master.send(form, &[]), 400), expect);
    check(&form(&[]), "Missing file in upload.");
    check(&form(&[size(3)]), "Missing file in upload.");
    check(&form(&[file("", SALES)]), "Missing file in upload.");
    check(&form(&[file("sales.txt", SALES)]), "Only CSV files are allowed.");
    check(&form(&[file("sales.txt", SALES), file("sales.csv", SALES)]), "Only CSV files are allowed.");
    let broken = "Invalid form data or missing 'file' part.";
    check(&form(&[part("name=\"file\"", SALES)]), broken);
    check(b"no form", broken);
    let whole = form(&[file("sales.csv", SALES), size(3)]);
    check(&whole[..whole.len() - 4], broken);
    check(
        &form(&[file(&format!("{}.csv", "x".repeat(2000)), SALES)]),
        "The name of the file is longer than 1024 bytes.",
    );
    let json = [("Content-Type", "application/json")];
    assert_eq!(refused(&master.ask("POST", "/upload", &json), 400), "Missing file in upload.");
    let long = form(&[part("name=\"file_size_bytes\"", &"1".repeat(100_000)), file("sales.csv", SALES)]);
    assert!(refused(&master.send(&long, &[]), 413).contains("65536 bytes"));
    assert_eq!(master.files(), [""; 0]);
}

#[test]
fn only_totals_can_be_downloaded() {
    let system = System::new();
    let master = Master::start(&system, &[]);
    fs::write(master.results.join("private.csv"), "x").unwrap();
    fs::create_dir(master.results.join("9b2c4f60-0000-4000-8000-000000000000")).unwrap();
    fs::write(system.home().join("9b2c4f60-0000-4000-8000-000000000001.csv"), "x").unwrap();
    let check = |name: &str, status: u16, expect: &str| {
        assert_eq!(refused(&master.ask("GET", &format!("/download/{name}"), &[]), status), expect, "{name}");
    };
    check("private.csv", 404, "Result file not found.");
    check("9b2c4f60-0000-4000-8000-000000000001.csv", 404, "Result file not found.");
    check("..%2f9b2c4f60-0000-4000-8000-000000000001.csv", 404, "Not Found");
    check("..", 400, "Invalid filename.");
    check("..%5cdatabase.csv", 400, "Invalid filename.");
    check("~root.csv", 400, "Invalid filename.");
    check("%20", 400, "Filename cannot be empty.");
    check("database.db", 400, "Only CSV files are available for download.");
    check("a%00.csv", 400, "Invalid filename format.");
    check("a%ff.csv", 400, "The path is not UTF-8.");
    check("a/b.csv", 404, "Not Found");
}

#[test]
fn other_paths_and_methods_are_refused_in_the_same_form() {
    let system = System::new();
    let master = Master::start(&system, &[]);
    let root = master.ask("GET", "/", &[]);
    assert_eq!((root.status, root.text().as_str()), (200, r#"{"message":"gRPC CSV Processor Gateway is running."}"#));
    assert_eq!(refused(&master.ask("GET", "/status/9b2c", &[]), 404), "Job ID 9b2c not found.");
    for path in ["/status/", "/download/", "/products", "/api/v1/products"] {
        assert_eq!(refused(&master.ask("GET", path, &[]), 404), "Not Found", "{path}");
    }
    for (method, path, allowed) in [("GET", "/upload", "POST"), ("POST", "/status/x", "GET"), ("DELETE", "/", "GET")] {
        let answer = master.ask(method, path, &[]);
        assert_eq!(refused(&answer, 405), "Method Not Allowed", "{method} {path}");
        assert_eq!(answer.header("allow"), Some(allowed));
    }
}

#[test]
fn a_form_may_come_byte_by_byte() {
    let system = System::new();
    let master = Master::start(&system, &[]);
    let form = form(&[file("sales.csv", SALES), size(SALES.len())]);
    let host = master.url.trim_start_matches("http://");
    let mut client = TcpStream::connect(host).unwrap();
    client.set_nodelay(true).unwrap();
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n",
        form.len()
    );
    client.write_all(head.as_bytes()).unwrap();
    form.chunks(1).for_each(|byte| client.write_all(byte).unwrap());
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    let id = answer.split('"').nth(3).unwrap();
    assert_eq!(master.ended(id)["total_sales"], 22);
}
