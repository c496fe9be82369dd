//! Compares the merge with a plain model: tables kept by deltas equal tables computed from scratch.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::{
    Batches, MemoryBudget, NameDeltas, Page, RankedFile, Run, RunBuilder, SpillFiles, Texts, compare_pages, diff_pages,
};

/// sku → (name, deletes) of one file.
type File = BTreeMap<String, (String, bool)>;

/// The tables, kept by deltas alone.
#[derive(Default)]
struct Tables {
    products: BTreeMap<String, Product>,
    shadowed: BTreeMap<(String, i64), Offer>,
    aggr: BTreeMap<String, i64>,
    edits: BTreeMap<String, Edit>,
    pages: BTreeMap<i64, Vec<Page>>,
}

impl Tables {
    fn stored(&self, skus: &[&str]) -> StoredRows {
        let wanted = |sku: &String| skus.contains(&sku.as_str());
        StoredRows {
            products: self.products.values().filter(|row| wanted(&row.sku)).cloned().collect(),
            shadowed: self.shadowed.values().filter(|row| wanted(&row.sku)).cloned().collect(),
            edits: self.edits.values().filter(|row| wanted(&row.sku)).cloned().collect(),
        }
    }

    /// Checks that inserted keys are new and that updated and deleted keys exist. The store relies on it.
    fn write(&mut self, delta: Delta<'_>, names: &mut NameDeltas) {
        for product in delta.products.inserted {
            assert!(self.products.insert(product.sku.to_string(), owned(product)).is_none());
        }
        for product in delta.products.updated {
            assert!(self.products.insert(product.sku.to_string(), owned(product)).is_some());
        }
        for sku in delta.products.deleted {
            assert!(self.products.remove(sku).is_some());
        }
        for offer in delta.shadowed.inserted {
            assert!(self.shadowed.insert((offer.sku.to_owned(), offer.file), offer.owned()).is_none());
        }
        for offer in delta.shadowed.updated {
            assert!(self.shadowed.insert((offer.sku.to_owned(), offer.file), offer.owned()).is_some());
        }
        for (sku, file) in delta.shadowed.deleted {
            assert!(self.shadowed.remove(&(sku.to_owned(), file)).is_some());
        }
        names.add(&delta.names).unwrap();
    }

    fn add_names(&mut self, names: NameDeltas) {
        let summed = names.finish();
        let mut deltas = Vec::new();
        let mut take = |some| {
            deltas.extend(some);
            true
        };
        summed.for_each_batch(2, &mut take);
        assert!(deltas.windows(2).all(|pair| pair[0].0 < pair[1].0) && deltas.iter().all(|(_, delta)| *delta != 0));
        for (name, delta) in deltas {
            *self.aggr.entry(name.to_owned()).or_default() += delta;
        }
        self.aggr.retain(|_, count| *count != 0);
    }

    /// Applies one version: several files at once, in batches of `rows`. `None` means that the file is gone.
    fn apply(&mut self, files: &BTreeMap<i64, Option<File>>, ranks: &Ranks, rows: usize) {
        let runs: BTreeMap<i64, Option<Run>> =
            files.iter().map(|(number, file)| (*number, file.as_ref().map(run_of))).collect();
        let mut changes = Vec::new();
        for (number, mut run) in runs {
            let stored = self.pages.remove(&number).unwrap_or_default();
            let digests: Vec<_> = stored.iter().map(|page| (page.first_sku.clone(), page.digest.clone())).collect();
            let pages = run.as_mut().map(|run| run.take_pages().unwrap()).unwrap_or_default();
            let diff = diff_pages(&pages, &digests);
            let differing: Vec<_> = stored
                .iter()
                .filter(|page| diff.differing.contains(&page.first_sku))
                .map(|page| page.entries.clone())
                .collect();
            changes.push(compare_pages(number, run, &pages, &diff, &differing).unwrap());
            self.pages.insert(number, pages);
        }
        let mut batches = Batches::new(&changes, rows).unwrap();
        let mut names = NameDeltas::default();
        while let Some(batch) = batches.next_batch().unwrap() {
            let stored = self.stored(&batch.skus());
            self.write(merge(&stored, &batch, ranks).unwrap(), &mut names);
        }
        self.add_names(names);
    }

    fn choose_again(&mut self, skus: &[String], ranks: &Ranks) {
        let stored = self.stored(&skus.iter().map(String::as_str).collect::<Vec<_>>());
        let mut names = NameDeltas::default();
        self.write(merge(&stored, &Batch::default(), ranks).unwrap(), &mut names);
        self.add_names(names);
    }
}

fn owned(Product { sku, texts: Texts(texts), file, edited }: Product<Cow<'_, str>>) -> Product {
    Product { sku: sku.into_owned(), texts: Texts(texts.into_owned()), file, edited }
}

fn run_of(file: &File) -> Run {
    let mut builder =
        RunBuilder::new(MemoryBudget::new(usize::MAX), SpillFiles::new(|| unreachable!("memory is enough")));
    for (line, (sku, (name, deletes))) in file.iter().enumerate() {
        let texts = if *deletes { ["", ""] } else { [name, "d"] };
        builder.push(sku, texts, *deletes, line as u64 + 2).unwrap();
    }
    builder.finish().unwrap()
}

fn ranks(priorities: &[i64]) -> Ranks {
    let file = |(file, priority): (usize, &i64)| RankedFile {
        key: String::new(),
        file: file as i64,
        priority: *priority,
        position: file as i64,
        path: String::new(),
    };
    Ranks::new(priorities.iter().enumerate().map(file).collect())
}

/// The products shown, computed from all files and edits: sku → name.
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
            if let Some(edited) = edit.texts.get(NAME) {
                edited.clone_into(name);
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
        2 => edit.prop_map(|(sku, name, hidden, stands)| Action::Edit(Edit { sku, texts: [name].into_iter().collect(), hidden, stands })),
        1 => sku().prop_map(Action::Clear),
        1 => proptest::collection::vec(0..2i64, 3).prop_map(Action::Priorities),
    ]
}

proptest! {
    #[test]
    fn tables_kept_by_deltas_equal_tables_computed_from_scratch(actions in proptest::collection::vec(action(), 1..14), rows in 1..9usize) {
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
            let products: BTreeMap<_, _> = tables.products.values().map(|product| (product.sku.clone(), product.texts.borrowed().get(NAME).to_owned())).collect();
            prop_assert_eq!(&products, &expected);
            let mut aggr = BTreeMap::new();
            expected.values().for_each(|name| *aggr.entry(name.clone()).or_insert(0) += 1);
            prop_assert_eq!(&tables.aggr, &aggr);
            // Applying the same version again writes nothing.
            let current: BTreeMap<_, _> = files.clone();
            let size = (tables.products.len(), tables.shadowed.len());
            tables.apply(&current, &ranks(&priorities), rows);
            prop_assert_eq!(size, (tables.products.len(), tables.shadowed.len()));
        }
    }
}
