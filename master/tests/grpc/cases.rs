//! Cases that programs which were written for the processor of this protocol rely on.

use tributary_grpc::processor::CsvChunk;

use super::Master;
use crate::system::System;

/// Chunks as they are sent behind the header, the counts of rows, of malformed ones and of departments, and the totals.
struct Case(&'static [&'static [u8]], [u64; 3], &'static [(&'static str, u64)]);

const HEADER: &[u8] = b"Department Name,Date,Number of Sales\n";
const CASES: [(&str, Case); 11] = [
    (
        "sales of a department are added up",
        Case(
            &[b"Garden,2024-02-01,70\n", b"Music,2024-02-01,30\n", b"Garden,2024-02-09,5\n"],
            [3, 0, 2],
            &[("Garden", 75), ("Music", 30)],
        ),
    ),
    (
        "a row is cut by chunks, and the last one has no line break",
        Case(
            &[b"Garden,2024-02-01,70\nMu", b"sic,2024-02-01,3", b"0\n", b"Garden,2024-02-09,5"],
            [3, 0, 2],
            &[("Garden", 75), ("Music", 30)],
        ),
    ),
    ("the date is not looked at", Case(&[b"Music,soon,1\nMusic,,2\n"], [2, 0, 1], &[("Music", 3)])),
    (
        "sales that are no number",
        Case(&[b"Music,x,some\nMusic,x,\nMusic,x,1.5\nMusic,x,4\n"], [1, 3, 1], &[("Music", 4)]),
    ),
    ("sales below nothing", Case(&[b"Music,x,-3\nMusic,x,0\n"], [1, 1, 1], &[("Music", 0)])),
    ("no department", Case(&[b",x,3\n  ,x,3\nMusic,x,1\n"], [1, 2, 1], &[("Music", 1)])),
    (
        "too few columns, too many, and none",
        Case(&[b"Music,1\nMusic,x,1,2\n\nMusic,x,1\n"], [1, 3, 1], &[("Music", 1)]),
    ),
    ("three columns, of which the last is a word", Case(&[b"One,two,three\nMusic,x,1\n"], [1, 1, 1], &[("Music", 1)])),
    ("nothing but a header", Case(&[], [0, 0, 0], &[])),
    (
        "letters beyond ASCII, one of them cut",
        Case(
            &["Jardín,x,2\nMöbel,x,3\n".as_bytes(), b"Jard\xc3", b"\xadn,x,4\n"],
            [3, 0, 2],
            &[("Jardín", 6), ("Möbel", 3)],
        ),
    ),
    (
        "a department in quotes",
        Case(&[b"\"Home, Garden\",x,2\n\"Home, Garden\",y,1\n"], [2, 0, 1], &[("\"Home, Garden\"", 3)]),
    ),
];

#[tokio::test]
async fn sales_are_counted_as_by_the_processor_of_the_protocol() {
    let system = System::new();
    let master = Master::start(&system, &[]);
    for (what, Case(chunks, [rows, malformed, departments], totals)) in CASES {
        let chunks =
            [HEADER].iter().chain(chunks).map(|data| CsvChunk { data: data.to_vec().into(), file_size_bytes: None });
        let (_, summary) = master.process(chunks.collect()).await.unwrap();
        let found = [summary.rows_processed, summary.malformed_rows, summary.unique_departments];
        assert_eq!(found, [rows, malformed, departments], "{what}");
        assert_eq!(summary.total_sales, totals.iter().map(|(_, total)| total).sum::<u64>(), "{what}");
        let lines: String = totals.iter().map(|(department, total)| format!("{department},{total}\r\n")).collect();
        assert_eq!(master.totals(&summary), format!("Department Name,Total Number of Sales\r\n{lines}"), "{what}");
    }
}
