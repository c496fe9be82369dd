//! Writes to the table `products`, the products as shown. The merge reads it through `sku_rows`, people through `product_views`.

use diesel::{
    prelude::*,
    sql_types::{BigInt, Bool, Nullable, Text},
};

use crate::{
    Error, Store, Tally,
    database::error::all_of,
    sqlite::{Bulk, ValueList},
};

/// One product as shown. `T` is `String` in a row that was read, and any text in one to write.
#[derive(Debug, Clone, PartialEq, Queryable)]
pub struct ProductRow<T = String> {
    /// The key.
    pub sku: T,
    /// The name, with the edit applied.
    pub name: T,
    /// The description, with the edit applied.
    pub description: T,
    /// The winner's file; `None` for a product that is shown only because of an edit.
    pub file_id: Option<i64>,
    /// True if an edit is applied. A row without an edit and with a file is the offer itself.
    pub edited: bool,
}

impl Store {
    /// Inserts products. In sku order this is fastest: the tree then grows at its end.
    ///
    /// # Errors
    /// [`Error::Query`], for instance when a sku exists already.
    pub fn insert_products<T: AsRef<str>>(&mut self, rows: &[ProductRow<T>]) -> Result<(), Error> {
        self.put_products(rows)?;
        self.add_to_tally(Tally { products: rows.len() as i64, ..Tally::default() })
    }

    /// Replaces all columns of products, found by sku.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] when a sku does not exist.
    pub fn update_products<T: AsRef<str>>(&mut self, rows: &[ProductRow<T>]) -> Result<(), Error> {
        // Deletes and inserts, because one UPDATE cannot set many rows to different values.
        self.drop_products(rows.iter().map(|row| row.sku.as_ref()).collect())?;
        self.put_products(rows)
    }

    /// Deletes products.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] when a sku does not exist.
    pub fn delete_products<T: AsRef<str>>(&mut self, skus: &[T]) -> Result<(), Error> {
        self.drop_products(skus.iter().map(AsRef::as_ref).collect())?;
        self.add_to_tally(Tally { products: -(skus.len() as i64), ..Tally::default() })
    }

    fn put_products<T: AsRef<str>>(&mut self, rows: &[ProductRow<T>]) -> Result<(), Error> {
        self.bulk(rows, |row| format!("insert {:?} into products", row.sku.as_ref())).map(drop)
    }

    fn drop_products(&mut self, skus: Vec<&str>) -> Result<(), Error> {
        let keys: Vec<_> = skus.into_iter().map(SkuKey).collect();
        let deleted = self.bulk(&keys, |SkuKey(sku)| format!("delete {sku:?} from products"))?;
        all_of(&keys, deleted, |SkuKey(sku)| format!("`products` has no row for sku {sku:?}"))
    }
}

impl<T: AsRef<str>> Bulk for ProductRow<T> {
    type Kind = ProductRow<&'static str>;
    const BEFORE: &'static str = "INSERT INTO products (sku, name, description, file_id, edited) VALUES ";
    const AFTER: &'static str = "";

    fn push<'b>(&'b self, out: &mut ValueList<'_, 'b>) -> QueryResult<()> {
        out.push_sql("(");
        for text in [&self.sku, &self.name, &self.description] {
            out.push_bind_param::<Text, _>(text.as_ref())?;
            out.push_sql(",");
        }
        out.push_bind_param::<Nullable<BigInt>, _>(&self.file_id)?;
        out.push_sql(",");
        out.push_bind_param::<Bool, _>(&self.edited)?;
        out.push_sql(")");
        Ok(())
    }
}

/// The key of a product to delete.
struct SkuKey<'a>(&'a str);

impl Bulk for SkuKey<'_> {
    type Kind = SkuKey<'static>;
    const BEFORE: &'static str = "DELETE FROM products WHERE sku IN (";
    const AFTER: &'static str = ")";

    fn push<'b>(&'b self, out: &mut ValueList<'_, 'b>) -> QueryResult<()> {
        out.push_bind_param::<Text, _>(self.0)
    }
}
