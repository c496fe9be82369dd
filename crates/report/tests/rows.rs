//! Rows and files: rejects and their lines, files without rows, other encodings and packings, threads and progress.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tributary_budget::Budget;
use tributary_csv_gate::Error as GateError;
use tributary_protocol::GroupLine;
use tributary_report::{AddError, Error, FileFormat, ReportPlan, Room, SpillFile, Total};

use crate::support::{check, checked, go_on, groups, open, partial, plan, rejected, report, rows, shown};

#[test]
fn rejects_name_the_line_on_which_they_begin() {
    let file = "g,n\r\na,1\r\n\r\na,x\r\n\"b\nb\",y\r\na,2,3\r\na\r\n\"open,1\r\na,3\r\n";
    let expect = [
        "a|4",
        "4: `n` is not a number: `x`",
        "5: `n` is not a number: `y`",
        "7: 3 fields where the header has 2: quote cells that hold the delimiter; header = […] names more columns",
        "8: 1 field where the header has 2: ragged = \"pad\" leaves the missing ones empty",
        "9: quoted field is never closed properly: quotes = \"lenient\" takes such quotes for text, quote = \"\" all of them",
    ];
    check(&report(&["g"], &["sum(n)"]), file, &expect);
}

#[test]
fn without_group_by_there_is_one_row() {
    let report = report(&[], &["count()", "sum(n)", "min(n)", "max(n)", "mean(n)"]);
    check(&report, "n\n1\n3\n", &["2|4|1|3|2"]);
    check(&report, "n\n", &["0|-|-|-|-"]);
    check(&report, "n", &["0|-|-|-|-"]);
    check(&report, "n\nx\n", &["0|-|-|-|-", "2: `n` is not a number: `x`"]);
    let plan = plan(&report);
    assert_eq!(rows(Total::new(&plan), &plan), ["0|-|-|-|-"], "the total of no files");
}

#[test]
fn with_group_by_an_empty_file_has_no_row() {
    check(&report(&["g"], &["count()"]), "g,n\n", &[]);
    check(&report(&["g"], &["count()"]), "g,n\n\n\n", &[]);
    assert_eq!(rejected(&report(&["g"], &["count()"]), "").1, "no header: the file holds no line that is not empty");
}

#[test]
fn an_empty_line_of_one_column_is_a_row() {
    check(&report(&[], &["count()", "sum(n)"]), "n\n1\n\n2\n\r\n3", &["5|6"]);
}

#[test]
fn other_encodings_give_the_same() {
    let text = "Größe,n\ngroß,1\nklein,2\ngroß,3\n";
    let report = report(&["größe"], &["sum(n)"]);
    let plan = plan(&report);
    let utf16: Vec<u8> =
        "\u{feff}".chars().chain(text.chars()).collect::<String>().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin: Vec<u8> = text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    for bytes in [text.as_bytes(), &utf16, &latin, &marked] {
        let partial = partial(&plan, "a.csv", bytes, 2).unwrap();
        assert_eq!(shown(&plan, &partial), ["groß|4", "klein|2"]);
    }
    let semicolons = text.replace(',', ";");
    assert_eq!(shown(&plan, &partial(&plan, "a.csv", semicolons.as_bytes(), 1).unwrap()), ["groß|4", "klein|2"]);
}

#[test]
fn packed_files_are_unpacked_and_damaged_ones_rejected() {
    let text = b"g,n\na,1\nb,2\n";
    let plan = plan(&report(&["g"], &["sum(n)"]));
    let packed = zstd::encode_all(&text[..], 1).unwrap();
    assert_eq!(shown(&plan, &partial(&plan, "a.csv.ZST", &packed, 1).unwrap()), ["a|1", "b|2"]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text).unwrap();
    let gzip = gzip.finish().unwrap();
    assert_eq!(shown(&plan, &partial(&plan, "a.csv.gz", &gzip, 1).unwrap()), ["a|1", "b|2"]);
    for (path, bytes) in [("a.csv.gz", &gzip[..gzip.len() - 4]), ("a.csv.zst", &packed[..packed.len() - 4])] {
        let error = partial(&plan, path, bytes, 1).err().unwrap();
        assert!(matches!(error, Error::Gate(GateError::Rejected(_))), "{path}: {error}");
    }
}

/// A file of far more rows than fit in a block, so that several threads get some, with a few rejects.
fn large() -> Vec<u8> {
    let mut file = b"g,n\n".to_vec();
    for row in 0..200_000 {
        let cell = if row % 1000 == 500 { "x".to_owned() } else { row.to_string() };
        file.extend(format!("group {},{cell}\n", row % 7).bytes());
        if row % 5000 == 0 {
            file.extend(b"\"quoted\nover two lines\",0\n\"never closed,1\n");
        }
    }
    file
}

#[test]
fn the_result_does_not_depend_on_threads_and_blocks() {
    let (file, plan) = (large(), plan(&report(&["g"], &["count()", "sum(n)", "min(n)", "max(n)", "mean(n)"])));
    assert!(file.len() > 4 << 19, "several blocks");
    let of = |threads| {
        let partial = plan.aggregate(open(&file), threads, go_on).unwrap();
        (partial.head(), groups(&partial))
    };
    let one = of(1);
    assert_eq!((one.0.rows, one.0.rejected), (200_080, 240));
    assert_eq!(of(2), one);
    assert_eq!(of(5), one);
}

#[test]
fn rejects_beyond_the_first_thousand_are_counted() {
    let file = format!("n\n{}", "x\n".repeat(300_000));
    let plan = plan(&checked(report(&[], &["count()"]), "n > 0"));
    for threads in [1, 3] {
        let head = plan.aggregate(open(file.as_bytes()), threads, go_on).unwrap().head();
        assert_eq!((head.rows, head.rejected, head.rejects.len()), (300_000, 300_000, 1000));
        assert!(head.rejects.iter().map(|reject| reject.line).eq(2..1002));
    }
}

#[test]
fn the_progress_callback_sees_all_bytes_and_can_stop() {
    let (file, plan) = (large(), plan(&report(&["g"], &["count()"])));
    let mut seen = Vec::new();
    let watch = |progress| {
        seen.push(progress);
        true
    };
    plan.aggregate(open(&file), 1, watch).unwrap();
    assert!(seen.len() > 3 && seen.is_sorted_by_key(|progress| (progress.bytes, progress.rows)), "{seen:?}");
    assert_eq!(seen.last().unwrap().bytes, file.len() as u64);
    let times = AtomicUsize::new(0);
    let stop = |_| times.fetch_add(1, Ordering::Relaxed) == 0;
    assert!(matches!(plan.aggregate(open(&file), 2, stop), Err(Error::Stopped)));
    assert_eq!(times.into_inner(), 2);
}

/// A file whose encoding has to be detected is read once more, which may take as long as the rows.
#[test]
fn it_can_be_stopped_while_the_encoding_is_detected() {
    let mut file = b"g,n\n".to_vec();
    file.extend(b"caf\xe9,1\n".repeat(300_000));
    let plan = plan(&report(&["g"], &["count()"]));
    let opened = AtomicUsize::new(0);
    let open = || {
        opened.fetch_add(1, Ordering::Relaxed);
        Ok(&file[..])
    };
    let watch = |_| opened.load(Ordering::Relaxed) < 2;
    let stopped = plan.aggregate_file(("a.csv", file.len() as u64), open, &FileFormat::default(), 2, watch);
    assert!(matches!(stopped, Err(Error::Stopped)));
    assert_eq!(opened.load(Ordering::Relaxed), 2, "not opened again for its rows");
}

#[test]
fn partials_of_other_reports_are_not_added() {
    let plan = plan(&report(&["g"], &["sum(n)", "min(n)"]));
    let mut total = Total::new(&plan);
    let line = |key: &[&str], parts: &[&str]| {
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        GroupLine(own(key), 1, own(parts))
    };
    assert!(total.add(&line(&["a"], &["1 5 0", "5"])).is_ok());
    for wrong in [
        line(&[], &["1 5 0", "5"]),
        line(&["a", "b"], &["1 5 0", "5"]),
        line(&[""], &["1 5 0", "5"]),
        line(&["a\0b"], &["1 5 0", "5"]),
        line(&["a"], &["1 5 0"]),
        line(&["a"], &["1 5 0", "5", ""]),
        line(&["a"], &["", "5"]),
        line(&["a"], &["1 5", "5"]),
        line(&["a"], &["1 5 21", "5"]),
        line(&["a"], &["1 x 0", "5"]),
        line(&["a"], &["-1 5 0", "5"]),
        line(&["a"], &["1 5 0 7ff0000000000000", "5"]),
        line(&["a"], &["1 5 0", "five"]),
        line(&["a"], &["1 5 0", "x7ff8000000000000"]),
    ] {
        assert!(total.add(&wrong).is_err(), "{wrong:?}");
    }
    assert_eq!(rows(total, &plan), ["a|5|5"], "a refused group changes nothing");
}

static FILES: AtomicUsize = AtomicUsize::new(0);

fn spill_file() -> io::Result<Box<dyn SpillFile>> {
    FILES.fetch_add(1, Ordering::Relaxed);
    Ok(Box::new(io::Cursor::new(Vec::new())))
}

/// A request of 14 KiB took gigabytes of a source.
#[test]
fn groups_for_which_there_is_no_room_go_to_files_and_are_the_same() {
    let rows = (0..8_000).map(|row| format!("g{},{row}.{}\n", row % 6_000, row % 7));
    let file: String = std::iter::once("g,n\n".to_owned()).chain(rows).collect();
    let metrics: Vec<String> = (0..25).map(|factor| format!("sum(n * {factor})")).chain(["max(n)".into()]).collect();
    let metrics: Vec<&str> = metrics.iter().map(String::as_str).collect();
    let room = Arc::new(Budget::new(1 << 20));
    let plan = plan(&report(&["g"], &metrics));
    let all = groups(&partial(&plan, "a.csv", file.as_bytes(), 2).unwrap());
    for _ in 0..2 {
        let before = FILES.load(Ordering::Relaxed);
        let within = plan.clone().within(Room::new(Arc::clone(&room), spill_file));
        let few = partial(&within, "a.csv", file.as_bytes(), 2).unwrap();
        assert!(FILES.load(Ordering::Relaxed) > before, "it takes files");
        assert!(groups(&few) == all);
        drop(few);
        let (mut small, mut large) = (Total::new(&within), Total::new(&plan));
        for group in all.iter().chain(&all[..100]) {
            small.add(group).unwrap();
            large.add(group).unwrap();
            assert!(room.taken() <= 3 << 20, "the total stays within its room");
        }
        assert!(self::rows(small, &within) == self::rows(large, &plan));
        assert_eq!(room.taken(), 0, "what was taken is given back");
    }
    let full = plan.within(Room::new(room, || Err(io::ErrorKind::StorageFull.into())));
    assert!(matches!(partial(&full, "a.csv", file.as_bytes(), 2), Err(Error::Spill(_))));
    let mut total = Total::new(&full);
    assert!(matches!(all.iter().try_for_each(|group| total.add(group)), Err(AddError::File(_))));
    let error = ReportPlan::compile(&report(&["g"], &["count()"; 500])).unwrap_err().to_string();
    assert!(error.contains("at most 500 columns"), "{error}");
}
