//! Totals of texts, in one piece and in many, compared with a model and with another reader of CSV.

use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;
use tributary_budget::Budget;

use super::*;

fn memory(bytes: u64) -> Share {
    Share::new(Arc::new(Budget::new(bytes)))
}

fn read(chunks: &[&[u8]]) -> Result<(Counts, String), Error> {
    let mut sales = Sales::new(memory(1 << 20));
    chunks.iter().try_for_each(|chunk| sales.push(chunk))?;
    sales.finish()?;
    let mut written = Vec::new();
    sales.write(&mut written).unwrap();
    Ok((sales.counts(), String::from_utf8(written).unwrap()))
}

#[track_caller]
fn check(text: &str, malformed: u64, expect: &[(&str, u64)]) {
    let (counts, written) = read(&[b"Department Name,Date,Number of Sales\n", text.as_bytes()]).unwrap();
    let lines: Vec<_> = expect.iter().map(|(name, sum)| format!("{name},{sum}\r\n")).collect();
    assert_eq!(written, format!("Department Name,Total Number of Sales\r\n{}", lines.concat()), "{text}");
    let sum = expect.iter().map(|(_, sum)| sum).sum::<u64>();
    assert_eq!((counts.malformed, counts.sales), (malformed, sum), "{text}");
}

#[test]
fn sales_are_added_up_per_department() {
    check(
        "Electronics,2023-08-01,100\nClothing,2023-08-01,200\nElectronics,2023-08-02,150",
        0,
        &[("Clothing", 200), ("Electronics", 250)],
    );
    check("", 0, &[]);
    // In the order of code points, which is not that of UTF-16.
    check(
        "b,,1\n\u{10000},,2\n\u{ff0c},,3\nVêtements,,4\nB,,5\n",
        0,
        &[("B", 5), ("Vêtements", 4), ("b", 1), ("\u{ff0c}", 3), ("\u{10000}", 2)],
    );
    check("\"a,b\",x,1\n\"a,b\" ,x,1\n\"c\"\"\nd\",x,\"2\"\r\n", 0, &[("\"a,b\"", 2), ("\"c\"\"\nd\"", 2)]);
    check("  a , x , 7 \n\u{a0}a\u{a0},x,\u{2003}1\n", 0, &[("a", 8)]);
}

#[test]
fn a_number_is_an_integer_that_is_not_negative() {
    check("a,,+3\na,,1_000\na,,007\na,,-0\na,,0\n", 0, &[("a", 1010)]);
    for text in ["", "x", "-50", "1.5", "1e3", "1__0", "_1", "1_", "+", "-", "++1", "0x1", "1 0", "\u{663}"] {
        check(&format!("a,,{text}\n"), 1, &[]);
    }
    check("a,,18446744073709551615\n", 0, &[("a", u64::MAX)]);
    let too_large =
        ["h\na,,18446744073709551616", "h\na,,18446744073709551615\nb,,1", "h\na,,9e\na,,99999999999999999999"];
    for text in too_large {
        assert_eq!(read(&[text.as_bytes()]), Err(Error::TooLarge), "{text}");
    }
}

#[test]
fn all_else_is_malformed_and_counted() {
    check("Too,few\na,b,1,2\n,2023-08-02,10\n  ,,1\n\n\n", 6, &[]);
    check("a,\"x,1\nb,x,2\n", 1, &[("b", 2)]);
    check("a, \"x\ny\",1\nb,x,2\n", 2, &[("b", 2)]);
    let (counts, written) = read(&[b"h\na,\xff,1\nb,\xc3\xa9,2\n\xc3,,1"]).unwrap();
    assert_eq!((counts.rows, counts.malformed), (1, 2));
    assert!(written.ends_with("\r\nb,2\r\n"), "{written}");
}

#[test]
fn the_first_record_is_a_header_whatever_it_says() {
    assert_eq!(read(&[b"a,x,1\nb,x,2"]).unwrap().0, Counts { rows: 1, malformed: 0, sales: 2 });
    assert_eq!(read(&[b"\"a\n,x\",1\nb,x,2"]).unwrap().0, Counts { rows: 1, malformed: 0, sales: 2 });
    assert_eq!(read(&[b"\"a\nb,x,2"]).unwrap().0, Counts { rows: 1, malformed: 0, sales: 2 });
    assert_eq!(read(&[b"\n"]).unwrap().0, Counts::default());
}

#[test]
fn departments_take_a_bounded_memory_which_they_give_back() {
    let all = Arc::new(Budget::new(1 << 20));
    let mut sales = Sales::new(Share::new(Arc::clone(&all)));
    sales.push(b"h\n").unwrap();
    let error = (0..100_000).find_map(|number| sales.push(format!("{number},,1\n").as_bytes()).err());
    let Some(Error::TooMany(count)) = error else { panic!("{error:?}") };
    assert!((5000..10_000).contains(&count), "{count}");
    drop(sales);
    assert_eq!(all.taken(), 0);
}

proptest! {
    /// Single bytes are never read the fast way.
    #[test]
    fn simple_rows_count_as_others_do(
        parts in prop::collection::vec(prop::sample::select(vec!["a", "b,x,1\n", "c,,22\r\n", ",", "7", "\n", "\r", "\"", " ", "é", "\u{1}", "9999999999"]), 0..40),
    ) {
        let text = format!("h\n{}", parts.concat());
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        prop_assert_eq!(read(&[text.as_bytes()]), read(&bytes));
    }

    /// The totals of text that another program has written, in chunks of any size.
    #[test]
    fn totals_are_those_of_a_model(
        rows in prop::collection::vec(("[ab,\"\n\r é]{0,3}", "[x,\"\n\r]{0,3}", 0_u64..1000), 0..30),
        ends in prop::collection::vec(0_usize..500, 0..20),
    ) {
        let mut text = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
        text.write_record(["department", "date", "sales"]).unwrap();
        let (mut expect, mut malformed) = (BTreeMap::<&str, u64>::new(), 0);
        for (department, date, sales) in &rows {
            text.write_record([department, date, &sales.to_string()]).unwrap();
            match department.trim() {
                "" => malformed += 1,
                name => *expect.entry(name).or_default() += sales,
            }
        }
        let text = text.into_inner().unwrap();
        let mut ends: Vec<usize> = ends.into_iter().map(|end| end.min(text.len())).collect();
        ends.extend([0, text.len()]);
        ends.sort_unstable();
        let chunks: Vec<&[u8]> = ends.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
        let (counts, written) = read(&chunks).unwrap();
        prop_assert_eq!((counts.rows, counts.malformed), (rows.len() as u64 - malformed, malformed));
        let mut read = csv::Reader::from_reader(written.as_bytes());
        let totals: Vec<(String, u64)> = read.deserialize().map(Result::unwrap).collect();
        let expect: Vec<(String, u64)> = expect.into_iter().map(|(name, sum)| (name.to_owned(), sum)).collect();
        prop_assert_eq!(totals, expect);
    }
}
