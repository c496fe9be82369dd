//! `POST /aggregate` on a file that takes a while: progress meanwhile, and the end of a computation that nobody wants
//! any more.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    time::{Duration, Instant},
};

use tributary_protocol::AggregateLine;

use crate::{
    aggregate::{count, hash_of, lines, request},
    support::{PATIENCE, Source, ended, wait_for},
};

/// 110 MB. They are decoded by one thread, so more cores do not make it faster; an unoptimised program takes some ten seconds.
const ROWS: usize = 4_000_000;

fn source() -> Source {
    let rows: String = (0..1000).map(|row| format!("shop {},{row}\n", row % 50)).collect();
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let source = Source::of(&[("small.csv", "shop,n\nnorth,1\n")]);
    // Under another name first: on a busy machine, writing it takes longer than a file must be quiet.
    source.write(".large", &[utf16("\u{feff}shop,n\n"), utf16(&rows).repeat(ROWS / 1000)].concat());
    fs::rename(source.path(".large"), source.path("large.csv")).unwrap();
    wait_for("the large file", || source.paths().len() == 2);
    source
}

/// An answer that comes line by line.
struct Asked(BufReader<TcpStream>);

impl Asked {
    fn ask(source: &Source, path: &str) -> Self {
        Self::ask_number(source, path, 1)
    }

    /// Asks what differs for each number.
    fn ask_number(source: &Source, path: &str, number: usize) -> Self {
        let mut body = request(source, path);
        body["report"]["metrics"][1]["expression"] = format!("sum(n * {number})").into();
        let body = body.to_string();
        let head = format!("POST /aggregate HTTP/1.0\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", body.len());
        Self(BufReader::new(source.send(&(head + &body))))
    }

    /// Returns the next line of JSON, skipping the head; `None` at the end.
    fn line(&mut self) -> Option<AggregateLine> {
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if line.starts_with('{') || line.starts_with('"') {
                return Some(lines(&line).remove(0));
            }
        }
    }

    /// Waits until some of the file was read.
    fn wait_until_at_work(&mut self) {
        wait_for("the computation", || match self.line() {
            Some(AggregateLine::Progress { rows, .. }) => rows > 0,
            other => panic!("{other:?} came too soon: the file is too small for this machine"),
        });
    }
}

/// Processor time in ticks.
fn ticks(source: &Source) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", source.child.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn two_are_computed_at_a_time_and_what_nobody_wants_is_stopped() {
    let source = source();
    let [mut one, mut two] = [1, 2].map(|number| Asked::ask_number(&source, "large.csv", number));
    one.wait_until_at_work();
    two.wait_until_at_work();
    let mut three = Asked::ask(&source, "small.csv");
    let stream = three.0.get_ref();
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    assert!(stream.peek(&mut [0]).is_err(), "there is no place for a third one");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    drop(one);
    let next = std::iter::from_fn(|| three.line()).find(|line| !matches!(line, AggregateLine::Progress { .. }));
    assert!(matches!(next, Some(AggregateLine::Partial(head)) if head.rows == 1), "it has the place of the first one");
    drop(two);
    let (mut last, mut since) = (ticks(&source), Instant::now());
    wait_for("the processor's rest", || {
        if ticks(&source) != last {
            (last, since) = (ticks(&source), Instant::now());
        }
        since.elapsed() > Duration::from_millis(200)
    });
    assert_eq!(
        count(&source, "tributary_source_partials_total"),
        1,
        "the two large ones were not computed to their ends"
    );
}

/// Each of them would take a place, two cores and the memory of its groups.
#[test]
fn who_asks_what_is_computed_already_shares_it() {
    let source = source();
    let mut asked: Vec<Asked> = (0..40).map(|_| Asked::ask(&source, "large.csv")).collect();
    asked.iter_mut().for_each(Asked::wait_until_at_work);
    // The first one is gone, and the others get all.
    asked.remove(0);
    for mut asked in asked {
        let rest: Vec<_> = std::iter::from_fn(|| asked.line()).collect();
        let groups = rest.iter().filter(|line| matches!(line, AggregateLine::Group(_))).count();
        assert_eq!((groups, rest.last()), (50, Some(&AggregateLine::End)));
    }
    assert_eq!(count(&source, "tributary_source_partials_total"), 1);
    assert_eq!(count(&source, "tributary_source_partials_kept_total"), 39);
}

#[test]
fn too_many_requests_are_told_to_come_again() {
    let source = source();
    let mut asked: Vec<Asked> = (0..2).map(|number| Asked::ask_number(&source, "large.csv", number)).collect();
    asked.iter_mut().for_each(Asked::wait_until_at_work);
    asked.extend((2..32).map(|number| Asked::ask_number(&source, "large.csv", number)));
    let answer = source.post("/aggregate", &request(&source, "small.csv").to_string());
    assert!(answer.problem(503).contains("too many"));
    assert_eq!(answer.header("retry-after"), "1");
    drop(asked);
    wait_for("a place", || source.post("/aggregate", &request(&source, "small.csv").to_string()).status == 200);
}

#[test]
fn a_stop_ends_a_computation() {
    let mut source = source();
    let mut asked = Asked::ask(&source, "large.csv");
    asked.wait_until_at_work();
    let began = Instant::now();
    source.signal("TERM");
    assert!(ended(&mut source.child).success());
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(!std::iter::from_fn(|| asked.line()).any(|line| line == AggregateLine::End), "the answer is cut");
}

#[test]
fn a_file_that_is_replaced_meanwhile_is_no_partial() {
    let source = source();
    let mut asked = Asked::ask(&source, "large.csv");
    let before = hash_of(&source, "large.csv");
    asked.wait_until_at_work();
    source.write(".new", b"shop,n\nsouth,1\n");
    fs::rename(source.path(".new"), source.path("large.csv")).unwrap();
    let last = std::iter::from_fn(|| asked.line()).last();
    assert_eq!(last, Some(AggregateLine::Changed));
    wait_for("the new content", || hash_of(&source, "large.csv") != before);
    assert_eq!(count(&source, "tributary_source_partials_total"), 0);
    assert_eq!(
        Asked::ask(&source, "large.csv").line().map(|line| matches!(line, AggregateLine::Partial(_))),
        Some(true)
    );
}
