//! A run equals a map from sku to the last row, for any number of chunks in memory and in spill files.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use std::sync::Arc;

use tributary_budget::Budget;

use crate::{NAME, Texts};

type Rows = Vec<(String, String, bool)>;

/// Builds a run from chunks of `chunk` rows each, with descriptions of this length. At most `memory` bytes of them stay in memory.
fn build(rows: &Rows, chunk: usize, memory: usize, description: usize) -> Run {
    let description = "x".repeat(description);
    let mut builder = RunBuilder::new(Arc::new(Budget::new(memory as u64)), SpillFiles::new(tempfile::tempfile), 0);
    for (line, (sku, name, deletes)) in rows.iter().enumerate() {
        builder.push(sku, [name.as_str(), &description], *deletes, line as u64).unwrap();
        if (line + 1).is_multiple_of(chunk) {
            builder.seal().unwrap();
        }
    }
    builder.finish().unwrap()
}

/// Reads sku, name, deletes and line of some offers with a new cursor.
fn read(run: &Run, offers: impl Iterator<Item = usize>) -> Vec<(String, String, bool, u64)> {
    let mut cursor = run.cursor().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    offers
        .map(|offer| {
            cursor.seek(offer).unwrap();
            let Record { sku, texts, deletes, line, .. } = cursor.record();
            (text(sku), Texts(text(texts)).borrowed().get(NAME).to_owned(), deletes, line)
        })
        .collect()
}

fn rows() -> impl Strategy<Value = Rows> {
    let sku = prop_oneof!["[ab]{1,3}", "same-begin-[ab]{0,2}", "é[ab]?"];
    proptest::collection::vec((sku, "[xyz]{0,40}", any::<bool>()), 0..80)
}

proptest! {
    #[test]
    fn the_last_row_of_a_sku_counts_in_order_of_sku(
        rows in rows(), chunk in 1..30usize, memory in prop_oneof![Just(0), 0..20_000usize, Just(usize::MAX)],
        // A chunk of ten rows with long descriptions is too large to be copied into order.
        description in prop_oneof![Just(9), Just(8_000)], step in 1..5usize
    ) {
        let mut run = build(&rows, chunk, memory, description);
        let mut expected = BTreeMap::new();
        for (line, (sku, name, deletes)) in rows.iter().enumerate() {
            expected.insert(sku.clone(), (name.clone(), *deletes, line as u64));
        }
        let expected: Vec<_> = expected.into_iter().map(|(sku, (name, deletes, line))| (sku, name, deletes, line)).collect();
        prop_assert_eq!(run.offers(), expected.len());
        prop_assert_eq!(read(&run, 0..expected.len()), &expected[..]);
        let some: Vec<_> = expected.iter().step_by(step).cloned().collect();
        prop_assert_eq!(read(&run, (0..expected.len()).step_by(step)), some);
        // The number of chunks does not change the pages.
        let mut whole = build(&rows, usize::MAX, usize::MAX, description);
        prop_assert_eq!(run.take_pages().unwrap(), whole.take_pages().unwrap());
    }
}

#[test]
fn records_larger_than_the_window_come_back() {
    let long = "x".repeat(3 << 20);
    let rows: Rows = (0..9).map(|n| (format!("sku {n}"), long[n..].to_owned(), false)).collect();
    let run = build(&rows, 2, 0, 9);
    let names: Vec<_> = read(&run, 0..9).into_iter().map(|(_, name, ..)| name.len()).collect();
    assert_eq!(names, (0..9).map(|n| long.len() - n).collect::<Vec<_>>());
}

#[test]
fn a_dropped_run_returns_its_memory() {
    let budget = Arc::new(Budget::new(1 << 30));
    let mut builder = RunBuilder::new(budget.clone(), SpillFiles::new(tempfile::tempfile), 0);
    builder.push("a", ["b", "c"], false, 1).unwrap();
    let run = builder.finish().unwrap();
    assert!(budget.taken() > 0);
    drop(run);
    assert_eq!(budget.taken(), 0);
}
