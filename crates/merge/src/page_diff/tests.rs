//! Stored pages decode to the run they were cut from, and a comparison finds exactly what changed.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use std::sync::Arc;

use tributary_budget::Budget;

use crate::{Batches, NAME, RunBuilder, SpillFiles, line_of, page::skus_of};

type Rows = BTreeMap<String, (String, u64)>;

fn builder() -> RunBuilder {
    RunBuilder::new(Arc::new(Budget::new(u64::MAX)), SpillFiles::new(|| unreachable!("memory is enough")), 0)
}

fn run(rows: &Rows) -> Run {
    let mut builder = builder();
    for (sku, (name, line)) in rows {
        builder.push(sku, [name.as_str()], false, *line).unwrap();
    }
    builder.finish().unwrap()
}

fn pages(rows: &Rows) -> Vec<Page> {
    run(rows).take_pages().unwrap()
}

/// Compares as the master does, with the pages of `old` as the stored ones.
fn compare(old: &Rows, new: Option<&Rows>) -> (Vec<String>, Vec<String>, PageDiff) {
    let (old, mut new) = (pages(old), new.map(run));
    let new_pages = new.as_mut().map(|run| run.take_pages().unwrap()).unwrap_or_default();
    let stored: Vec<_> = old.iter().map(|page| (page.first_sku.clone(), page.digest.clone())).collect();
    let diff = diff_pages(&new_pages, &stored);
    let read: Vec<_> =
        old.iter().filter(|page| diff.differing.contains(&page.first_sku)).map(|page| page.entries.clone()).collect();
    let changes = [compare_pages(1, new, &new_pages, &diff, &read).unwrap()];
    let mut batches = Batches::new(&changes, usize::MAX).unwrap();
    let mut lists = (Vec::new(), Vec::new());
    for (offer, gone) in batches.next_batch().unwrap().unwrap_or_default().rows() {
        if gone { lists.1.push(offer.sku.to_owned()) } else { lists.0.push(offer.sku.to_owned()) }
    }
    (lists.0, lists.1, diff)
}

fn numbered(count: u64) -> Rows {
    (0..count).map(|n| (format!("sku-{n:05}"), (format!("name {n}"), n + 2))).collect()
}

#[test]
fn the_last_row_of_a_sku_counts() {
    let mut builder = builder();
    for (sku, name, line) in [("b", "1", 2), ("a", "2", 3), ("b", "3", 4)] {
        builder.push(sku, [name], false, line).unwrap();
    }
    let mut run = builder.finish().unwrap();
    let pages = run.take_pages().unwrap();
    let all = [compare_pages(1, Some(run), &pages, &diff_pages(&pages, &[]), &[]).unwrap()];
    let page = &pages[0];
    let batch = Batches::new(&all, 9).unwrap().next_batch().unwrap().unwrap();
    assert_eq!(batch.rows().map(|(offer, _)| offer.texts.get(NAME)).collect::<Vec<_>>(), ["2", "3"]);
    assert_eq!(line_of("b", &page.entries, &page.lines).unwrap(), Some(4));
    assert_eq!(line_of("c", &page.entries, &page.lines).unwrap(), None);
}

/// A thousand rows of a megabyte each used to be one batch.
#[test]
fn a_batch_of_large_rows_has_few() {
    let rows: Rows = (0..9).map(|n| (format!("sku-{n}"), ("x".repeat(400_000), n))).collect();
    let mut run = run(&rows);
    let pages = run.take_pages().unwrap();
    let all = [compare_pages(1, Some(run), &pages, &diff_pages(&pages, &[]), &[]).unwrap()];
    let mut batches = Batches::new(&all, 1_000).unwrap();
    let mut batch = batches.next_batch().unwrap().unwrap();
    assert_eq!(batch.skus(), ["sku-0", "sku-1", "sku-2"]);
    let rest = batch.split_off(1);
    assert_eq!((batch.skus(), rest.skus()), (vec!["sku-0"], vec!["sku-1", "sku-2"]));
    assert_eq!((batch.bytes(), rest.bytes()), (batch.bytes(), 2 * batch.bytes()));
    assert_eq!(batches.next_batch().unwrap().unwrap().skus(), ["sku-3", "sku-4", "sku-5"]);
}

#[test]
fn one_changed_row_writes_one_page() {
    let rows = numbered(20_000);
    let mut changed = rows.clone();
    changed.get_mut("sku-12345").unwrap().0 = "other".into();
    assert!(pages(&rows).len() > 10, "20,000 skus make many pages");
    let (offered, gone, diff) = compare(&rows, Some(&changed));
    assert_eq!((offered, gone), (vec!["sku-12345".to_owned()], vec![]));
    assert_eq!((diff.deleted.len(), diff.inserted.len()), (1, 1));
}

#[test]
fn moved_lines_rewrite_pages_but_touch_no_sku() {
    let rows = numbered(5_000);
    let mut moved = rows.clone();
    moved.values_mut().for_each(|row| row.1 += 1);
    let (offered, gone, diff) = compare(&rows, Some(&moved));
    assert!(offered.is_empty() && gone.is_empty() && diff.differing.is_empty());
    assert_eq!(diff.inserted.len(), pages(&rows).len());
}

#[test]
fn a_file_that_is_gone_loses_all_its_skus() {
    let rows = numbered(3_000);
    let (offered, gone, _) = compare(&rows, None);
    assert!(offered.is_empty());
    assert_eq!(gone, rows.keys().cloned().collect::<Vec<_>>());
}

#[test]
fn damage_is_an_error_not_a_panic() {
    let page = pages(&numbered(10))[0].clone();
    for cut in 1..page.entries.len() {
        let _ = skus_of(&page.entries[..cut]);
    }
    assert!(skus_of(&page.entries[..page.entries.len() - 1]).is_err());
    assert!(skus_of(&[0xff; 30]).is_err());
    assert!(line_of("sku-00003", &page.entries, &[]).is_err());
}

fn some_rows() -> impl Strategy<Value = Rows> {
    proptest::collection::btree_map("[a-c]{0,3}[é0-9]{0,2}", ("[xy]", 0..9u64), 0..60)
}

proptest! {
    #[test]
    fn a_comparison_finds_exactly_the_differences(old in some_rows(), new in some_rows()) {
        let (offered, gone, _) = compare(&old, Some(&new));
        let expected: Vec<_> = new.iter().filter(|(sku, row)| old.get(*sku).map(|old| &old.0) != Some(&row.0)).map(|(sku, _)| sku.clone()).collect();
        prop_assert_eq!(offered, expected);
        prop_assert_eq!(gone, old.keys().filter(|sku| !new.contains_key(*sku)).cloned().collect::<Vec<_>>());
    }

    #[test]
    fn lines_come_back(rows in some_rows()) {
        for page in pages(&rows) {
            for sku in skus_of(&page.entries).unwrap() {
                prop_assert_eq!(line_of(sku, &page.entries, &page.lines).unwrap(), Some(rows[sku].1));
            }
        }
    }
}
