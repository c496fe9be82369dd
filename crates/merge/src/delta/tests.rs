//! Compares the merge with a plain model: tables kept by deltas equal tables computed from scratch.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use std::sync::Arc;

use tributary_budget::Budget;

use crate::{
    Batches, NAME, NameDeltas, Page, RankedFile, Ranks, Run, RunBuilder, SpillFiles, Texts, compare_pages, diff_pages,
};

/// sku → texts (name, price, stamp) and whether it deletes, of one file.
type File = BTreeMap<String, ([String; 3], bool)>;

/// The columns of the texts beside the name.
const PRICE: usize = 1;
const STAMP: usize = 2;

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
    fn apply(&mut self, files: &BTreeMap<i64, Option<File>>, rules: &Survivorship, rows: usize) {
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
        while let Some(mut batch) = batches.next_batch().unwrap() {
            // A batch may be merged in two parts, too.
            let rest = batch.split_off(batch.skus().len().div_ceil(2));
            for batch in [batch, rest] {
                let stored = self.stored(&batch.skus());
                self.write(merge(&stored, &batch, rules).unwrap(), &mut names);
            }
        }
        self.add_names(names);
    }

    fn choose_again(&mut self, skus: &[String], rules: &Survivorship) {
        let stored = self.stored(&skus.iter().map(String::as_str).collect::<Vec<_>>());
        let mut names = NameDeltas::default();
        self.write(merge(&stored, &Batch::default(), rules).unwrap(), &mut names);
        self.add_names(names);
    }
}

fn owned(Product { sku, texts: Texts(texts), file, edited }: Product<Cow<'_, str>>) -> Product {
    Product { sku: sku.into_owned(), texts: Texts(texts.into_owned()), file, edited }
}

fn run_of(file: &File) -> Run {
    let mut builder =
        RunBuilder::new(Arc::new(Budget::new(u64::MAX)), SpillFiles::new(|| unreachable!("memory is enough")), 0);
    for (line, (sku, ([name, price, stamp], deletes))) in file.iter().enumerate() {
        let texts = if *deletes { ["", "", stamp] } else { [name.as_str(), price, stamp] };
        builder.push(sku, texts, *deletes, line as u64 + 2).unwrap();
    }
    builder.finish().unwrap()
}

/// The settings of a configuration. Each file is a source of its own.
#[derive(Debug, Clone)]
struct Settings {
    priorities: Vec<i64>,
    newest: bool,
    /// The sources that the name and the price come from; empty for any.
    from: [Vec<i64>; 2],
}

impl Settings {
    fn rules(&self, group_by: usize) -> Survivorship {
        let file = |(file, priority): (usize, &i64)| RankedFile {
            key: String::new(),
            file: file as i64,
            priority: *priority,
            position: file as i64,
            path: String::new(),
            source: file as i64,
        };
        let from = self.from.iter().cloned().enumerate().filter(|(_, sources)| !sources.is_empty());
        Survivorship {
            ranks: Ranks::new(self.priorities.iter().enumerate().map(file).collect()),
            newest: self.newest.then_some(STAMP),
            from: from.collect(),
            group_by,
        }
    }
}

/// The name and the price of each product shown, computed from all files and edits.
fn shown(
    files: &BTreeMap<i64, Option<File>>,
    settings: &Settings,
    edits: &BTreeMap<String, Edit>,
) -> BTreeMap<String, [String; 2]> {
    let mut offers: BTreeMap<&String, Vec<_>> = BTreeMap::new();
    for (file, rows) in files.iter().filter_map(|(file, rows)| Some((*file, rows.as_ref()?))) {
        for (sku, (texts, deletes)) in rows {
            let stamp = if settings.newest { texts[STAMP].parse::<u32>().map_or(0, |stamp| stamp + 1) } else { 0 };
            offers.entry(sku).or_default().push((stamp, settings.priorities[file as usize], file, texts, *deletes));
        }
    }
    let mut shown: BTreeMap<String, [String; 2]> = BTreeMap::new();
    for (sku, mut offers) in offers {
        offers.sort();
        let Some((_, _, _, winner, false)) = offers.last().copied() else { continue };
        let text = |column: usize| match settings.from[column].as_slice() {
            [] => winner[column].clone(),
            sources => {
                let of = |source: &i64| offers.iter().find(|offer| offer.2 == *source && !offer.4);
                let texts = sources.iter().filter_map(of).map(|offer| &offer.3[column]);
                texts.into_iter().find(|text| !text.is_empty()).cloned().unwrap_or_default()
            }
        };
        shown.insert(sku.clone(), [text(NAME), text(PRICE)]);
    }
    for edit in edits.values() {
        if edit.hidden {
            shown.remove(&edit.sku);
        } else if edit.stands || shown.contains_key(&edit.sku) {
            let texts = shown.entry(edit.sku.clone()).or_default();
            for column in [NAME, PRICE] {
                edit.texts.get(column).into_iter().for_each(|text| text.clone_into(&mut texts[column]));
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
    Configure(Settings),
}

fn settings() -> impl Strategy<Value = Settings> {
    let from = || proptest::sample::select(vec![vec![], vec![], vec![0], vec![2, 0], vec![1, 2]]);
    let priorities = proptest::collection::vec(0..2i64, 3);
    (priorities, any::<bool>(), [from(), from()]).prop_map(|(priorities, newest, from)| Settings {
        priorities,
        newest,
        from,
    })
}

fn action() -> impl Strategy<Value = Action> {
    let sku = || "[a-f]";
    let row = (["[xyz]", "(|1|2)", "(|1|2)"], proptest::bool::weighted(0.2));
    let file = proptest::collection::btree_map(sku(), row, 0..6);
    let text = || proptest::option::of("[uv]");
    let edit = (sku(), [text(), text()], proptest::bool::weighted(0.3), any::<bool>());
    prop_oneof![
        4 => proptest::collection::vec((0..3i64, proptest::option::weighted(0.85, file)), 1..4).prop_map(Action::Version),
        2 => edit.prop_map(|(sku, texts, hidden, stands)| Action::Edit(Edit { sku, texts: texts.into_iter().collect(), hidden, stands })),
        1 => sku().prop_map(Action::Clear),
        1 => settings().prop_map(Action::Configure),
    ]
}

proptest! {
    #[test]
    fn tables_kept_by_deltas_equal_tables_computed_from_scratch(
        first in settings(),
        group_by in NAME..=PRICE,
        actions in proptest::collection::vec(action(), 1..14),
        rows in 1..9usize,
    ) {
        let mut tables = Tables::default();
        let mut files: BTreeMap<i64, Option<File>> = BTreeMap::new();
        let mut settings = first;
        for action in actions {
            match action {
                Action::Version(version) => {
                    let version: BTreeMap<_, _> = version.into_iter().collect();
                    tables.apply(&version, &settings.rules(group_by), rows);
                    files.extend(version);
                }
                Action::Edit(edit) => {
                    let sku = edit.sku.clone();
                    tables.edits.insert(sku.clone(), edit);
                    tables.choose_again(&[sku], &settings.rules(group_by));
                }
                Action::Clear(sku) => {
                    tables.edits.remove(&sku);
                    tables.choose_again(&[sku], &settings.rules(group_by));
                }
                Action::Configure(changed) => {
                    let is_reordered = (&changed.from, changed.newest) == (&settings.from, settings.newest);
                    settings = changed;
                    let contested = tables.shadowed.keys().map(|(sku, _)| sku.clone());
                    // Where a column comes from also concerns skus with a single offer.
                    let all = tables.products.keys().filter(|_| !is_reordered).cloned();
                    let skus: BTreeSet<String> = contested.chain(all).collect();
                    tables.choose_again(&skus.into_iter().collect::<Vec<_>>(), &settings.rules(group_by));
                }
            }
            let expected = shown(&files, &settings, &tables.edits);
            let text = |product: &Product, column| product.texts.borrowed().get(column).to_owned();
            let products: BTreeMap<_, _> =
                tables.products.values().map(|product| (product.sku.clone(), [text(product, NAME), text(product, PRICE)])).collect();
            prop_assert_eq!(&products, &expected);
            let mut aggr = BTreeMap::new();
            expected.values().for_each(|texts| *aggr.entry(texts[group_by].clone()).or_insert(0) += 1);
            prop_assert_eq!(&tables.aggr, &aggr);
            // Applying the same version again writes nothing.
            let current: BTreeMap<_, _> = files.clone();
            let size = (tables.products.len(), tables.shadowed.len());
            tables.apply(&current, &settings.rules(group_by), rows);
            prop_assert_eq!(size, (tables.products.len(), tables.shadowed.len()));
        }
    }
}
