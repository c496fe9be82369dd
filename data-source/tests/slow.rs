//! Clients that take their answers slowly, or not at all: they are let go, and do not stop others meanwhile.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::support::{PATIENCE, Source, wait_for};

/// Of some pattern that packs badly, so that no answer fits into the buffers of the system.
fn content(bytes: usize) -> Vec<u8> {
    let mut rows = b"sku,name\n".to_vec();
    let mut number = 1_u64;
    while rows.len() < bytes {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        rows.extend(format!("{number},{:x}{number:x}\n", number.rotate_left(29)).bytes());
    }
    rows
}

/// Serves `large.csv` with the least patience.
fn source(bytes: usize) -> Source {
    let source = Source::with(&[], &["--settle", "20ms", "--rescan", "100ms", "--patience", "1s"]);
    source.write("large.csv", &content(bytes));
    wait_for("the file", || source.paths() == ["large.csv"]);
    source
}

fn ask(source: &Source, path: &str, headers: &str) -> TcpStream {
    source.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"))
}

/// Whether the server has ended the connection; says so once. Takes nothing of the answer that is still there.
fn is_let_go(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    // A reset is the end that a client of a cut answer sees.
    matches!(stream.take_error(), Ok(Some(_)))
        || matches!(stream.peek(&mut [0]), Err(error) if error.kind() != ErrorKind::WouldBlock)
}

#[cfg(target_os = "linux")]
fn memory(source: &Source) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", source.child.id())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    resident.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[test]
fn five_hundred_clients_that_take_nothing_stop_nobody_and_are_let_go() {
    let source = source(8 << 20);
    let whole = source.get("/read/large.csv").body.unwrap();
    #[cfg(target_os = "linux")]
    let idle = memory(&source);
    let kinds = [
        ("/read/large.csv", ""),
        ("/read/large.csv", "Accept-Encoding: zstd\r\n"),
        ("/read", ""),
        ("/read/large.csv", "Range: bytes=5-\r\n"),
    ];
    let slow: Vec<_> = (0..512).map(|number| kinds[number % kinds.len()]).collect();
    let mut slow: Vec<_> = slow.into_iter().map(|(path, headers)| ask(&source, path, headers)).collect();
    // They have their heads, so all of them hold what they can.
    for client in &slow {
        client.peek(&mut [0; 12]).unwrap();
    }
    assert_eq!(source.get("/sense").status, 200);
    assert!(source.get("/read/large.csv").body.unwrap() == whole, "an honest client gets all");
    #[cfg(target_os = "linux")]
    {
        let taken = memory(&source).saturating_sub(idle) >> 20;
        assert!(taken < 200, "{taken} MiB");
    }
    wait_for("the end of all slow clients", || {
        slow.retain(|client| !is_let_go(client));
        slow.is_empty()
    });
    assert!(source.get("/read/large.csv").body.unwrap() == whole);
}

#[test]
fn a_client_that_drips_is_let_go_and_one_that_is_only_slow_is_not() {
    let source = source(4 << 20);
    let (mut dripping, mut honest) = (ask(&source, "/read/large.csv", ""), ask(&source, "/read/large.csv", ""));
    let drip = std::thread::spawn(move || {
        let began = Instant::now();
        let mut taken = 0;
        while let Ok(1..) = dripping.read(&mut [0; 1]) {
            taken += 1;
            assert!(began.elapsed() < PATIENCE, "it was not let go");
            std::thread::sleep(Duration::from_millis(20));
            // Once it is cut off, only what has arrived before is left.
            if is_let_go(&dripping) {
                break;
            }
            dripping.set_nonblocking(false).unwrap();
        }
        taken
    });
    let (mut body, mut piece) = (0, vec![0; 64 << 10]);
    while body < 4 << 20 {
        let taken = honest.read(&mut piece).unwrap();
        assert!(taken > 0, "it was let go after {body} bytes");
        body += taken;
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(drip.join().unwrap() < 100_000);
}

/// Whether the server has ended the connection without a word.
fn is_closed_silently(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let peeked = stream.peek(&mut [0]);
    assert!(!matches!(peeked, Ok(1..)), "nothing was asked, so nothing is answered");
    matches!(peeked, Ok(0)) || matches!(peeked, Err(error) if error.kind() != ErrorKind::WouldBlock)
}

/// An answer to what was not asked would be taken for that to a request which is on its way.
#[test]
fn who_asks_for_nothing_is_let_go_without_a_word() {
    let source = source(1 << 10);
    let part_of_a_head = || source.send("GET /sense HTTP/1.1\r\nHost: local");
    let mut kept = ask(&source, "/sense", "If-None-Match: *\r\n");
    // A kept connection has no other limit than the first one.
    let length = kept.read(&mut [0; 4096]).unwrap();
    assert!(length > 0);
    kept.write_all(b"GET /sense HTTP/1.1\r\nHost: local").unwrap();
    let mut silent: Vec<_> = (0..64).map(|_| source.send("")).chain((0..64).map(|_| part_of_a_head())).collect();
    silent.push(kept);
    assert_eq!(source.get("/sense").status, 200);
    wait_for("the end of all that are silent", || {
        silent.retain(|client| !is_closed_silently(client));
        silent.is_empty()
    });
}

#[test]
fn slow_callers_of_aggregate_hold_no_place() {
    let source = Source::with(&[], &["--settle", "20ms", "--rescan", "100ms"]);
    source.write("large.csv", &content(6 << 20));
    wait_for("the file", || source.paths() == ["large.csv"]);
    let request = |column: &str| {
        let report = json!({"group_by": [column], "metrics": [{"name": "rows", "expression": "count()"}]});
        let hash = crate::aggregate::hash_of(&source, "large.csv");
        let format = tributary_report::partial_format();
        json!({"path": "large.csv", "hash": hash, "format": format, "report": report}).to_string()
    };
    let large = request("sku");
    assert_eq!(source.post("/aggregate", &large).status, 200);
    // More than may be computed or wait. None of them takes its answer, which is kept by now.
    let head = format!("POST /aggregate HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", large.len());
    let slow: Vec<_> = (0..32).map(|_| source.send(&format!("{head}{large}"))).collect();
    for client in &slow {
        client.peek(&mut [0; 12]).unwrap();
    }
    // Long before the patience with them is over.
    wait_for("a place", || source.post("/aggregate", &request("name")).status == 200);
}

/// What is computed waits for them in a file, and not in memory: neither the groups nor their text.
#[test]
#[cfg(target_os = "linux")]
fn slow_callers_of_many_reports_hold_no_memory() {
    let source = Source::with(&[], &["--settle", "20ms", "--rescan", "100ms"]);
    source.write("large.csv", &content(1 << 20));
    wait_for("the file", || source.paths() == ["large.csv"]);
    let hash = crate::aggregate::hash_of(&source, "large.csv");
    let body = |number: u32| {
        let metrics = (0..20)
            .map(|metric| json!({"name": format!("m{metric}"), "expression": format!("sum({number} + {metric})")}));
        let report = json!({"group_by": ["sku"], "metrics": metrics.collect::<Vec<_>>()});
        let format = tributary_report::partial_format();
        json!({"path": "large.csv", "hash": hash, "format": format, "report": report}).to_string()
    };
    assert_eq!(source.post("/aggregate", &body(0)).status, 200);
    let idle = memory(&source);
    let mut slow = Vec::new();
    for number in 1..=24 {
        let body = body(number);
        let head = format!("POST /aggregate HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
        slow.push(source.send(&(head + &body)));
        let computed = || crate::aggregate::count(&source, "tributary_source_partials_total");
        wait_for("the report", || computed() == u64::from(number) + 1);
    }
    let taken = memory(&source).saturating_sub(idle) >> 20;
    println!("{taken} MiB");
    assert!(taken < 100, "{taken} MiB");
}

/// Without it, a caller that is gone keeps its place among those that wait until its answer is due.
#[test]
#[cfg(target_os = "linux")]
fn a_caller_that_hangs_up_while_its_answer_is_held_is_forgotten() {
    let source = source(1 << 10);
    let version = source.version();
    let open = || fs::read_dir(format!("/proc/{}/fd", source.child.id())).unwrap().count();
    let before = open();
    let held: Vec<_> = (0..50).map(|_| ask(&source, &format!("/sense?wait=60&since={version}"), "")).collect();
    wait_for("held questions", || open() >= before + held.len());
    drop(held);
    wait_for("their end", || open() <= before + 5);
}
