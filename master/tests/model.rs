//! The plain model: both tables recomputed from the folders, the configuration and the edits, with the `csv` crate and
//! maps. It shares no code with what it checks.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};

use crate::system::Aggr;

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

/// The configured catalog. Its own columns are `price` and `brand`, or one of them, or none.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Catalog {
    pub(crate) own: Vec<&'static str>,
    /// `price IS NULL OR price >= 0`.
    pub(crate) check: bool,
    /// The column `stamp`.
    pub(crate) newest: bool,
    /// Columns with the sources that they come from.
    pub(crate) from: Vec<(&'static str, Vec<String>)>,
    /// Count `price` in place of the name.
    pub(crate) by_price: bool,
}

impl Catalog {
    pub(crate) fn has(&self, column: &str) -> bool {
        ["name", "description"].contains(&column) || self.own.contains(&column)
    }

    /// The columns that are shown.
    pub(crate) fn shown(&self) -> Vec<&'static str> {
        ["name", "description"].into_iter().chain(self.own.iter().copied()).collect()
    }

    fn counts(&self) -> &'static str {
        if self.by_price && self.has("price") { "price" } else { "name" }
    }
}

/// Texts by column.
type Texts = BTreeMap<String, String>;

#[derive(Debug, Clone, Default)]
struct Edit {
    texts: Texts,
    hidden: bool,
    stands: bool,
}

/// A change that a person or a program makes to an edit.
#[derive(Debug, Clone)]
pub(crate) enum EditRequest {
    /// A name, a description, perhaps a price.
    Put(String, String, Option<String>),
    /// Columns with a text or null.
    Patch(BTreeMap<String, Option<String>>),
    /// An empty field is blank.
    Form(Texts),
    Delete,
    DeleteEdit,
}

impl EditRequest {
    /// Method, path and body.
    pub(crate) fn sent(&self, sku: &str) -> (&'static str, String, String) {
        let path = format!("/api/v1/products/{sku}");
        match self {
            Self::Put(name, description, price) => {
                let mut body = json!({ "name": name, "description": description });
                price.iter().for_each(|price| body["price"] = json!(price));
                ("PUT", path, body.to_string())
            }
            Self::Patch(columns) => ("PATCH", path, json!(columns).to_string()),
            Self::Form(fields) => {
                let fields: String = fields.iter().map(|(column, text)| format!("&{column}={text}")).collect();
                ("POST", "/update".into(), format!("sku={sku}{fields}"))
            }
            Self::Delete => ("DELETE", path, String::new()),
            Self::DeleteEdit => ("DELETE", format!("{path}/edit"), String::new()),
        }
    }

    /// Whether it names a column that the catalog does not have.
    fn is_of_another_catalog(&self, catalog: &Catalog) -> bool {
        match self {
            Self::Put(_, _, price) => price.is_some() && !catalog.has("price"),
            Self::Patch(columns) => columns.keys().any(|column| !catalog.has(column)),
            Self::Form(fields) => fields.keys().any(|column| !catalog.has(column)),
            Self::Delete | Self::DeleteEdit => false,
        }
    }
}

/// One file's row for a sku.
#[derive(Debug, Clone)]
struct Offer {
    deletes: bool,
    texts: Texts,
}

type Offers = BTreeMap<String, Offer>;

#[derive(Default)]
pub(crate) struct Model {
    /// By source and path, what the last usable content gave.
    accepted: BTreeMap<(String, String), Offers>,
    edits: BTreeMap<String, Edit>,
    pub(crate) catalog: Catalog,
}

impl Model {
    /// Takes in what the folders hold now.
    pub(crate) fn pass(&mut self, sources: &[Source], folder: impl Fn(&str) -> std::path::PathBuf) {
        let mut before = std::mem::take(&mut self.accepted);
        // What the catalog no longer has is forgotten, even of a file that cannot be read again.
        let is_kept = |column: &String| self.catalog.has(column) || (self.catalog.newest && column == "stamp");
        before
            .values_mut()
            .flat_map(Offers::values_mut)
            .for_each(|offer| offer.texts.retain(|column, _| is_kept(column)));
        for source in sources {
            let folder = folder(&source.folder);
            for path in files(&folder) {
                let key = (source.name.clone(), path.clone());
                let content = fs::read(folder.join(&path)).unwrap();
                let read = offers(&content, source.name_column.as_deref(), &self.catalog);
                if let Some(offers) = read.or_else(|| before.get(&key).cloned()) {
                    self.accepted.insert(key, offers);
                }
            }
        }
    }

    /// Takes in an edit. Returns the status that it is answered with.
    pub(crate) fn edit(&mut self, sources: &[Source], sku: &str, request: &EditRequest) -> u16 {
        if request.is_of_another_catalog(&self.catalog) {
            return if matches!(request, EditRequest::Form(_)) { 400 } else { 422 };
        }
        let is_shown = self.tables(sources).0.contains_key(sku);
        match request {
            EditRequest::Put(name, description, price) => {
                let mut texts =
                    Texts::from([("name".into(), name.clone()), ("description".into(), description.clone())]);
                texts.extend(price.iter().map(|price| ("price".into(), price.clone())));
                self.edits.insert(sku.into(), Edit { texts, hidden: false, stands: true });
                if is_shown { 200 } else { 201 }
            }
            EditRequest::Patch(_) | EditRequest::Form(_) if !is_shown => 404,
            EditRequest::Patch(columns) => {
                // To clear what was never set makes no edit, and an edit without texts shows the same.
                let edit = self.edits.entry(sku.into()).or_default();
                for (column, text) in columns {
                    match text {
                        Some(text) => drop(edit.texts.insert(column.clone(), text.clone())),
                        None => drop(edit.texts.remove(column)),
                    }
                }
                200
            }
            EditRequest::Form(fields) => {
                let edit = self.edits.entry(sku.into()).or_default();
                let typed = fields.iter().filter(|(_, text)| !text.is_empty());
                edit.texts.extend(typed.map(|(column, text)| (column.clone(), text.clone())));
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

    /// sku → the texts of the columns that are shown; the counts.
    pub(crate) fn tables(&self, sources: &[Source]) -> (BTreeMap<String, Vec<String>>, Aggr) {
        let place = |name: &str| {
            sources.iter().position(|source| source.name == name).map(|at| (sources[at].priority, at)).unwrap()
        };
        let mut ranked: BTreeMap<&String, Vec<_>> = BTreeMap::new();
        for ((source, path), offers) in &self.accepted {
            for (sku, offer) in offers {
                let stamp = offer.texts.get("stamp").filter(|_| self.catalog.newest);
                let stamp = stamp.map_or(0, |stamp| stamp.parse::<u32>().map_or(0, |stamp| stamp + 1));
                ranked.entry(sku).or_default().push((stamp, place(source), path, source, offer));
            }
        }
        let mut products: BTreeMap<String, Texts> = BTreeMap::new();
        for (sku, mut offers) in ranked {
            offers.sort_by_key(|(stamp, place, path, ..)| (*stamp, *place, *path));
            let text = |offer: &Offer, column: &str| offer.texts.get(column).cloned().unwrap_or_default();
            let Some((.., winner)) = offers.last().filter(|(.., winner)| !winner.deletes) else { continue };
            let shown = |column: &'static str| {
                let Some((_, from)) = self.catalog.from.iter().find(|(name, _)| *name == column) else {
                    return text(winner, column);
                };
                let of = |name: &String| {
                    let of_source =
                        offers.iter().rev().filter(|(.., source, _)| *source == name).map(|(.., offer)| offer);
                    let mut texts = of_source.take_while(|offer| !offer.deletes).map(|offer| text(offer, column));
                    texts.find(|text| !text.is_empty())
                };
                from.iter().find_map(of).unwrap_or_default()
            };
            let texts = self.catalog.shown().into_iter().map(|column| (column.to_owned(), shown(column)));
            products.insert(sku.clone(), texts.collect());
        }
        for (sku, edit) in &self.edits {
            if edit.hidden {
                products.remove(sku);
            } else if edit.stands || products.contains_key(sku) {
                products.entry(sku.clone()).or_default().extend(edit.texts.clone());
            }
        }
        let text = |texts: &Texts, column: &str| texts.get(column).cloned().unwrap_or_default();
        let mut aggr = Aggr::new();
        products.values().for_each(|texts| *aggr.entry(text(texts, self.catalog.counts())).or_default() += 1);
        let shown = |texts: &Texts| self.catalog.shown().into_iter().map(|column| text(texts, column)).collect();
        (products.iter().map(|(sku, texts)| (sku.clone(), shown(texts))).collect(), aggr)
    }
}

pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The offers of a file; `None` if it is rejected.
fn offers(content: &[u8], name_column: Option<&str>, catalog: &Catalog) -> Option<Offers> {
    let mut reader = csv::Reader::from_reader(content);
    let headers = reader.headers().ok()?.clone();
    let column = |name: &str| headers.iter().position(|header| header == name);
    let (sku, name) = (column("sku")?, column(name_column.unwrap_or("name"))?);
    let (mut offers, mut rows, mut rejects) = (Offers::new(), 0, 0);
    for record in reader.records().map(Result::unwrap) {
        rows += 1;
        let text = |at: Option<usize>| at.map(|at| record[at].to_owned()).unwrap_or_default();
        let deletes = text(column("op")) == "delete";
        let mut texts = Texts::new();
        if !deletes {
            texts.insert("name".into(), record[name].trim().into());
            texts.insert("description".into(), text(column("description")));
            texts.extend(catalog.own.iter().map(|own| ((*own).to_owned(), text(column(own)))));
        }
        if catalog.newest {
            texts.insert("stamp".into(), text(column("stamp")));
        }
        let is_number = |text: &str| text.is_empty() || text.parse::<i32>().is_ok();
        let price = text(column("price"));
        let is_wrong_price = catalog.check && (!is_number(&price) || price.starts_with('-'));
        let is_wrong_stamp = catalog.newest && !is_number(&text(column("stamp")));
        // Of a `delete` only the sku and the stamp are read (csv-rules.md#product-feeds).
        if is_wrong_stamp || !deletes && is_wrong_price {
            rejects += 1;
        } else {
            offers.insert(record[sku].trim().to_owned(), Offer { deletes, texts });
        }
    }
    (rows == 0 || rejects < rows).then_some(offers)
}

/// The members of a row of `readdb`, by column.
pub(crate) fn texts(row: &Value, columns: &[&str]) -> Vec<String> {
    columns.iter().map(|column| row[*column].as_str().unwrap().to_owned()).collect()
}
