//! Clients and senders that are slow, or do nothing: they are let go, and do not stop others meanwhile.

use std::{
    fs,
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::TcpStream,
    time::Duration,
};

use tributary_testkit::{faulty::Answer, faulty::FaultySource, wait};

use crate::system::System;

/// A master with this patience, and so many products.
fn products(count: usize, patience: &str) -> System {
    let mut system = System::new();
    let rows: String =
        (0..count).map(|number| format!("sku{number:06},Name {number},{}\n", "text ".repeat(40))).collect();
    system.write("north", "feed.csv", format!("sku,name,description\n{rows}"));
    system.serve("north");
    system.configure_sources(&[("north", "")]);
    system.start_master(&["--patience", patience]);
    system.sync();
    system
}

fn send(system: &System, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(system.master_url("").trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// Whether the server has ended the connection; says so once.
fn is_let_go(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    matches!(stream.take_error(), Ok(Some(_)))
        || matches!(stream.peek(&mut [0]), Err(error) if error.kind() != ErrorKind::WouldBlock)
}

#[test]
fn clients_that_take_nothing_of_a_list_stop_no_list_and_pin_no_log() {
    let system = products(20_000, "5s");
    let csv = "GET /api/v1/products HTTP/1.1\r\nHost: localhost\r\nAccept: text/csv\r\n\r\n";
    let whole = system.ask("GET", "/api/v1/products?format=csv&raw=1", "").body;
    let mut slow: Vec<_> = (0..8).map(|_| send(&system, csv)).collect();
    for client in &slow {
        client.peek(&mut [0; 12]).unwrap();
    }
    // More lists than may be read at a time, while the slow clients still hold their connections.
    for _ in 0..2 {
        let again = system.ask("GET", "/api/v1/products?format=csv&raw=1", "");
        assert!(again.body == whole, "{}: {} of {} bytes", again.status, again.body.len(), whole.len());
    }
    // Nobody reads from the database any more, so the log can be moved into it as a whole.
    assert_eq!(system.ask("PATCH", "/api/v1/products/sku000001", r#"{"name":"Mine"}"#).status, 200);
    wait::until("an end of the slow clients", || {
        slow.retain(|client| !is_let_go(client));
        slow.is_empty().then_some(())
    });
    let log = system.file_beside("-wal");
    assert!(log.map_or(0, |log| fs::metadata(log).unwrap().len()) < 64 << 20);
}

#[test]
fn who_takes_a_list_slowly_gets_all_of_it_as_it_was() {
    let system = products(20_000, "5s");
    let whole = system.ask("GET", "/api/v1/products?format=csv&raw=1", "").body;
    let mut slow = send(&system, "GET /api/v1/products HTTP/1.0\r\nHost: localhost\r\nAccept: text/csv\r\n\r\n");
    slow.peek(&mut [0; 12]).unwrap();
    // The list is one snapshot, whatever is changed meanwhile.
    assert_eq!(system.ask("PATCH", "/api/v1/products/sku019999", r#"{"name":"Mine"}"#).status, 200);
    let (mut answer, mut piece) = (Vec::new(), vec![0; 64 << 10]);
    loop {
        match slow.read(&mut piece).unwrap() {
            0 => break,
            taken => answer.extend_from_slice(&piece[..taken]),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(answer.ends_with(&whole), "{} of {} bytes", answer.len(), whole.len());
}

#[test]
fn senders_that_drip_hold_no_place() {
    let system = products(1, "10s");
    let begin = |name: &str| {
        let head = format!("POST /api/v1/uploads?filename={name}.csv HTTP/1.1\r\nHost: localhost\r\n");
        send(&system, &format!("{head}Content-Length: 1000000\r\n\r\nsku,name\n"))
    };
    let dripping: Vec<_> = (0..8).map(|number| begin(&format!("drip{number}"))).collect();
    let upload = || system.ask("POST", "/api/v1/uploads?filename=honest.csv&replace=1", "sku,name\nh,Honest\n");
    wait::until("eight senders", || {
        let uploads = system.json("/api/v1/uploads");
        (uploads["items"].as_array()?.len() == dripping.len()).then_some(())
    });
    // It may be refused at first: a sender is given some seconds before it must make room.
    wait::until("a place", || (upload().status == 202).then_some(()));
    for mut client in dripping {
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("the file arrives "), "{answer}");
    }
}

#[test]
fn a_body_that_stands_still_or_drips_is_let_go() {
    let system = products(1, "2s");
    let head = "PATCH /api/v1/products/sku000000 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000\r\n\r\n{";
    let (still, mut dripping) = (send(&system, head), send(&system, head));
    // As fast as the server reads, and far below the least speed.
    dripping.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    while dripping.peek(&mut [0]).is_err() {
        dripping.write_all(b" ").unwrap();
    }
    for mut client in [still, dripping] {
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("the body arrives too slowly: "), "{answer}");
    }
}

#[test]
fn small_documents_that_drip_keep_no_other_from_coming() {
    let system = products(1, "30s");
    let begin = |number: usize| {
        let head = format!("PUT /api/v1/documents/drip{number}.csv HTTP/1.1\r\nHost: localhost\r\n");
        send(&system, &format!("{head}Content-Type: text/csv\r\nContent-Length: 1000\r\n\r\nsku,name\n"))
    };
    // More than there are places, so the last ones wait.
    let dripping: Vec<_> = (0..140).map(begin).collect();
    let sent = system.ask("PUT", "/api/v1/documents/honest.csv", "sku,name\nh,Honest\n");
    assert!([200, 201, 202].contains(&sent.status), "{}: {}", sent.status, sent.text());
    assert!(dripping.iter().any(|client| !is_let_go(client)), "only the slowest must go");
}

/// A source that only claims to compute a report.
#[test]
fn a_source_that_drips_a_report_is_let_go_and_says_so() {
    let hash = "0".repeat(64);
    let files = format!(
        r#"{{"version":"v","files":[{{"path":"s.csv","size":1000,"hash":"blake3:{hash}","modified":"2026-01-01T00:00:00Z"}}],"unreadable":[]}}"#
    );
    let lines = "{\"progress\":{\"bytes\":0,\"rows\":0}}\n".repeat(1000);
    let source = FaultySource::start(&[
        ("/sense", Answer::json(r#"{"status":0,"version":"v"}"#)),
        ("/sense/files", Answer::json(&files)),
        ("/aggregate", Answer::Drip("application/x-ndjson", lines.into())),
    ]);
    let mut system = System::new();
    let report = "[[report]]\nname = \"sales\"\nfiles = \"s.csv\"\nmetrics = { rows = \"count()\" }\n";
    system.configure(&format!("[[source]]\nname = \"drip\"\nurl = \"{}\"\n{report}", source.url));
    system.start_master(&["--patience", "5s"]);
    let phase = wait::until("the work on the report", || {
        let sources = system.json("/api/v1/sources");
        sources["items"][0]["running"]["phase"].as_str().filter(|phase| *phase == "reporting").map(str::to_owned)
    });
    assert_eq!(phase, "reporting");
    let error = wait::until("the end of its patience", || {
        let reports = system.json("/api/v1/reports");
        reports["items"][0]["error"].as_str().map(str::to_owned)
    });
    assert!(error.contains("/aggregate is too slow: only 0 bytes"), "{error}");
}

#[test]
fn a_source_that_drips_is_down_and_says_so() {
    let body = "sku,name\n".to_owned() + &"x".repeat(5000);
    let answers = [("/sense", Answer::json(r#"{"status":1}"#)), ("/read", Answer::Drip("text/csv", body.into()))];
    let source = FaultySource::start(&answers);
    let mut system = System::new();
    system.configure(&format!("[[source]]\nname = \"drip\"\nurl = \"{}\"\n", source.url));
    system.start_master(&["--patience", "1s"]);
    let error = wait::until("the source to be down", || {
        let sources = system.json("/api/v1/sources");
        let source = &sources["items"][0];
        (source["state"] == "down").then(|| source["error"].as_str().unwrap().to_owned())
    });
    assert!(error.contains("too slow") && error.contains("1024 per second"), "{error}");
}

/// Each of them used to read the database by itself: after one change those above 260 were cut off, and readers were refused.
#[test]
fn a_change_reaches_every_follower_and_refuses_nobody() {
    let system = products(10, "30s");
    let ask = "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut followers: Vec<_> = (0..600).map(|_| BufReader::new(send(&system, ask))).collect();
    let mut until = |expected: &str| {
        for follower in &mut followers {
            let mut line = String::new();
            while !line.starts_with(expected) {
                line.clear();
                assert_ne!(follower.read_line(&mut line).unwrap(), 0, "it was cut off before `{expected}`");
            }
        }
    };
    until("id: ");
    for name in ["Mine", "Yours", "Ours"] {
        let edited = system.ask("PATCH", "/api/v1/products/sku000001", &format!(r#"{{"name":"{name}"}}"#));
        assert_eq!(edited.status, 200, "{name}");
        assert_eq!(system.ask("GET", "/api/v1/products?limit=1", "").status, 200);
        until("event: edit");
    }
}
