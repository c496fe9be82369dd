//! Writing `products`, what is shown. Reading it is in `state` (for the merge) and in `views` (for people).

use diesel::prelude::*;

use crate::error::{Doing, exactly_one};
use crate::schema::products::dsl;
use crate::{Error, Store, Tally};

/// One product: what is shown for a sku.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = crate::schema::products)]
pub struct ProductRow {
    /// The key.
    pub sku: String,
    /// As shown, with the edit laid over it.
    pub name: String,
    /// As shown, with the edit laid over it.
    pub description: String,
    /// The winner's file; `None` for a product that an edit lets stand alone.
    pub file_id: Option<i64>,
    /// Whether an edit lies over it; if not, and it has a file, this row is the offer itself.
    pub edited: bool,
}

impl Store {
    /// Inserts products. Give them in sku order: the tree then grows at its end.
    ///
    /// # Errors
    /// [`Error::Query`], when a sku is there above all.
    pub fn insert_products(&mut self, rows: &[ProductRow]) -> Result<(), Error> {
        rows.iter().try_for_each(|row| self.insert_product(row))?;
        self.move_tally(Tally { products: rows.len() as i64, ..Tally::default() })
    }

    /// Stores every column of products anew, found by sku.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] when a sku is not there.
    pub fn update_products(&mut self, rows: &[ProductRow]) -> Result<(), Error> {
        // Not by UPDATE: diesel prepares that anew for every row. 500,000 rows took 3.8 s so, and take half of it thus.
        rows.iter().try_for_each(|row| {
            self.delete_product(&row.sku)?;
            self.insert_product(row)
        })
    }

    /// Deletes products.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] when a sku is not there.
    pub fn delete_products(&mut self, skus: &[String]) -> Result<(), Error> {
        skus.iter().try_for_each(|sku| self.delete_product(sku))?;
        self.move_tally(Tally { products: -(skus.len() as i64), ..Tally::default() })
    }

    fn insert_product(&mut self, row: &ProductRow) -> Result<(), Error> {
        let values = (
            dsl::sku.eq(&row.sku),
            dsl::name.eq(&row.name),
            dsl::description.eq(&row.description),
            dsl::file_id.eq(row.file_id),
            dsl::edited.eq(row.edited),
        );
        self.connection
            .run(diesel::insert_into(dsl::products).values(values))
            .doing(|| format!("insert {:?} into products", row.sku))?;
        Ok(())
    }

    fn delete_product(&mut self, sku: &str) -> Result<(), Error> {
        let deleted = self
            .connection
            .run(diesel::delete(dsl::products.filter(dsl::sku.eq(sku))))
            .doing(|| format!("delete {sku:?} from products"))?;
        exactly_one(deleted, || no_product(sku))
    }
}

fn no_product(sku: &str) -> String {
    format!("`products` has no row for sku {sku:?}")
}
