//! Records of single changes of products: made while a batch is merged, when the texts before and after are at hand.

use std::collections::HashMap;

use tributary_merge::{Batch, Delta, StoredRows, Texts};
use tributary_store::{ChangeCause, NewProductChange};

use super::{Catalog, change_json::ChangeJson};

/// Products that one version may change and each change still be recorded. Beyond that the event of the version has to do.
pub(crate) const MAX_RECORDED: usize = 10_000;

/// The cause of changes of products.
#[derive(Debug, Clone)]
pub(crate) enum ChangeOrigin {
    /// A version of a source, with the paths of its files that are touched.
    Version { source: String, files: HashMap<i64, String> },
    /// Sources or the catalog are configured in another way.
    Configuration,
    /// A person or a program, through an entrance.
    Edit { entrance: &'static str, author: Option<String> },
}

impl ChangeOrigin {
    /// The files of a version that are touched.
    pub(super) fn files(&self) -> impl Iterator<Item = i64> {
        let files = match self {
            Self::Version { files, .. } => Some(files),
            Self::Configuration | Self::Edit { .. } => None,
        };
        files.into_iter().flat_map(HashMap::keys).copied()
    }

    /// The author of an edit, if that is known.
    pub(crate) fn author(&self) -> Option<&str> {
        match self {
            Self::Edit { author, .. } => author.as_deref(),
            Self::Version { .. } | Self::Configuration => None,
        }
    }

    /// Returns what rows of the store say of it.
    pub(super) fn cause(&self, at: i64) -> ChangeCause<'_> {
        let none = ChangeCause { at, ..ChangeCause::default() };
        match self {
            Self::Version { source, .. } => ChangeCause { source: Some(source), ..none },
            Self::Configuration => none,
            Self::Edit { entrance, author } => {
                ChangeCause { entrance: Some(entrance), author: author.as_deref(), ..none }
            }
        }
    }
}

/// A change of a product, to be stored.
#[derive(Debug)]
pub(super) struct Recorded {
    sku: String,
    file: Option<String>,
    columns: String,
    edit: Option<String>,
}

impl Recorded {
    /// The row that tells of it.
    pub(super) fn row(&self) -> NewProductChange<'_> {
        let Self { sku, file, columns, edit } = self;
        NewProductChange { sku, file: file.as_deref(), texts: columns, edit: edit.as_deref() }
    }
}

/// Records changes batch by batch.
pub(super) struct Recorder<'a> {
    origin: &'a ChangeOrigin,
    catalog: &'a Catalog,
    /// Changes so far.
    count: usize,
}

impl<'a> Recorder<'a> {
    /// For changes of this origin, of products with these columns.
    pub(super) fn new(origin: &'a ChangeOrigin, catalog: &'a Catalog) -> Self {
        Self { origin, catalog, count: 0 }
    }

    /// The columns of the products.
    pub(super) fn catalog(&self) -> &'a Catalog {
        self.catalog
    }

    /// Whether more has changed than is recorded. What was recorded has to go, too.
    pub(super) fn has_overflown(&self) -> bool {
        self.count > MAX_RECORDED
    }

    /// The changes of a batch that a version or the configuration makes: of products that were shown before.
    pub(super) fn record(&mut self, before: &StoredRows, delta: &Delta<'_>, batch: &Batch) -> Vec<Recorded> {
        if self.has_overflown() {
            return Vec::new();
        }
        let paths = self.paths(batch);
        let mut recorded = Vec::new();
        for (sku, columns) in self.changes(before, delta, false) {
            let file = paths.get(sku).map(|path| (*path).to_owned());
            recorded.push(Recorded { sku: sku.to_owned(), file, columns, edit: None });
        }
        self.count += recorded.len();
        if self.has_overflown() { Vec::new() } else { recorded }
    }

    /// The changes of a batch that edits make, each with the JSON of what it changes in the edit.
    pub(super) fn record_edits(
        &self,
        before: &StoredRows,
        delta: &Delta<'_>,
        edits: Vec<(&str, Option<String>)>,
    ) -> Vec<Recorded> {
        let mut columns: HashMap<&str, String> = self.changes(before, delta, true).into_iter().collect();
        let mut recorded = Vec::with_capacity(edits.len());
        for (sku, edit) in edits {
            let columns = columns.remove(sku);
            if columns.is_some() || edit.is_some() {
                let columns = columns.unwrap_or_else(|| "{}".to_owned());
                recorded.push(Recorded { sku: sku.to_owned(), file: None, columns, edit });
            }
        }
        recorded
    }

    /// The path of a file that touches each sku: of an offer rather than of one that went.
    fn paths<'b>(&self, batch: &'b Batch) -> HashMap<&'b str, &'a str> {
        let mut paths = HashMap::new();
        if let ChangeOrigin::Version { files, .. } = self.origin {
            for (sku, file, is_gone) in batch.touches() {
                let Some(path) = files.get(&file) else { continue };
                if is_gone {
                    paths.entry(sku).or_insert(path.as_str());
                } else {
                    paths.insert(sku, path.as_str());
                }
            }
        }
        paths
    }

    /// The skus that are shown in another way, with the JSON of the columns that changed.
    fn changes<'d>(&self, before: &'d StoredRows, delta: &'d Delta<'_>, inserts: bool) -> Vec<(&'d str, String)> {
        let mut all = Vec::new();
        let none = Texts::<&str>::default();
        let mut old = before.products.iter();
        for new in &delta.products.updated {
            // Both are in order of sku.
            let Some(old) = old.find(|old| old.sku == new.sku) else { break };
            let columns = self.columns(Some(old.texts.borrowed()), Some(new.texts.borrowed()));
            all.extend(columns.map(|columns| (old.sku.as_str(), columns)));
        }
        let mut old = before.products.iter();
        for sku in &delta.products.deleted {
            let texts = old.find(|old| old.sku == *sku).map_or(none, |old| old.texts.borrowed());
            all.extend(self.columns(Some(texts), None).map(|columns| (*sku, columns)));
        }
        for new in delta.products.inserted.iter().filter(|_| inserts) {
            let columns = self.columns(None, Some(new.texts.borrowed()));
            all.extend(columns.map(|columns| (new.sku.as_ref(), columns)));
        }
        all
    }

    /// The columns whose texts differ, as JSON; `None` if none does. Of a product that appears or goes, the name and whatever is not empty.
    fn columns(&self, before: Option<Texts<&str>>, after: Option<Texts<&str>>) -> Option<String> {
        let is_kept = before.is_some() && after.is_some();
        if is_kept && before == after {
            return None;
        }
        let mut changes = ChangeJson::default();
        let mut old = before.unwrap_or_default().iter();
        let mut new = after.unwrap_or_default().iter();
        let names = ["name", "description"].into_iter().chain(self.catalog.own());
        for (at, name) in names.enumerate() {
            let (old, new) = (old.next().unwrap_or_default(), new.next().unwrap_or_default());
            if old != new || (at == 0 && !is_kept) {
                changes.push(name, before.map(|_| old), after.map(|_| new));
            }
        }
        changes.finish()
    }
}
