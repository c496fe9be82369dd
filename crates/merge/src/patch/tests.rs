//! A patch gives the pages and the changes that cutting all of the file gives.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection::vec, prelude::*};

use super::*;
use std::sync::Arc;

use tributary_budget::Budget;

use crate::{Batches, RunBuilder, SpillFiles, compare_pages};

/// A part of a file: its skus, each with a text. Every row is a line.
type Part = Vec<(String, String)>;
/// Pages by first sku.
type Pages = BTreeMap<String, (Vec<u8>, Vec<u8>, Vec<u8>)>;

fn run<'a>(rows: impl Iterator<Item = (u64, &'a (String, String))>) -> Run {
    let spill = SpillFiles::new(|| unreachable!("memory is enough"));
    let mut builder = RunBuilder::new(Arc::new(Budget::new(u64::MAX)), spill, 0);
    for (line, (sku, text)) in rows {
        builder.push(sku, [text.as_str()], false, line).unwrap();
    }
    builder.finish().unwrap()
}

/// The parts, each with its first line.
fn numbered<'a>(parts: &'a [(usize, Part)]) -> Vec<(u64, &'a (usize, Part))> {
    let mut line = 2;
    let place = |part: &'a (usize, Part)| {
        let first = line;
        line += part.1.len() as u64;
        (first, part)
    };
    parts.iter().map(place).collect()
}

fn lines<'a>(
    parts: impl IntoIterator<Item = (u64, &'a (usize, Part))>,
) -> impl Iterator<Item = (u64, &'a (String, String))> {
    parts.into_iter().flat_map(|(line, (_, part))| (line..).zip(part))
}

fn stored(pages: &Pages) -> Vec<(String, Vec<u8>)> {
    pages.iter().map(|(first, (digest, ..))| (first.clone(), digest.clone())).collect()
}

fn insert(pages: &mut Pages, page: &Page) {
    let Page { first_sku, digest, entries, lines, .. } = page;
    assert!(pages.insert(first_sku.clone(), (digest.clone(), entries.clone(), lines.clone())).is_none());
}

/// The skus that are offered or gone, with their texts.
fn listed(changes: FileChanges) -> Vec<(String, String, bool)> {
    let changes = [changes];
    let mut batches = Batches::new(&changes, usize::MAX).unwrap();
    let batch = batches.next_batch().unwrap().unwrap_or_default();
    batch.rows().map(|(offer, gone)| (offer.sku.to_owned(), offer.texts.get(0).to_owned(), gone)).collect()
}

/// Reads all of a file.
fn whole(before: &Pages, parts: &[(usize, Part)]) -> (Pages, Vec<(String, String, bool)>) {
    let mut run = run(lines(numbered(parts)));
    let pages = run.take_pages().unwrap();
    let diff = diff_pages(&pages, &stored(before));
    let old: Vec<_> = diff.differing.iter().map(|first| before[first].1.clone()).collect();
    let mut after = Pages::new();
    pages.iter().for_each(|page| insert(&mut after, page));
    (after, listed(compare_pages(1, Some(run), &pages, &diff, &old).unwrap()))
}

/// Reads what has changed between two contents. Parts with the same number stayed.
fn patched(
    before: &Pages,
    old: &[(usize, Part)],
    new: &[(usize, Part)],
) -> (Pages, Vec<(String, String, bool)>, usize) {
    let (old, new) = (numbered(old), numbered(new));
    let place = |id: usize| new.iter().find(|(_, part)| part.0 == id).map(|(line, _)| *line);
    let (stayed, gone): (Vec<_>, Vec<_>) = old.iter().partition(|(_, part)| place(part.0).is_some());
    let moved = stayed.iter().map(|(first, part)| MovedLines {
        first: *first,
        len: part.1.len() as u64,
        now: place(part.0).unwrap(),
    });
    let is_read = |(_, part): &&(u64, &(usize, Part))| !old.iter().any(|(_, before)| before.0 == part.0);
    let removed: BTreeSet<_> = gone.iter().flat_map(|(_, part)| part.1.iter().map(|(sku, _)| sku.clone())).collect();
    let offers = |parts: &[(u64, &(usize, Part))]| {
        parts.iter().flat_map(|(_, part)| part.1.iter().map(|(sku, _)| sku.clone())).collect::<BTreeSet<_>>().len()
    };
    let read = run(lines(new.iter().filter(is_read).copied()));
    let patch = Patch::new(read, removed.into_iter().collect(), HashSet::new(), moved.collect(), offers(&old));
    assert_eq!(patch.offers(), offers(&new));
    let stored = stored(before);
    let touched = patch.touched_pages(&stored).unwrap();
    let contents = touched.iter().map(|page| {
        let (_, entries, lines) = &before[&stored[*page].0];
        (entries.clone(), lines.clone())
    });
    let PatchedPages { deleted, inserted, changes } =
        patch.apply(1, &stored, &touched, &contents.collect::<Vec<_>>()).unwrap();
    let mut after = before.clone();
    deleted.iter().for_each(|first| assert!(after.remove(first).is_some()));
    inserted.iter().for_each(|page| insert(&mut after, page));
    (after, listed(changes), touched.len())
}

/// Skus in no order, of which few begin a page.
fn sku(number: u64) -> String {
    format!(
        "{:x}",
        blake3::hash(&number.to_le_bytes())
            .as_bytes()
            .iter()
            .take(5)
            .fold(0_u64, |all, byte| all << 8 | u64::from(*byte))
    )
}

/// A part with skus of its own, some of them twice.
fn part(id: usize, version: usize, rows: usize) -> Part {
    let number = |row: usize| (id * 1_000 + (row * (version % 3 + 1)) % 90) as u64;
    (0..rows).map(|row| (sku(number(row)), format!("text {}", row * version / 7))).collect()
}

#[derive(Debug, Clone)]
enum Step {
    /// Other rows with mostly the same skus, perhaps fewer.
    Change(usize, usize, usize),
    Delete(usize),
    Insert(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (any::<usize>(), 0..9usize, 0..120usize).prop_map(|(at, version, rows)| Step::Change(at, version, rows)),
        any::<usize>().prop_map(Step::Delete),
        (any::<usize>(), 1..120usize).prop_map(|(at, rows)| Step::Insert(at, rows)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_patch_gives_what_the_whole_file_gives(parts in 1..60usize, steps in vec(vec(step(), 1..4), 1..4)) {
        // Each part with the number of its content, and that of its skus.
        let mut content: Vec<(usize, usize, Part)> = (0..parts).map(|id| (id, id, part(id, 0, 100))).collect();
        let mut next = parts;
        let listed = |content: &[(usize, usize, Part)]| content.iter().map(|(number, _, part)| (*number, part.clone())).collect::<Vec<_>>();
        let (mut pages, _) = whole(&Pages::new(), &listed(&content));
        for steps in steps {
            let before = listed(&content);
            for step in steps {
                next += 1;
                let at = |at: usize| at % content.len().max(1);
                match step {
                    Step::Change(place, version, rows) if !content.is_empty() => {
                        let place = at(place);
                        let id = content[place].1;
                        content[place] = (next, id, part(id, version, rows));
                    }
                    Step::Delete(place) if content.len() > 1 => drop(content.remove(at(place))),
                    Step::Insert(place, rows) => {
                        let place = place % (content.len() + 1);
                        content.insert(place, (next, next, part(next, 1, rows)));
                    }
                    _ => {}
                }
            }
            let after = listed(&content);
            let (expected, expected_changes) = whole(&pages, &after);
            let (found, changes, _) = patched(&pages, &before, &after);
            prop_assert!(found == expected, "pages differ");
            prop_assert_eq!(changes, expected_changes);
            pages = expected;
        }
    }
}

#[test]
fn a_changed_row_touches_one_page() {
    let parts: Vec<_> = (0..100).map(|id| (id, part(id, 0, 90))).collect();
    let (pages, _) = whole(&Pages::new(), &parts);
    let mut after = parts.clone();
    after[50].0 = 1_000;
    after[50].1[3].1 = "another".to_owned();
    let (_, changes, touched) = patched(&pages, &parts, &after);
    assert_eq!(changes, [(after[50].1[3].0.clone(), "another".to_owned(), false)]);
    assert!(pages.len() > 5 && touched <= pages.len(), "{touched} of {} pages", pages.len());
}

#[test]
fn a_patch_of_other_pages_is_refused() {
    let parts: Vec<_> = (0..3).map(|id| (id, part(id, 0, 90))).collect();
    let (pages, _) = whole(&Pages::new(), &parts);
    let stored = stored(&pages);
    let contents: Vec<_> = pages.values().map(|(_, entries, lines)| (entries.clone(), lines.clone())).collect();
    let check = |rows: &Part, removed: &[&str], lines: &[MovedLines]| {
        let fresh = run((2..).zip(rows));
        let removed = removed.iter().map(|sku| (*sku).to_owned()).collect();
        let patch = Patch::new(fresh, removed, HashSet::new(), lines.to_vec(), 1);
        let touched: Vec<usize> = (0..stored.len()).collect();
        assert!(matches!(patch.apply(1, &stored, &touched, &contents), Err(Error::NotOfFile)));
    };
    let all = MovedLines { first: 1, len: 1_000, now: 1 };
    check(&vec![(parts[0].1[0].0.clone(), "x".to_owned())], &[], &[all]);
    check(&Vec::new(), &["no such sku"], &[all]);
    check(&Vec::new(), &[], &[MovedLines { len: 5, ..all }]);
}
