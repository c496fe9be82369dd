//! Counts of names.

use std::collections::BTreeMap;

use proptest::{
    collection::{btree_map, vec},
    prelude::*,
};
use tributary_store::{AggrRow, Error};

use crate::Database;

fn moves(pairs: &[(&str, i64)]) -> Vec<(String, i64)> {
    pairs.iter().map(|(name, difference)| ((*name).to_owned(), *difference)).collect()
}

fn counts(database: &mut Database) -> Vec<(String, i64)> {
    let rows = database.store.aggr_page(None, None, i64::MAX).unwrap();
    rows.into_iter().map(|AggrRow { name, no_of_products }| (name, no_of_products)).collect()
}

#[test]
fn names_come_change_and_go() {
    let mut database = Database::new();
    let mut check = |differences: &[(&str, i64)], expect: &[(&str, i64)]| {
        database.store.add_to_aggr(&moves(differences)).unwrap();
        assert_eq!(counts(&mut database), moves(expect), "{differences:?}");
        assert_eq!(database.store.tally().unwrap().names, expect.len() as i64, "{differences:?}");
    };
    check(&[], &[]);
    check(&[("", 1), ("Z", 2), ("a", 3), ("ä", 4)], &[("", 1), ("Z", 2), ("a", 3), ("ä", 4)]);
    check(&[("", -1), ("a", 2), ("b", 1), ("ä", -3)], &[("Z", 2), ("a", 5), ("b", 1), ("ä", 1)]);
    check(&[("Z", -2), ("a", -5), ("b", -1), ("ä", -1)], &[]);
}

#[test]
fn a_count_below_zero_is_a_contradiction_that_names_the_name() {
    let mut database = Database::new();
    database.store.add_to_aggr(&moves(&[("a", 1)])).unwrap();
    for (name, part) in [("a", "counts 1 products of the name \"a\", but 2 are removed"), ("b", "counts 0 products")] {
        let error = database.store.add_to_aggr(&moves(&[(name, -2)])).unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }));
        assert!(error.to_string().contains(part), "{error}");
        assert!(error.to_string().contains("starter --reset"), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any series of moves that never falls below zero leaves the sums, and no row for zero.
    #[test]
    fn the_counts_are_the_sums(rounds in vec(btree_map("[a-d]{0,3}", -3_i64..=3, 0..40), 1..5)) {
        let mut database = Database::new();
        let mut sums = BTreeMap::<String, i64>::new();
        for round in rounds {
            let mut differences = Vec::new();
            for (name, wanted) in round {
                let sum = sums.entry(name.clone()).or_default();
                let difference = wanted.max(-*sum);
                *sum += difference;
                if difference != 0 {
                    differences.push((name, difference));
                }
            }
            database.store.add_to_aggr(&differences).unwrap();
            sums.retain(|_, sum| *sum != 0);
            prop_assert_eq!(counts(&mut database), sums.clone().into_iter().collect::<Vec<_>>());
        }
    }
}
