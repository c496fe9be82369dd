//! A file that is read in segments gives the same offers and rejects as one that is read as a whole, whatever has changed in it.

use proptest::{collection::vec, prelude::*, sample::select};

use super::{FoundSegment, Segment};
use crate::{Columns, Error, Feed, FeedItem, OpWords, Quotes, Rejects, Settings, Table, write_texts};

/// The sku, the texts and the line of an offer.
type Offer = (String, Vec<u8>, u64);

/// Rows and rejects of a file.
#[derive(Debug, Clone, PartialEq)]
struct Given {
    offers: Vec<Offer>,
    rejects: Rejects,
    rows: u64,
    notes: Vec<String>,
}

/// Segments of a content, each with its offers, whose lines are counted from its start.
type Known = Vec<(Segment, Vec<Offer>)>;

fn feed(file: &[u8], settings: &Settings) -> Result<Feed<impl std::io::Read>, Error> {
    let table =
        Table::open_in_chunks("a.csv", file.len() as u64, || Ok(std::io::Cursor::new(file.to_vec())), settings, 64)?;
    Feed::new(table, &Columns::default(), OpWords::new())
}

fn offer(offer: crate::OfferRow<'_>) -> Offer {
    let mut texts = Vec::new();
    write_texts(&mut texts, offer.texts.iter());
    (offer.sku.to_owned(), texts, offer.line)
}

fn read_whole(file: &[u8], settings: &Settings) -> Option<Given> {
    let mut feed = feed(file, settings).ok()?;
    let mut offers = Vec::new();
    while let Some(next) = feed.next_offer().ok()? {
        offers.push(offer(next));
    }
    Some(given(&feed, offers))
}

fn given(feed: &Feed<impl std::io::Read>, offers: Vec<Offer>) -> Given {
    let rejects = feed.rejects().clone();
    Given { offers, notes: feed.dialect().notes(&rejects), rejects, rows: feed.rows() }
}

/// Reads a file whose earlier content had these segments. Returns what it gives, its segments, and how many were known.
fn read_in_segments(file: &[u8], settings: &Settings, known: &Known) -> Option<(Given, Known, usize)> {
    let mut feed = feed(file, settings).ok()?.in_segments(known.iter().map(|(segment, _)| *segment).collect(), 7);
    let (mut segments, mut open, mut skipped) = (Known::new(), Vec::new(), 0);
    let mut all = Vec::new();
    loop {
        match feed.next_item().ok()? {
            FeedItem::Offer(next) => open.push(offer(next)),
            FeedItem::Segment(FoundSegment::Read { segment, line }) => {
                all.extend(open.iter().cloned());
                open.iter_mut().for_each(|(.., at)| *at = at.wrapping_sub(line));
                segments.push((segment, std::mem::take(&mut open)));
            }
            FeedItem::Segment(FoundSegment::Known { index, line }) => {
                let (segment, offers) = &known[index];
                assert!(open.is_empty() && segment.is_regular);
                all.extend(offers.iter().map(|(sku, texts, at)| (sku.clone(), texts.clone(), at.wrapping_add(line))));
                segments.push((*segment, offers.clone()));
                skipped += 1;
            }
            FeedItem::End => break,
        }
    }
    assert!(open.is_empty(), "rows behind the last segment");
    Some((given(&feed, all), segments, skipped))
}

/// Pieces of files, sound and broken ones.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let row = (0..400u32, 0..3u32).prop_map(|(sku, name)| format!("s{sku},Pen {name},blue\n").into_bytes());
    let odd = select(vec![
        &b"q1,\"two\nlines\",\"a \"\"b\"\"\"\n"[..],
        b"q2,\"open\n",
        b"q3,\"stray\"x,y\n",
        b"\n",
        b"\r\n",
        b"\r",
        b"too,few\n",
        b"too,many,cells,here\n",
        b",no sku,\n",
        b"\xff,bytes,\n",
        b"n,\0,\n",
        b"sku,name,description\n",
        b"sku,description,name\n",
        b"sku,name\n",
        b"\x1a",
        b"\xef\xbb\xbf",
        b"---,---,---\n",
        b"sep=,\n",
        b"# a note,,\n",
        b"Total,,3\n",
        b"2 rows\n",
        b",,\n",
        b"\"",
        b"long,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,b\n",
    ]);
    prop_oneof![40 => row, 1 => odd.prop_map(<[u8]>::to_vec)]
}

#[derive(Debug, Clone)]
enum Change {
    Insert(usize, Vec<u8>),
    Delete(usize, usize),
    Byte(usize, u8),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<usize>(), piece()).prop_map(|(at, piece)| Change::Insert(at, piece)),
        (any::<usize>(), 1..60usize).prop_map(|(at, len)| Change::Delete(at, len)),
        (any::<usize>(), select(b"\"\n\r,\\ a\0\xff".to_vec())).prop_map(|(at, byte)| Change::Byte(at, byte)),
    ]
}

/// Applies a change below the header, mostly at the start of a line.
fn apply(file: &mut Vec<u8>, change: &Change) {
    let (Change::Insert(at, _) | Change::Delete(at, _) | Change::Byte(at, _)) = change;
    let at = at % (file.len() + 1);
    let line = file[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    match change {
        Change::Insert(_, piece) => drop(file.splice(line..line, piece.iter().copied())),
        Change::Delete(_, len) => drop(file.drain(at..file.len().min(at + len))),
        Change::Byte(_, byte) => {
            if let Some(changed) = file.get_mut(at) {
                *changed = *byte;
            }
        }
    }
}

fn settings() -> impl Strategy<Value = Settings> {
    (any::<bool>(), any::<bool>(), any::<bool>(), 1..5usize).prop_map(|(lenient, escape, comment, kept)| {
        let quotes = if lenient { Quotes::Lenient } else { Quotes::Strict };
        let (escape, comment) = (escape.then_some(b'\\'), comment.then(|| "#".to_owned()));
        let mut settings = Settings { quotes, escape, comment, ..Settings::default() };
        settings.limits.field_bytes = 60;
        settings.limits.record_bytes = 300;
        settings.limits.lookahead_bytes = 2_000;
        settings.limits.rejects_kept = 3 * kept;
        settings
    })
}

/// The cases to run: 100, or as many as `TRIBUTARY_CASES` says.
fn cases() -> u32 {
    std::env::var("TRIBUTARY_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(100)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn reading_in_segments_gives_what_reading_as_a_whole_gives(
        pieces in vec(piece(), 0..300),
        steps in vec(vec(change(), 1..4), 1..4),
        settings in settings(),
    ) {
        let mut file = b"sku,name,description\n".to_vec();
        file.extend(pieces.concat());
        let mut known = Known::new();
        for step in [Vec::new()].iter().chain(&steps) {
            step.iter().for_each(|change| apply(&mut file, change));
            let whole = read_whole(&file, &settings);
            let read = read_in_segments(&file, &settings, &known);
            prop_assert_eq!(read.as_ref().map(|read| &read.0), whole.as_ref(), "{}", String::from_utf8_lossy(&file));
            if let Some((_, segments, _)) = read {
                known = segments;
            }
        }
    }
}

#[test]
fn only_what_changed_is_read_again() {
    let line = |row: u32| format!("s{row},Pen {},\"a, b\"\n", row % 7);
    let file =
        |rows: &mut dyn Iterator<Item = u32>| format!("sku,name,description\n{}", rows.map(line).collect::<String>());
    let settings = Settings::default();
    let read = |text: &str, known: &Known| {
        let (given, segments, skipped) = read_in_segments(text.as_bytes(), &settings, known).unwrap();
        assert_eq!(Some(given), read_whole(text.as_bytes(), &settings));
        (segments, skipped)
    };
    let (known, skipped) = read(&file(&mut (0..2_000)), &Known::new());
    assert!(known.len() > 200 && skipped == 0, "{} segments", known.len());
    // The first and the last one are read again; behind a change, the next one but one is known.
    let check = |text: &str, most: usize| {
        let (segments, skipped) = read(text, &known);
        assert!(
            segments.len() - skipped <= most,
            "{} of {} segments were read",
            segments.len() - skipped,
            segments.len()
        );
    };
    check(&file(&mut (0..2_000)), 2);
    check(&file(&mut (0..2_100)), 30);
    check(&file(&mut (0..2_000).filter(|row| *row != 1_000)), 5);
    check(&file(&mut (0..1_000).chain([5_000]).chain(1_000..2_000)), 5);
    check(&format!("{}x,y,z\n", file(&mut (0..2_000))), 3);
    let header = file(&mut (0..2_000)).replace("sku,name,description", "sku,name,Description");
    check(&header, known.len());
}
