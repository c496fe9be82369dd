//! Files that are plain, and each reason why others are not. The property over random files is in `tests/plain.rs`.

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    strategy::ValueTree,
    test_runner::TestRunner,
};

use super::*;
use crate::{Escapes, Header, Ragged};

fn see(bytes: &[u8], settings: &Settings) -> Result<PlainTable, NotPlain> {
    plain_table("a.csv", bytes.len() as u64, || Ok(bytes), settings, |_| true).expect("memory does not fail")
}

/// A file with these columns and rows is plain.
#[track_caller]
fn check_plain(bytes: impl AsRef<[u8]>, delimiter: u8, columns: &[&str], rows: u64) {
    let shown = String::from_utf8_lossy(bytes.as_ref());
    let found = see(bytes.as_ref(), &Settings::default()).unwrap_or_else(|why| panic!("{shown:?}: {why}"));
    assert_eq!((found.delimiter, found.rows), (delimiter, rows), "{shown:?}");
    assert_eq!(found.columns, columns, "{shown:?}");
    assert!(found.has_header);
}

#[track_caller]
fn check_not(bytes: impl AsRef<[u8]>, settings: &Settings, expect: NotPlain) {
    let shown = String::from_utf8_lossy(bytes.as_ref());
    assert_eq!(see(bytes.as_ref(), settings), Err(expect), "{shown:?}");
}

fn at(line: u64, fault: LineFault) -> NotPlain {
    NotPlain::Line { line, fault }
}

#[test]
fn ordinary_files_are_plain() {
    check_plain("a,b\n1,2\n3,4\n", b',', &["a", "b"], 2);
    check_plain("a,b\r\n1,2\r\n3,4", b',', &["a", "b"], 2);
    check_plain("a;b\n1,5;2\n\"x;y\";\"\"\"\"\n", b';', &["a", "b"], 2);
    check_plain("a\tb\n\u{e9}\t\n", b'\t', &["a", "b"], 1);
    check_plain("\"a\",\" b \"\n1,2\n", b',', &["a", "b"], 1);
    check_plain("a\n1\n\"\"\n", b',', &["a"], 2);
    check_plain("a,b\n", b',', &["a", "b"], 0);
    check_plain("a,b", b',', &["a", "b"], 0);
}

#[test]
fn blocks_and_lines_are_all_compared() {
    let row = "12345,\"text, with a comma\",6.25,\u{2603}\n";
    let many = format!("a,b,c,d\n{}", row.repeat(60_000));
    assert!(many.len() > 4 * BLOCK_BYTES);
    check_plain(&many, b',', &["a", "b", "c", "d"], 60_000);
    let one_bad = format!("{many}1,\"two\nlines\",3,4\n{row}");
    check_not(one_bad, &Settings::default(), at(60_002, LineFault::OpenQuote));
}

#[test]
fn what_readers_read_differently_is_not_plain() {
    let usual = Settings::default();
    let rejects = |rows| NotPlain::Rejects { rows };
    check_not("\u{feff}a,b\n1,2\n", &usual, NotPlain::Encoding);
    check_not(b"a,b\n\xe9,2\n", &usual, NotPlain::Encoding);
    check_not("a,b\n1,2\n\n3,4\n", &usual, at(3, LineFault::Empty));
    check_not("a,b\n1,2\n\n", &usual, at(3, LineFault::Empty));
    check_not("a\n1\n\n3\n", &usual, at(3, LineFault::Empty));
    check_not("a,b\n1,x\ry\n", &usual, at(2, LineFault::CarriageReturn));
    check_not("a,b\r\r\n1,2\r\r\n", &usual, at(2, LineFault::CarriageReturn));
    check_not("a,b\n1,\"x\ny\"\n", &usual, at(2, LineFault::OpenQuote));
    check_not("a,b\n1,x\"y\n", &usual, at(2, LineFault::Quote));
    check_not("a,b\n1,2\n3\n", &usual, at(3, LineFault::OtherCells));
    check_not("a,b\n1,2\n3,4,5\n", &usual, at(3, LineFault::OtherCells));
    check_not("a,b\n1,2,\n3,4,\n", &usual, at(2, LineFault::OtherCells));
    check_not("a,b\n1,2\n3,\0\n", &usual, at(3, LineFault::OtherCells));
    check_not("a,b\r\n1,2\n", &usual, NotPlain::LineEnds);
    check_not("a,b\n1,2\r\n3,4", &usual, NotPlain::LineEnds);
    check_not("sep=;\na;b\n1;2\n", &usual, NotPlain::Header);
    check_not("\na,b\n1,2\n", &usual, NotPlain::Header);
    check_not("a,b\n1,2\na,b\n3,4\n", &usual, NotPlain::LeftOut);
    check_not("a,b\n1,2\n\u{1a}", &usual, NotPlain::LeftOut);
    check_not("a,b\r1,2\r", &usual, at(2, LineFault::CarriageReturn));
    check_not("a,'b'\n'1,5',2\n'3,5',4\n'4,5',6\n", &usual, at(2, LineFault::OtherCells));
    check_not("", &usual, NotPlain::Rejected { reason: "no header: the file holds no line that is not empty".into() });
    check_not("a,b\n1,2\n3,\"4\n", &usual, rejects(1));
}

#[test]
fn settings_that_change_cells_make_a_file_special() {
    let null = Settings { null: vec!["NA".into()], ..Settings::default() };
    check_not("a,b\n1,NA\n", &null, at(2, LineFault::OtherCells));
    assert!(see(b"a,b\n1,NAN\n", &null).is_ok(), "a word that does not occur changes nothing");
    let text_cells = Settings { text_cells: true, ..Settings::default() };
    check_not("a,b\n1,'007\n", &text_cells, at(2, LineFault::OtherCells));
    let pads = Settings { ragged: Ragged::Pad, ..Settings::default() };
    check_not("a,b\n1\n", &pads, at(2, LineFault::OtherCells));
    let comment = Settings { comment: Some("#".into()), ..Settings::default() };
    check_not("a,b\n#1,2\n3,4\n", &comment, at(2, LineFault::OtherCells));
    let skips = Settings { skip_rows: 1, ..Settings::default() };
    check_not("x\na,b\n1,2\n", &skips, NotPlain::Header);
    let footer = Settings { skip_footer: 1, ..Settings::default() };
    check_not("a,b\n1,2\n3,4\n", &footer, NotPlain::LeftOut);
    let two = Settings { delimiter: Some("::".into()), ..Settings::default() };
    check_not("a::b\n1::2\n", &two, NotPlain::Delimiter { delimiter: "::".into() });
    let escape = Settings { escape: Some(b'\\'), escapes: Escapes::Dropped, ..Settings::default() };
    check_not("a,b\n1,\"\\x\"\n", &escape, at(2, LineFault::OtherCells));
    let letters = Settings { quote: Some(crate::Quote::None), ..Settings::default() };
    check_not("a,b\n1,\"x\"\n", &letters, at(2, LineFault::OtherCells));
}

#[test]
fn without_a_header_every_line_is_a_row() {
    for header in [Header::None, Header::Names(vec!["x".into(), "y".into()])] {
        let settings = Settings { header, ..Settings::default() };
        let found = see(b"1,2\n3,4\n5,6\n", &settings).unwrap();
        assert!(!found.has_header);
        assert_eq!((found.rows, found.columns.len()), (3, 2));
    }
}

#[test]
fn facts_are_those_of_all_rows() {
    let found = see(b"n,t,e\n1.25,\" x\",\n-300,y,\"\"\n", &Settings::default()).unwrap();
    let numbers = ColumnFacts { integer_digits: 3, fraction_digits: 2, max_bytes: 4, ..ColumnFacts::default() };
    let texts = ColumnFacts { padded: 1, texts: 2, max_bytes: 2, ..ColumnFacts::default() };
    assert_eq!(found.facts, [numbers, texts, ColumnFacts { empty: 2, ..ColumnFacts::default() }]);
}

#[test]
fn a_caller_can_stop_it() {
    let stopped = plain_table("a.csv", 8, || Ok(&b"a,b\n1,2\n"[..]), &Settings::default(), |_| false);
    assert!(matches!(stopped, Err(Error::Io(why)) if why.kind() == io::ErrorKind::Interrupted));
}

/// Texts of few different pieces, most of them without quotes, and a table with a strange piece in it.
fn texts() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "a", "b", "12", "2.5", "-3", " ", "\u{a0}", "\u{e9}", ",", ",", ",", ",", ";", "\n", "\n", "\n", "\r\n", "\r",
        "'", "\\", "#", "\u{1a}", "\u{feff}", "\0", "sep=,", "a,b\n", "b,a\n", "A,B\r\n", " a,b\n", "NA", "\"q\"",
        "\"",
    ]);
    let row = select(vec!["1,2", "a,", ",b", "a,1", "b,2", "-0.50, x", "\u{e9},007", "NA,1", "'7,2", "\\,1", "s,e"]);
    let table = (vec(row, 0..12), select(vec!["\n", "\n", "\r\n"]))
        .prop_map(|(rows, end)| format!("a,b{end}{}{end}", rows.join(end)));
    let with_piece = (table.clone(), any::<Index>(), piece.clone()).prop_map(|(table, at, piece)| {
        let at = table.floor_char_boundary(at.index(table.len() + 1));
        format!("{}{piece}{}", &table[..at], &table[at..])
    });
    prop_oneof![table, with_piece, vec(piece, 0..20).prop_map(|pieces| pieces.concat())]
}

fn some_settings() -> impl Strategy<Value = Settings> {
    let usual = Settings::default;
    select(vec![
        usual(),
        usual(),
        usual(),
        usual(),
        Settings { null: vec!["NA".into()], ..usual() },
        Settings { text_cells: true, ..usual() },
        Settings { ragged: Ragged::Pad, ..usual() },
        Settings { ragged: Ragged::Trim, ..usual() },
        Settings { comment: Some("#".into()), ..usual() },
        Settings { quote: Some(crate::Quote::None), ..usual() },
        Settings { escape: Some(b'\\'), escapes: Escapes::Dropped, ..usual() },
        Settings { header: Header::None, ..usual() },
        Settings { skip_footer: 1, ..usual() },
        Settings { delimiter: Some(";".into()), ..usual() },
    ])
}

/// The findings of both ways to judge about each block that the quick one takes, and the number of blocks.
fn both_ways(bytes: &[u8], settings: &Settings, block_bytes: usize) -> (Vec<[Result<PlainFacts, NotPlain>; 2]>, usize) {
    let (mut found, mut blocks) = (Vec::new(), 0);
    let Ok(table) = Table::open_once("a.csv", bytes.len() as u64, bytes, settings) else { return (found, blocks) };
    let Ok(check) = PlainCheck::new(&table, settings) else { return (found, blocks) };
    let mut cut = Blocks::new(table, block_bytes);
    while let Ok(Some(block)) = cut.next_block() {
        blocks += 1;
        found.extend(check.judge_bare(&block).map(|facts| [Ok(facts), check.judge_lines(&block)]));
    }
    (found, blocks)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn the_quick_way_finds_what_the_comparison_of_all_cells_finds(
        text in texts(), settings in some_settings(), block_bytes in 1_usize..80,
    ) {
        for [quick, whole] in both_ways(text.as_bytes(), &settings, block_bytes).0 {
            prop_assert_eq!(quick, whole);
        }
    }

    #[test]
    fn it_does_so_in_any_bytes(bytes in vec(select(b"a1.-, \t\"'\r\n\0\x1a\xef\xbb\xbf\xc3\xa9#".to_vec()), 0..60), block_bytes in 1_usize..80) {
        let mut file = b"a,b\n1,2\n".to_vec();
        file.extend(bytes);
        for [quick, whole] in both_ways(&file, &Settings::default(), block_bytes).0 {
            prop_assert_eq!(quick, whole);
        }
    }
}

#[test]
fn the_quick_way_takes_most_blocks_that_are_plain() {
    let mut runner = TestRunner::deterministic();
    let (mut quick, mut all) = (0, 0);
    for _ in 0..300 {
        let text = texts().new_tree(&mut runner).unwrap().current();
        let (found, blocks) = both_ways(text.as_bytes(), &Settings::default(), 40);
        (quick, all) = (quick + found.len(), all + blocks);
    }
    assert!(quick * 3 > all, "only {quick} of {all} blocks: the property says little");
    let one = |text: &str| both_ways(text.as_bytes(), &Settings::default(), 4096).0.len();
    assert_eq!([one("a,b\n1,2\n3,4"), one("a,b\r\n1,2\r\n3,4\r\n"), one("a\nx\n y\n")], [1, 1, 1]);
    assert_eq!([one("a,b\n1,\"2\"\n"), one("a,b\n1,x\ry\n"), one("a,b\n1,2\n\n3,4\n"), one("a,b\n1,2\n3\n")], [0; 4]);
}
