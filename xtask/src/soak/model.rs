//! The tables as they must be: of each file the last row of a sku counts, the last source that offers it wins, and within a source the last path.
//! Edits lie above. It shares no code with what it checks.

use std::collections::BTreeMap;

/// Rows of a file: sku and name.
pub(super) type Rows = Vec<(String, String)>;

/// The load so far.
#[derive(Default)]
pub(super) struct Model {
    /// By the position of the source, then by path; uploads come last.
    pub(super) files: BTreeMap<(usize, String), Rows>,
    /// By sku: the name that a person gave, or none if the product is hidden.
    pub(super) edits: BTreeMap<String, Option<String>>,
}

/// The tables: name by sku, products by name, rows by name.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Tables {
    pub(super) products: BTreeMap<String, String>,
    pub(super) aggr: BTreeMap<String, u64>,
    pub(super) report: BTreeMap<String, u64>,
}

impl Model {
    pub(super) fn tables(&self) -> Tables {
        let mut tables = Tables::default();
        // Files are in the order in which they win.
        for (sku, name) in self.files.values().flatten() {
            tables.products.insert(sku.clone(), name.clone());
            *tables.report.entry(name.clone()).or_default() += 1;
        }
        for (sku, edit) in &self.edits {
            match edit {
                Some(name) => drop(tables.products.insert(sku.clone(), name.clone())),
                None => drop(tables.products.remove(sku)),
            }
        }
        for name in tables.products.values() {
            *tables.aggr.entry(name.clone()).or_default() += 1;
        }
        tables
    }
}

/// A file of these rows, each with a description of so many bytes.
pub(super) fn text(rows: &Rows, width: usize) -> String {
    let description = "x".repeat(width);
    let row = |text: String, (sku, name): &(String, String)| text + sku + "," + name + "," + &description + "\n";
    rows.iter().fold("sku,name,description\n".to_owned(), row)
}
