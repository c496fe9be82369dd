//! The merge against a plain model: tables that are kept by deltas equal tables that are computed anew.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::{Batches, Page, RankedFile, Run, RunBuilder, plan_pages, skus, touched};

/// sku → (name, deletes) of one file.
type File = BTreeMap<String, (String, bool)>;

/// What the database would hold, kept by deltas alone.
#[derive(Default)]
struct Tables {
    products: BTreeMap<String, Product>,
    shadowed: BTreeMap<(String, i64), Offer>,
    aggr: BTreeMap<String, i64>,
    edits: BTreeMap<String, Edit>,
    pages: BTreeMap<i64, Vec<Page>>,
}

impl Tables {
    fn before(&self, skus: &[String]) -> Before {
        let wanted: BTreeSet<&String> = skus.iter().collect();
        Before {
            products: self.products.values().filter(|row| wanted.contains(&row.sku)).cloned().collect(),
            shadowed: self.shadowed.values().filter(|row| wanted.contains(&row.sku)).cloned().collect(),
            edits: self.edits.values().filter(|row| wanted.contains(&row.sku)).cloned().collect(),
        }
    }

    /// Inserts must be new, updates and deletes must be there: the store relies on it.
    fn write(&mut self, delta: Delta) {
        for product in delta.products.inserted {
            assert!(self.products.insert(product.sku.clone(), product).is_none());
        }
        for product in delta.products.updated {
            assert!(self.products.insert(product.sku.clone(), product).is_some());
        }
        for sku in delta.products.deleted {
            assert!(self.products.remove(&sku).is_some());
        }
        for offer in delta.shadowed.inserted {
            assert!(self.shadowed.insert((offer.sku.clone(), offer.file), offer).is_none());
        }
        for offer in delta.shadowed.updated {
            assert!(self.shadowed.insert((offer.sku.clone(), offer.file), offer).is_some());
        }
        for key in delta.shadowed.deleted {
            assert!(self.shadowed.remove(&key).is_some());
        }
        for (name, step) in delta.aggr {
            *self.aggr.entry(name).or_default() += step;
        }
        self.aggr.retain(|_, count| *count != 0);
    }

    /// One version: some files at once, in batches of `rows`. An absent file is gone.
    fn apply(&mut self, files: &BTreeMap<i64, Option<File>>, ranks: &Ranks, rows: usize) {
        let mut changes = Vec::new();
        for (number, file) in files {
            let stored = self.pages.remove(number).unwrap_or_default();
            let run = file.as_ref().map(run_of);
            let digests: Vec<_> = stored.iter().map(|page| (page.first_sku.clone(), page.digest.clone())).collect();
            let plan = plan_pages(run.as_ref(), &digests);
            let differing: Vec<_> = stored
                .iter()
                .filter(|page| plan.differing.contains(&page.first_sku))
                .map(|page| page.entries.clone())
                .collect();
            changes.push(touched(*number, run.as_ref(), &plan, &differing).unwrap());
            self.pages.insert(*number, run.map(|run| run.pages().to_vec()).unwrap_or_default());
        }
        let mut batches = Batches::new(changes, rows);
        while let Some(batch) = batches.next_batch().unwrap() {
            let delta = merge(self.before(&skus(&batch).unwrap()), &batch, ranks).unwrap();
            self.write(delta);
        }
    }

    fn choose_again(&mut self, skus: &[String], ranks: &Ranks) {
        let delta = merge(self.before(skus), &[], ranks).unwrap();
        self.write(delta);
    }
}

fn run_of(file: &File) -> Run {
    let mut builder = RunBuilder::default();
    for (line, (sku, (name, deletes))) in file.iter().enumerate() {
        let name = if *deletes { "" } else { name };
        builder.push(sku, name, "d", *deletes, line as u64 + 2);
    }
    builder.finish().unwrap()
}

fn ranks(priorities: &[i64]) -> Ranks {
    let file = |(file, priority): (usize, &i64)| RankedFile {
        file: file as i64,
        priority: *priority,
        position: file as i64,
        path: String::new(),
    };
    Ranks::new(priorities.iter().enumerate().map(file).collect())
}

/// What is shown, computed from everything at once: sku → name.
fn shown(
    files: &BTreeMap<i64, Option<File>>,
    priorities: &[i64],
    edits: &BTreeMap<String, Edit>,
) -> BTreeMap<String, String> {
    let mut order: Vec<i64> = files.keys().copied().collect();
    order.sort_by_key(|file| (priorities[*file as usize], *file));
    let mut winners: BTreeMap<String, Option<String>> = BTreeMap::new();
    for (sku, (name, deletes)) in order.iter().filter_map(|file| files[file].as_ref()).flatten() {
        winners.insert(sku.clone(), (!deletes).then(|| name.clone()));
    }
    let mut shown: BTreeMap<String, String> =
        winners.into_iter().filter_map(|(sku, name)| Some((sku, name?))).collect();
    for edit in edits.values() {
        if edit.hidden {
            shown.remove(&edit.sku);
        } else if edit.stands || shown.contains_key(&edit.sku) {
            let name = shown.entry(edit.sku.clone()).or_default();
            if let Some(edited) = &edit.name {
                name.clone_from(edited);
            }
        }
    }
    shown
}

#[derive(Debug, Clone)]
enum Action {
    Version(Vec<(i64, Option<File>)>),
    Edit(Edit),
    Clear(String),
    Priorities(Vec<i64>),
}

fn action() -> impl Strategy<Value = Action> {
    let sku = || "[a-f]";
    let file = proptest::collection::btree_map(sku(), ("[xyz]", proptest::bool::weighted(0.2)), 0..6);
    let edit = (sku(), proptest::option::of("[uv]"), proptest::bool::weighted(0.3), any::<bool>());
    prop_oneof![
        4 => proptest::collection::vec((0..3i64, proptest::option::weighted(0.85, file)), 1..4).prop_map(Action::Version),
        2 => edit.prop_map(|(sku, name, hidden, stands)| Action::Edit(Edit { sku, name, description: None, hidden, stands })),
        1 => sku().prop_map(Action::Clear),
        1 => proptest::collection::vec(0..2i64, 3).prop_map(Action::Priorities),
    ]
}

proptest! {
    #[test]
    fn tables_kept_by_deltas_equal_tables_computed_anew(actions in proptest::collection::vec(action(), 1..14), rows in 1..9usize) {
        let mut tables = Tables::default();
        let mut files: BTreeMap<i64, Option<File>> = BTreeMap::new();
        let mut priorities = vec![0, 0, 0];
        for action in actions {
            match action {
                Action::Version(version) => {
                    let version: BTreeMap<_, _> = version.into_iter().collect();
                    tables.apply(&version, &ranks(&priorities), rows);
                    files.extend(version);
                }
                Action::Edit(edit) => {
                    let sku = edit.sku.clone();
                    tables.edits.insert(sku.clone(), edit);
                    tables.choose_again(&[sku], &ranks(&priorities));
                }
                Action::Clear(sku) => {
                    tables.edits.remove(&sku);
                    tables.choose_again(&[sku], &ranks(&priorities));
                }
                Action::Priorities(changed) => {
                    priorities = changed;
                    let contested: BTreeSet<String> = tables.shadowed.keys().map(|(sku, _)| sku.clone()).collect();
                    tables.choose_again(&contested.into_iter().collect::<Vec<_>>(), &ranks(&priorities));
                }
            }
            let expected = shown(&files, &priorities, &tables.edits);
            let products: BTreeMap<_, _> = tables.products.values().map(|product| (product.sku.clone(), product.name.clone())).collect();
            prop_assert_eq!(&products, &expected);
            let mut aggr = BTreeMap::new();
            expected.values().for_each(|name| *aggr.entry(name.clone()).or_insert(0) += 1);
            prop_assert_eq!(&tables.aggr, &aggr);
            // Applied again, the same version writes nothing.
            let current: BTreeMap<_, _> = files.clone();
            let size = (tables.products.len(), tables.shadowed.len());
            tables.apply(&current, &ranks(&priorities), rows);
            prop_assert_eq!(size, (tables.products.len(), tables.shadowed.len()));
        }
    }
}
