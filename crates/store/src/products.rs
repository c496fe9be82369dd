//! Writing `products`, what is shown. Reading it is in `state` (for the merge) and in `views` (for people).

use diesel::{
    prelude::*,
    query_builder::AstPass,
    sql_types::{BigInt, Bool, Nullable, Text},
    sqlite::Sqlite,
};

use crate::{Error, Store, Tally, bulk::Bulk, error::all_of};

/// One product: what is shown for a sku. `T` is `String` where it was read, and any text where it is to be written.
#[derive(Debug, Clone, PartialEq, Queryable)]
pub struct ProductRow<T = String> {
    /// The key.
    pub sku: T,
    /// As shown, with the edit laid over it.
    pub name: T,
    /// As shown, with the edit laid over it.
    pub description: T,
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
    pub fn insert_products<T: AsRef<str>>(&mut self, rows: &[ProductRow<T>]) -> Result<(), Error> {
        self.put_products(rows)?;
        self.move_tally(Tally { products: rows.len() as i64, ..Tally::default() })
    }

    /// Stores every column of products anew, found by sku.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] when a sku is not there.
    pub fn update_products<T: AsRef<str>>(&mut self, rows: &[ProductRow<T>]) -> Result<(), Error> {
        // Deleted and inserted, since there is no UPDATE of many rows to different values.
        self.drop_products(rows.iter().map(|row| row.sku.as_ref()).collect())?;
        self.put_products(rows)
    }

    /// Deletes products.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] when a sku is not there.
    pub fn delete_products<T: AsRef<str>>(&mut self, skus: &[T]) -> Result<(), Error> {
        self.drop_products(skus.iter().map(AsRef::as_ref).collect())?;
        self.move_tally(Tally { products: -(skus.len() as i64), ..Tally::default() })
    }

    fn put_products<T: AsRef<str>>(&mut self, rows: &[ProductRow<T>]) -> Result<(), Error> {
        self.bulk(rows, |row| format!("insert {:?} into products", row.sku.as_ref())).map(drop)
    }

    fn drop_products(&mut self, skus: Vec<&str>) -> Result<(), Error> {
        let keys: Vec<_> = skus.into_iter().map(Key).collect();
        let deleted = self.bulk(&keys, |Key(sku)| format!("delete {sku:?} from products"))?;
        all_of(&keys, deleted, |Key(sku)| format!("`products` has no row for sku {sku:?}"))
    }
}

impl<T: AsRef<str>> Bulk for ProductRow<T> {
    type Kind = ProductRow<&'static str>;
    const BEFORE: &'static str = "INSERT INTO products (sku, name, description, file_id, edited) VALUES ";
    const AFTER: &'static str = "";

    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
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

/// A product to delete.
struct Key<'a>(&'a str);

impl Bulk for Key<'_> {
    type Kind = Key<'static>;
    const BEFORE: &'static str = "DELETE FROM products WHERE sku IN (";
    const AFTER: &'static str = ")";

    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_bind_param::<Text, _>(self.0)
    }
}
