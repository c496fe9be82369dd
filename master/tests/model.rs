//! The plain model: both tables recomputed from the folders, the configuration and the edits, with the `csv` crate and
//! maps. It shares no code with what it checks.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};

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
struct Edit {
    name: Option<String>,
    description: Option<String>,
    hidden: bool,
    stands: bool,
}

/// A change that a person or a program makes to an edit.
#[derive(Debug, Clone)]
pub(crate) enum EditRequest {
    Put {
        name: String,
        description: String,
    },
    /// A field that is not there, that is null, or a text.
    Patch {
        name: Option<Option<String>>,
        description: Option<Option<String>>,
    },
    /// An empty field is blank.
    Form {
        name: String,
        description: String,
    },
    Delete,
    DeleteEdit,
}

impl EditRequest {
    /// Method, path and body.
    pub(crate) fn sent(&self, sku: &str) -> (&'static str, String, String) {
        let path = format!("/api/v1/products/{sku}");
        match self {
            Self::Put { name, description } => {
                ("PUT", path, json!({ "name": name, "description": description }).to_string())
            }
            Self::Patch { name, description } => {
                let mut body = serde_json::Map::new();
                for (key, field) in [("name", name), ("description", description)] {
                    field.iter().for_each(|field| drop(body.insert(key.into(), json!(field))));
                }
                ("PATCH", path, Value::Object(body).to_string())
            }
            Self::Form { name, description } => {
                ("POST", "/update".into(), format!("sku={sku}&name={name}&description={description}"))
            }
            Self::Delete => ("DELETE", path, String::new()),
            Self::DeleteEdit => ("DELETE", format!("{path}/edit"), String::new()),
        }
    }
}

/// sku → (name, description), or nothing for a delete.
type Offers = BTreeMap<String, Option<(String, String)>>;

#[derive(Default)]
pub(crate) struct Model {
    /// By source and path, what the last usable content gave.
    accepted: BTreeMap<(String, String), Offers>,
    edits: BTreeMap<String, Edit>,
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

    /// Takes in an edit. Returns the status that it is answered with.
    pub(crate) fn edit(&mut self, sources: &[Source], sku: &str, request: &EditRequest) -> u16 {
        let is_shown = self.tables(sources).0.contains_key(sku);
        match request {
            EditRequest::Put { name, description } => {
                let edit = Edit {
                    name: Some(name.clone()),
                    description: Some(description.clone()),
                    hidden: false,
                    stands: true,
                };
                self.edits.insert(sku.into(), edit);
                if is_shown { 200 } else { 201 }
            }
            EditRequest::Patch { .. } | EditRequest::Form { .. } if !is_shown => 404,
            EditRequest::Patch { name, description } => {
                // To clear what was never set makes no edit, and an edit without fields shows the same.
                let edit = self.edits.entry(sku.into()).or_default();
                name.iter().for_each(|name| edit.name.clone_from(name));
                description.iter().for_each(|description| edit.description.clone_from(description));
                200
            }
            EditRequest::Form { name, description } => {
                let edit = self.edits.entry(sku.into()).or_default();
                for (field, typed) in [(&mut edit.name, name), (&mut edit.description, description)] {
                    if !typed.is_empty() {
                        *field = Some(typed.clone());
                    }
                }
                303
            }
            EditRequest::Delete => {
                self.edits.insert(sku.into(), Edit { hidden: true, ..Edit::default() });
                204
            }
            EditRequest::DeleteEdit => {
                self.edits.remove(sku);
                204
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

/// The offers of a file; `None` if it is rejected.
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
