//! The plain model: both tables recomputed from the folders, the configuration and the edits, with the `csv` crate and
//! maps. It shares no code with what it checks.

use std::{collections::BTreeMap, fs, path::Path};

use crate::system::{Aggr, Products};

/// A configured source.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) name: String,
    /// The folder that it serves.
    pub(crate) folder: String,
    pub(crate) priority: i64,
    /// The header that stands for `name`, if it is mapped.
    pub(crate) name_column: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Edit {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) hidden: bool,
    pub(crate) stands: bool,
}

/// sku → (name, description), or nothing for a delete.
type Offers = BTreeMap<String, Option<(String, String)>>;

#[derive(Default)]
pub(crate) struct Model {
    /// By source and path, what the last usable content gave.
    accepted: BTreeMap<(String, String), Offers>,
    pub(crate) edits: BTreeMap<String, Edit>,
}

impl Model {
    /// Takes in what the folders hold now.
    pub(crate) fn pass(&mut self, sources: &[Source], folder: impl Fn(&str) -> std::path::PathBuf) {
        let before = std::mem::take(&mut self.accepted);
        for source in sources {
            let folder = folder(&source.folder);
            for path in files(&folder) {
                let key = (source.name.clone(), path.clone());
                let content = fs::read(folder.join(&path)).unwrap();
                if let Some(offers) =
                    offers(&content, source.name_column.as_deref()).or_else(|| before.get(&key).cloned())
                {
                    self.accepted.insert(key, offers);
                }
            }
        }
    }

    pub(crate) fn tables(&self, sources: &[Source]) -> (Products, Aggr) {
        let place = |name: &str| {
            sources.iter().position(|source| source.name == name).map(|at| (sources[at].priority, at)).unwrap()
        };
        let mut files: Vec<_> = self.accepted.iter().collect();
        files.sort_by_key(|((source, path), _)| (place(source), path.clone()));
        let mut winners = Offers::new();
        for (_, offers) in files {
            winners.extend(offers.clone());
        }
        let mut products: Products = winners.into_iter().filter_map(|(sku, offer)| Some((sku, offer?))).collect();
        for (sku, edit) in &self.edits {
            if edit.hidden {
                products.remove(sku);
            } else if edit.stands || products.contains_key(sku) {
                let product = products.entry(sku.clone()).or_default();
                product.0 = edit.name.clone().unwrap_or(product.0.clone());
                product.1 = edit.description.clone().unwrap_or(product.1.clone());
            }
        }
        let mut aggr = Aggr::new();
        products.values().for_each(|(name, _)| *aggr.entry(name.clone()).or_default() += 1);
        (products, aggr)
    }
}

pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What a file gives, or nothing if it is rejected.
fn offers(content: &[u8], name_column: Option<&str>) -> Option<Offers> {
    let mut reader = csv::Reader::from_reader(content);
    let headers = reader.headers().ok()?.clone();
    let column = |name: &str| headers.iter().position(|header| header == name);
    let (sku, name) = (column("sku")?, column(name_column.unwrap_or("name"))?);
    let (description, op) = (column("description"), column("op"));
    let mut offers = Offers::new();
    for record in reader.records().map(Result::unwrap) {
        let text = |at: Option<usize>| at.map(|at| record[at].to_owned()).unwrap_or_default();
        let offer = (text(op) != "delete").then(|| (record[name].trim().to_owned(), text(description)));
        offers.insert(record[sku].trim().to_owned(), offer);
    }
    Some(offers)
}
