//! The page at `/products`: a table of the columns that were asked for, sorted by any of them.

use askama::Template;
use tributary_config::CatalogConfig;
use tributary_engine::ProductOrder;

use crate::http::{
    api::{
        product_query::{Asked, written},
        product_views::{Product, ProductPage},
    },
    pages::{
        product::{self, label},
        text::wording::encoded,
    },
};

/// Own columns that are shown unless others are asked for.
const USUAL_COLUMNS: usize = 4;
/// Columns that say where a product comes from, which nothing can be sorted by.
const ORIGIN: [&str; 5] = ["source", "file", "edited", "first_seen", "changed_at"];

#[derive(Template)]
#[template(path = "products.html")]
pub(crate) struct Products {
    part: String,
    /// The other filters, for people.
    only: Option<String>,
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// A field for a condition on each column.
    filters: Vec<Filter>,
    choices: Vec<Choice>,
    /// Parameters that the search keeps.
    kept: Vec<(&'static str, String)>,
    next: Option<String>,
    /// The link to all of them, up to the name of the format.
    downloads: String,
}

/// A column of the table.
struct Column {
    name: String,
    label: String,
    /// The link that sorts by it, if anything can.
    sort: Option<String>,
    /// `ascending` or `descending`, if the table is sorted by it.
    sorted: Option<&'static str>,
    /// Whether all its texts are numbers, which stand to the right.
    is_number: bool,
}

struct Row {
    /// The link to the product.
    link: String,
    sku: String,
    edited: bool,
    cells: Vec<Value>,
}

struct Value {
    text: String,
    is_number: bool,
    is_long: bool,
}

/// A column that can be chosen.
struct Choice {
    name: String,
    label: String,
    is_shown: bool,
}

struct Filter {
    name: String,
    label: String,
    typed: String,
}

impl Products {
    pub(crate) fn new(asked: &Asked, page: ProductPage, catalog: &CatalogConfig) -> Self {
        let names = columns(asked, catalog);
        let order = asked.query.order.as_ref();
        let parameters = asked.parameters();
        let link = |path: &str, left_out: &[&str], more: &[(&str, &str)]| {
            let kept = parameters.iter().filter(|(key, _)| !left_out.contains(key));
            let kept = kept.map(|(key, text)| (*key, text.as_str())).chain(more.iter().copied());
            let query: Vec<_> = kept.map(|(key, text)| format!("{key}={}", encoded(text))).collect();
            format!("{path}?{}", query.join("&"))
        };
        let mut rows: Vec<Row> = page.items.iter().map(|product| Row::new(product, &names)).collect();
        let numbers: Vec<bool> = (0..names.len()).map(|at| align(&mut rows, at)).collect();
        let column = |(name, is_number): (&String, &bool)| Column {
            is_number: *is_number,
            name: name.clone(),
            label: column_label(name, catalog),
            sort: (!ORIGIN.contains(&name.as_str())).then(|| {
                let descending = order.is_some_and(|order| order.column == *name && !order.descending);
                let order = ProductOrder { column: name.clone(), descending };
                link("/products", &["sort"], &[("sort", &written(&order))])
            }),
            sorted: order.filter(|order| order.column == *name).map(|order| match order.descending {
                true => "descending",
                false => "ascending",
            }),
        };
        let own = catalog.columns.iter().map(|column| column.name.as_str());
        let filter = |name: &str| Filter {
            name: name.to_owned(),
            label: label(name, catalog),
            typed: asked.conditions.iter().find(|(column, _)| column == name).map_or("", |(_, text)| text).to_owned(),
        };
        let filter_of = &asked.query.filter;
        let named = filter_of.name.as_ref().map(|name| format!("named “{name}”"));
        let of_source = filter_of.source.as_ref().map(|source| format!("from {source}"));
        let conditions = asked.conditions.iter().map(|(column, text)| format!("{} {text}", label(column, catalog)));
        let only: Vec<_> = named.into_iter().chain(of_source).chain(conditions).collect();
        let kept = parameters.iter().filter_map(|(key, text)| {
            let key = ["name", "source", "sort"].into_iter().find(|kept| kept == key)?;
            Some((key, text.clone()))
        });
        Self {
            part: filter_of.part.clone().unwrap_or_default(),
            only: (!only.is_empty()).then(|| only.join(", ")),
            columns: names.iter().zip(&numbers).map(column).collect(),
            rows,
            filters: ["description"].into_iter().chain(own).map(filter).collect(),
            choices: choices(&names, catalog),
            kept: kept.collect(),
            next: page.next.map(|next| link("/products", &[], &[("after", &next)])),
            downloads: match asked.columns.is_empty() {
                true => link("/api/v1/products", &[], &[("format", "")]),
                false => {
                    // The page shows the sku whatever is chosen.
                    let columns =
                        ["sku"].into_iter().chain(names.iter().map(String::as_str)).collect::<Vec<_>>().join(",");
                    link("/api/v1/products", &["columns"], &[("columns", &columns), ("format", "")])
                }
            },
        }
    }

    fn is_filtered(&self) -> bool {
        self.filters.iter().any(|filter| !filter.typed.is_empty())
    }
}

/// Whether the table can show a column.
pub(crate) fn is_column(name: &str, catalog: &CatalogConfig) -> bool {
    catalog.has(name) || ORIGIN.contains(&name)
}

/// The columns beside the sku, which always stands first.
fn columns(asked: &Asked, catalog: &CatalogConfig) -> Vec<String> {
    let chosen: Vec<String> = asked.columns.iter().filter(|name| *name != "sku").cloned().collect();
    if !chosen.is_empty() {
        return chosen;
    }
    let own = catalog.columns.iter().take(USUAL_COLUMNS).map(|column| column.name.as_str());
    ["name"].into_iter().chain(own).chain(["description", "source"]).map(str::to_owned).collect()
}

/// Every column that can be shown beside the sku.
fn choices(shown: &[String], catalog: &CatalogConfig) -> Vec<Choice> {
    let own = catalog.columns.iter().map(|column| column.name.as_str());
    let all = ["name"].into_iter().chain(own).chain(["description"]).chain(ORIGIN);
    let choice = |name: &str| Choice {
        name: name.to_owned(),
        label: column_label(name, catalog),
        is_shown: shown.iter().any(|column| column == name),
    };
    all.map(choice).collect()
}

fn column_label(name: &str, catalog: &CatalogConfig) -> String {
    match name {
        "source" => "From".to_owned(),
        "file" => "File".to_owned(),
        "edited" => "Edited".to_owned(),
        "first_seen" => "First seen".to_owned(),
        "changed_at" => "Changed".to_owned(),
        other => label(other, catalog),
    }
}

/// Whether all texts of a column are numbers. If not, none of them is shown as one.
fn align(rows: &mut [Row], column: usize) -> bool {
    let is_number = rows.iter().all(|row| row.cells[column].is_number || row.cells[column].text.is_empty())
        && rows.iter().any(|row| row.cells[column].is_number);
    rows.iter_mut().for_each(|row| row.cells[column].is_number = is_number);
    is_number
}

impl Row {
    fn new(product: &Product, columns: &[String]) -> Self {
        let cell = |name: &String| {
            let text = product.cell(name).exact().unwrap_or_default().into_owned();
            let is_number = !ORIGIN.contains(&name.as_str()) && name != "name" && text.parse::<f64>().is_ok();
            let text = if name == "source" && product.source.is_none() { "by hand".to_owned() } else { text };
            Value { text, is_number, is_long: name == "description" }
        };
        Self {
            link: product::link(&product.sku),
            sku: product.sku.clone(),
            edited: product.edited,
            cells: columns.iter().map(cell).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use tributary_engine::OwnColumns;

    use super::*;
    use crate::http::pages::text::escaping::{EVIL, check};

    #[test]
    fn whatever_feeds_write_is_text_on_the_page() {
        let product = Product {
            sku: EVIL.into(),
            name: EVIL.into(),
            description: EVIL.into(),
            source: Some(EVIL.into()),
            file: Some(EVIL.into()),
            edited: true,
            own: OwnColumns::default(),
            first_seen: None,
            changed_at: Some(EVIL.into()),
        };
        let mut asked = vec![("q".to_owned(), EVIL.to_owned()), ("name".to_owned(), EVIL.to_owned())];
        let asked = Asked::take(&mut asked, &[]).unwrap();
        let page = tributary_engine::ProductPage { own: vec![], products: vec![], next: Some(EVIL.into()) };
        let page = ProductPage { items: vec![product], ..page.into() };
        check(&Products::new(&asked, page, &CatalogConfig::default()));
    }
}
