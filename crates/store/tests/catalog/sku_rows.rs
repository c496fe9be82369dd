//! The rows of a set of skus, dense or sparse, compared with a look at every row.

use std::collections::BTreeSet;

use proptest::{collection::btree_set, prelude::*};
use tributary_store::{SkuRows, Store};

use crate::{Database, edit, product, shadowed, strings};

/// Fills the tables: a product for each sku, two shadowed offers for every second, an edit for every third.
fn fill(store: &mut Store, skus: &[String]) -> SkuRows {
    let every = |step: usize| skus.iter().step_by(step);
    let state = SkuRows {
        products: every(1).map(|sku| product(sku, &format!("name of {sku}"))).collect(),
        shadowed: every(2).flat_map(|sku| [shadowed(sku, 1), shadowed(sku, 2)]).collect(),
        edits: every(3).map(|sku| edit(sku)).collect(),
    };
    store
        .transaction::<_, tributary_store::Error>(|store| {
            store.insert_products(&state.products, 0)?;
            store.insert_shadowed(&state.shadowed)?;
            state.edits.iter().try_for_each(|edit| store.put_edit(edit))
        })
        .unwrap();
    state
}

/// The rows of the wanted skus, by looking at each.
fn naive(mut all: SkuRows, wanted: &[String]) -> SkuRows {
    let wanted: BTreeSet<&String> = wanted.iter().collect();
    all.products.retain(|row| wanted.contains(&row.sku));
    all.shadowed.retain(|row| wanted.contains(&row.sku));
    all.edits.retain(|row| wanted.contains(&row.sku));
    all
}

fn numbered(numbers: impl Iterator<Item = u32>) -> Vec<String> {
    numbers.map(|number| format!("sku-{number:06}")).collect()
}

#[test]
fn requests_of_every_density_find_the_same_as_a_look_at_every_row() {
    let mut database = Database::new();
    let all = fill(&mut database.store, &numbered(0..6_000));
    let mut check = |wanted: Vec<String>| {
        let found = database.store.sku_rows(&wanted).unwrap();
        assert_eq!(found, naive(all.clone(), &wanted), "{} skus from {:?}", wanted.len(), wanted.first());
    };
    check(vec![]);
    check(strings(&["", "sku-000000", "zzz"]));
    check(strings(&["none"]));
    check(numbered(0..6_000));
    check(numbered(0..1_001));
    check(numbered((0..6_000).step_by(3)));
    check(numbered((0..6_000).step_by(100)));
    // Dense at first, then sparse, then dense again, each over more than one chunk.
    check(numbered((0..2_000).chain((2_000..4_000).step_by(50)).chain(4_000..7_500)));
}

#[test]
fn skus_are_ordered_and_compared_by_their_bytes() {
    let mut database = Database::new();
    // PostgreSQL's texts have no NUL, and rows with one are rejects.
    let control = if crate::server().is_some() { "a\u{1}b" } else { "a\0b" };
    let mut sorted = strings(&["", " a", "A", "B", "a", control, "a%", "ab", "a\u{308}", "ä", "\u{10ffff}"]);
    sorted.sort();
    let all = fill(&mut database.store, &sorted);
    assert_eq!(database.store.sku_rows(&sorted).unwrap(), all);
    let one = strings(&["a"]);
    assert_eq!(database.store.sku_rows(&one).unwrap(), naive(all, &one));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_request_finds_the_same_as_a_look_at_every_row(
        stored in btree_set("[abcä]{0,4}", 0..120),
        wanted in btree_set("[abcä]{0,4}", 0..60),
    ) {
        let mut database = Database::new();
        let all = fill(&mut database.store, &stored.into_iter().collect::<Vec<_>>());
        let wanted: Vec<String> = wanted.into_iter().collect();
        prop_assert_eq!(database.store.sku_rows(&wanted).unwrap(), naive(all, &wanted));
    }
}

/// Some rows of a megabyte each used to be read together, a thousand of them.
#[test]
fn large_rows_are_read_a_few_at_a_time() {
    let mut database = Database::new();
    let skus = numbered(0..200);
    let all = fill(&mut database.store, &skus);
    for max_bytes in [0, 1, 100, 1_000, usize::MAX] {
        let (mut rest, mut found) = (&skus[..], SkuRows::default());
        while !rest.is_empty() {
            let (some, read) = database.store.sku_rows_within(rest, true, max_bytes).unwrap();
            assert!(read > 0 && (max_bytes < usize::MAX || read == skus.len()), "{max_bytes}");
            assert!(max_bytes > 0 || read == 1, "{read}");
            assert!(max_bytes != 1_000 || (5..200).contains(&read) || read == rest.len(), "{read}");
            found.products.extend(some.products);
            found.shadowed.extend(some.shadowed);
            found.edits.extend(some.edits);
            rest = &rest[read..];
        }
        assert_eq!(found, all, "{max_bytes}");
    }
    // The range of these has more rows than are wanted.
    let sparse: Vec<String> = skus.iter().step_by(50).cloned().collect();
    let (_, read) = database.store.sku_rows_within(&sparse, true, 0).unwrap();
    assert_eq!(read, 1);
}
