//! The columns of lists of products. They depend on the catalog, and on what was asked for.

use super::Cell;
use crate::http::api::product_views::Product;

impl Product {
    /// The members that a list has before those of own columns.
    const FIRST: [&str; 6] = ["sku", "name", "description", "source", "file", "edited"];
    /// Those that a list of columns has only if they are asked for.
    const TIMES: [&str; 2] = ["first_seen", "changed_at"];

    /// The columns of a file with products: what every catalog has, in the order that it always had, then the own columns.
    pub(crate) fn columns(own: &[String]) -> Vec<String> {
        Self::FIRST.into_iter().map(str::to_owned).chain(own.iter().cloned()).collect()
    }

    /// Whether products have this member.
    pub(crate) fn has(member: &str, own: &[String]) -> bool {
        Self::FIRST.contains(&member) || Self::TIMES.contains(&member) || own.iter().any(|name| name == member)
    }

    /// The value of a member.
    pub(crate) fn cell(&self, member: &str) -> Cell<'_> {
        match member {
            "sku" => (&self.sku).into(),
            "name" => (&self.name).into(),
            "description" => (&self.description).into(),
            "source" => (&self.source).into(),
            "file" => (&self.file).into(),
            "edited" => (&self.edited).into(),
            "first_seen" => (&self.first_seen).into(),
            "changed_at" => (&self.changed_at).into(),
            own => self.own.get(own).map_or(Cell::Null, Cell::from),
        }
    }
}
