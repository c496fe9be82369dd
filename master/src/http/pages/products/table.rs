//! The page at `/products`: a table of the columns that were asked for, sorted by any of them.

use askama::Template;
use tributary_config::CatalogConfig;
use tributary_engine::{Matches, ProductOrder, ProductSearch};

use super::links::Links;
use crate::http::{
    api::{
        product_query::{Asked, written},
        product_views::Product,
    },
    pages::{
        product::{self, label},
        text::wording::{counted, thousands},
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
    /// Words for the number of products, and of those that match.
    count: String,
    columns: Vec<Column>,
    /// The order by sku, if the table is in that order.
    sku_sorted: Option<&'static str>,
    sku_sort: String,
    rows: Vec<Row>,
    /// A field for a condition on each column.
    filters: Vec<Filter>,
    /// The sources, and whether each is the one that is asked for.
    sources: Vec<(String, bool)>,
    edited: Option<bool>,
    choices: Vec<Choice>,
    /// Parameters that the search keeps.
    kept: Vec<(&'static str, String)>,
    /// The sku at which the search has ended, if that is before the end of the table.
    searched_to: Option<String>,
    /// Whether the page was reached by going back.
    is_back: bool,
    /// The order that was asked for, for people, if the table is not in it.
    unsorted: Option<String>,
    first: Option<String>,
    previous: Option<String>,
    next: Option<String>,
    /// The link to a file of what is shown, up to the name of the format.
    shown: Option<String>,
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
    pub(crate) fn new(asked: &Asked, search: ProductSearch, sources: Vec<String>, catalog: &CatalogConfig) -> Self {
        let names = columns(asked, catalog);
        let links = Links::new(asked, &names, search.is_unsorted);
        let is_cut = search.searched_to.is_some();
        let shown = links.shown(&search.page, is_cut);
        let count = count(&search);
        let ProductSearch { page, is_small, searched_to, is_unsorted, .. } = search;
        let has_place = asked.query.after.is_some() || asked.query.before.is_some();
        let mut rows: Vec<Row> = page.products.into_iter().map(|product| Row::new(&product.into(), &names)).collect();
        let numbers: Vec<bool> = (0..names.len()).map(|at| align(&mut rows, at)).collect();
        let order = asked.query.order.as_ref().filter(|_| !is_unsorted);
        let can_sort = |name: &str| is_small || catalog.index.iter().any(|indexed| indexed == name);
        let column = |(name, is_number): (&String, &bool)| Column {
            is_number: *is_number,
            name: name.clone(),
            label: column_label(name, catalog),
            sort: (!ORIGIN.contains(&name.as_str()) && can_sort(name)).then(|| links.sorted(&turned(order, name))),
            sorted: order.filter(|order| order.column == *name).map(direction),
        };
        let by_sku = order.is_none_or(|order| order.column == "sku");
        let unsorted = asked.query.order.as_ref().filter(|_| is_unsorted);
        Self {
            part: asked.query.filter.part.clone().unwrap_or_default(),
            only: only(asked, catalog),
            count,
            columns: names.iter().zip(&numbers).map(column).collect(),
            sku_sorted: by_sku.then(|| order.map_or("ascending", direction)),
            sku_sort: match by_sku && order.is_none() {
                true => links.sorted("-sku"),
                false => links.sorted(&turned(order, "sku")),
            },
            rows,
            filters: filters(asked, catalog),
            sources: chosen_source(sources, asked.query.filter.source.as_deref()),
            edited: asked.query.filter.edited,
            choices: choices(&names, catalog),
            kept: kept(asked),
            searched_to,
            is_back: asked.query.before.is_some(),
            unsorted: unsorted.map(|order| column_label(&order.column, catalog)),
            first: has_place.then(|| links.first()),
            previous: page.previous.map(|place| links.page("before", &place)),
            next: page.next.map(|place| links.page("after", &place)),
            shown,
            downloads: links.all(),
        }
    }

    fn is_filtered(&self) -> bool {
        self.filters.iter().any(|filter| !filter.typed.is_empty())
            || self.edited.is_some()
            || self.sources.iter().any(|(_, is_chosen)| *is_chosen)
    }
}

/// Words for how many products match.
fn count(search: &ProductSearch) -> String {
    let total = counted(search.total, "product");
    match search.matches {
        Matches::Exactly(count) if count == search.total => total,
        Matches::Exactly(count) => format!("{} of {total}", thousands(count)),
        Matches::MoreThan(count) => format!("more than {} of {total}", thousands(count)),
        Matches::Unknown => format!("some of {total}"),
    }
}

/// The order by a column: the other way round if the table is in it already.
fn turned(order: Option<&ProductOrder>, column: &str) -> String {
    let descending = order.is_some_and(|order| order.column == column && !order.descending);
    written(&ProductOrder { column: column.to_owned(), descending })
}

fn direction(order: &ProductOrder) -> &'static str {
    if order.descending { "descending" } else { "ascending" }
}

/// The filters beside the text that is searched for, for people.
fn only(asked: &Asked, catalog: &CatalogConfig) -> Option<String> {
    let filter = &asked.query.filter;
    let named = filter.name.as_ref().map(|name| format!("named “{name}”"));
    let of_source = filter.source.as_ref().map(|source| format!("from {source}"));
    let edited = filter.edited.map(|edited| if edited { "corrected" } else { "not corrected" }.to_owned());
    let conditions = asked.conditions.iter().map(|(column, text)| format!("{} {text}", label(column, catalog)));
    let only: Vec<_> = named.into_iter().chain(of_source).chain(edited).chain(conditions).collect();
    (!only.is_empty()).then(|| only.join(", "))
}

fn filters(asked: &Asked, catalog: &CatalogConfig) -> Vec<Filter> {
    let own = catalog.columns.iter().map(|column| column.name.as_str());
    let filter = |name: &str| Filter {
        name: name.to_owned(),
        label: label(name, catalog),
        typed: asked.conditions.iter().find(|(column, _)| column == name).map_or("", |(_, text)| text).to_owned(),
    };
    ["description"].into_iter().chain(own).map(filter).collect()
}

/// The sources that can be chosen, also one that is asked for and not there any more.
fn chosen_source(mut sources: Vec<String>, chosen: Option<&str>) -> Vec<(String, bool)> {
    sources.extend(chosen.filter(|chosen| !sources.iter().any(|source| source == chosen)).map(str::to_owned));
    sources.sort();
    sources.into_iter().map(|source| (source.clone(), chosen == Some(source.as_str()))).collect()
}

/// Lists the parameters that the form keeps, because it has no field for them.
fn kept(asked: &Asked) -> Vec<(&'static str, String)> {
    let kept = |(key, text): (&str, String)| {
        ["name", "sku", "sort"].into_iter().find(|kept| *kept == key).map(|key| (key, text))
    };
    asked.parameters().into_iter().filter_map(kept).collect()
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
        "edited" => "Corrected".to_owned(),
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
    use tributary_engine::{OwnColumns, ProductPage};

    use super::*;
    use crate::http::pages::text::escaping::{EVIL, check};

    #[test]
    fn whatever_feeds_write_is_text_on_the_page() {
        let product = tributary_engine::Product {
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
        let mut fields: Vec<_> = ["q", "name", "source", "after"].map(|key| (key.to_owned(), EVIL.to_owned())).into();
        fields.push(("sort".to_owned(), "description".to_owned()));
        let asked = Asked::take(&mut fields, &[], |_| false).unwrap();
        let place = || Some(EVIL.to_owned());
        let page = ProductPage { own: vec![], products: vec![product], next: place(), previous: place() };
        let search = ProductSearch {
            page,
            total: 5,
            is_small: false,
            matches: Matches::Unknown,
            searched_to: place(),
            is_unsorted: true,
        };
        check(&Products::new(&asked, search, vec![EVIL.to_owned()], &CatalogConfig::default()));
    }
}
