//! Many clients at a time: whoever comes too late is told when to come again, and those before go on.

use std::{io::Write, net::TcpStream};

use tributary_testkit::{http, wait};

use super::{no_source, one_source, send};

#[test]
fn a_thousand_follow_the_events_and_one_more_is_sent_away() {
    let system = no_source();
    let url = system.master_url("/api/v1/events");
    let mut followers: Vec<_> = (0..1_000).map(|_| http::lines(&url, &[]).unwrap()).collect();
    assert!(followers[999].next().unwrap().starts_with("retry: "));
    let refused = system.ask("GET", "/api/v1/events", "");
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("2")), "{}", refused.text());
    assert!(refused.text().contains("1000 clients are connected"), "{}", refused.text());
    assert_eq!(system.ask("GET", "/healthz", "").status, 200);
    drop(followers);
    // The server notices that they have gone when it writes to them.
    drop(wait::until("another one may follow", || http::lines(&url, &[]).ok()));
}

#[test]
fn bodies_that_are_held_back_leave_no_room_for_others_only_while_they_last() {
    let system = one_source(&[("a.csv", "sku,name\na,A\n")]);
    let address = system.master_url("").trim_start_matches("http://").to_owned();
    let part = "x".repeat(8_300_000);
    let held: Vec<TcpStream> = (0..8)
        .map(|_| {
            let mut stream = TcpStream::connect(&address).unwrap();
            let head =
                format!("PATCH /api/v1/products/a HTTP/1.1\r\nHost: {address}\r\nContent-Length: 8388608\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(part.as_bytes()).unwrap();
            stream
        })
        .collect();
    let body = format!("{{\"description\":\"{}\"}}", "y".repeat(900_000));
    let change = || send(&system, "PATCH", "/api/v1/products/a", &[("Content-Type", "application/json")], &body);
    let refused = wait::until("there is no room", || Some(change()).filter(|answer| answer.status == 503));
    assert!(
        refused.header("retry-after").is_some() && refused.text().contains("are being received"),
        "{}",
        refused.text()
    );
    assert_eq!(system.ask("GET", "/api/v1/products/a", "").status, 200);
    drop(held);
    wait::until("there is room", || (change().status == 200).then_some(()));
}
