//! Links of the list: to other pages of it, and to files of what it shows.

use tributary_engine::{ProductPage, ProductQuery};

use super::ROWS;
use crate::http::{api::product_query::Asked, pages::text::wording::encoded};

/// The parameters of a list, and the columns that it shows.
pub(super) struct Links<'a> {
    parameters: Vec<(&'a str, String)>,
    query: &'a ProductQuery,
    columns: String,
    /// Whether the page is in order of sku although another order was asked for.
    is_unsorted: bool,
}

impl<'a> Links<'a> {
    pub(super) fn new(asked: &'a Asked, columns: &[String], is_unsorted: bool) -> Self {
        // The page shows the sku whatever is chosen.
        let columns = ["sku"].into_iter().chain(columns.iter().map(String::as_str)).collect::<Vec<_>>().join(",");
        Self { parameters: asked.parameters(), query: &asked.query, columns, is_unsorted }
    }

    /// A path with the parameters, without those of `left_out` and with `more`.
    fn link(&self, path: &str, left_out: &[&str], more: &[(&str, &str)]) -> String {
        let kept = self.parameters.iter().filter(|(key, _)| !left_out.contains(key));
        let all = kept.map(|(key, text)| (*key, text.as_str())).chain(more.iter().copied());
        let query: Vec<_> = all.map(|(key, text)| format!("{key}={}", encoded(text))).collect();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
    }

    /// The list from its beginning, in another order.
    pub(super) fn sorted(&self, order: &str) -> String {
        self.link("/products", &["sort"], &[("sort", order)])
    }

    /// The list from its beginning.
    pub(super) fn first(&self) -> String {
        self.link("/products", &[], &[])
    }

    /// Another page, `after` or `before` a place.
    pub(super) fn page(&self, key: &str, place: &str) -> String {
        // A place belongs to the order in which the page is.
        self.link("/products", self.not_sorted(), &[(key, place)])
    }

    fn not_sorted(&self) -> &'static [&'static str] {
        if self.is_unsorted { &["sort"] } else { &[] }
    }

    /// A file of all products of the list, up to the name of the format.
    pub(super) fn all(&self) -> String {
        self.link("/api/v1/products", &["columns"], &[("columns", &self.columns), ("format", "")])
    }

    /// A file of the products on this page, up to the name of the format; none if the page ends where the search did.
    pub(super) fn shown(&self, page: &ProductPage, is_cut: bool) -> Option<String> {
        let left_out: &[&str] = if self.is_unsorted { &["columns", "sort"] } else { &["columns"] };
        let limit = ROWS.to_string();
        let mut more = vec![("columns", self.columns.as_str()), ("limit", limit.as_str())];
        more.extend(self.query.after.as_deref().map(|place| ("after", place)));
        more.extend(self.query.before.as_deref().map(|place| ("before", place)));
        more.push(("format", ""));
        (!is_cut && !page.products.is_empty()).then(|| self.link("/api/v1/products", left_out, &more))
    }
}
