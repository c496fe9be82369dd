//! The table `product_changes`: how single products have changed, and who or what changed them. The JSON belongs to the engine.

use diesel::{connection::DefaultLoadingMode, dsl::max, prelude::*};

use crate::{
    Error, MAX_PAGE_BYTES, Store,
    database::{
        bulk::{Bulk, Change, Values},
        error::OrCannot,
        schema::product_changes::dsl,
    },
};

/// The newest changes, which are kept; older ones are deleted.
const MAX_CHANGES: i64 = 1_000_000;

/// A change of one product.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = crate::database::schema::product_changes)]
pub struct ProductChangeRow {
    /// Its number. Later changes have greater numbers.
    pub id: i64,
    /// The product.
    pub sku: String,
    /// When it changed, in seconds since 1970.
    pub at: i64,
    /// Name of the source whose version changed it.
    pub source: Option<String>,
    /// Path of the file in that source.
    pub file: Option<String>,
    /// The entrance of an edit; `None` for any other change.
    pub entrance: Option<String>,
    /// The author of the edit.
    pub author: Option<String>,
    /// The texts that changed, as JSON by column.
    pub texts: String,
    /// The change of the edit, as JSON.
    pub edit: Option<String>,
}

/// Facts that changes of one transaction have in common.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChangeCause<'a> {
    /// As [`ProductChangeRow::at`].
    pub at: i64,
    /// As [`ProductChangeRow::source`].
    pub source: Option<&'a str>,
    /// As [`ProductChangeRow::entrance`].
    pub entrance: Option<&'a str>,
    /// As [`ProductChangeRow::author`].
    pub author: Option<&'a str>,
}

/// A change to store.
#[derive(Debug, Clone)]
pub struct NewProductChange<'a> {
    /// As [`ProductChangeRow::sku`].
    pub sku: &'a str,
    /// As [`ProductChangeRow::file`].
    pub file: Option<&'a str>,
    /// As [`ProductChangeRow::texts`].
    pub texts: &'a str,
    /// As [`ProductChangeRow::edit`].
    pub edit: Option<&'a str>,
}

impl Store {
    /// Stores changes, in this order.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn insert_product_changes(
        &mut self,
        cause: ChangeCause<'_>,
        changes: &[NewProductChange<'_>],
    ) -> Result<(), Error> {
        let rows: Vec<_> = changes.iter().map(|change| Inserted { cause, change }).collect();
        self.bulk(&rows, |Inserted { change, .. }| format!("store a change of {:?}", change.sku)).map(drop)
    }

    /// Deletes changes that are too old.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn delete_old_product_changes(&mut self) -> Result<(), Error> {
        let Some(newest) = self.newest_product_change()? else { return Ok(()) };
        let too_old = dsl::product_changes.filter(dsl::id.le(newest - MAX_CHANGES));
        diesel::delete(too_old).execute(&mut self.connection).or_cannot(|| "delete old changes of products")?;
        Ok(())
    }

    /// Deletes the changes behind a number; all with `None`.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn delete_product_changes_after(&mut self, id: Option<i64>) -> Result<(), Error> {
        let newer = dsl::product_changes.filter(dsl::id.gt(id.unwrap_or(i64::MIN)));
        diesel::delete(newer).execute(&mut self.connection).or_cannot(|| "delete changes of products")?;
        Ok(())
    }

    /// The number of the newest change.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn newest_product_change(&mut self) -> Result<Option<i64>, Error> {
        let newest = dsl::product_changes.select(max(dsl::id));
        newest.first(&mut self.connection).or_cannot(|| "read the newest change of products")
    }

    /// At most `limit` changes of a product, the newest first.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn product_changes(&mut self, sku: &str, limit: i64) -> Result<Vec<ProductChangeRow>, Error> {
        let mut rows = Vec::new();
        self.each_product_change(sku, limit, |row| {
            rows.push(row);
            true
        })?;
        Ok(rows)
    }

    /// The same changes; fewer if their texts take more than [`MAX_PAGE_BYTES`].
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn product_change_page(&mut self, sku: &str, limit: i64) -> Result<Vec<ProductChangeRow>, Error> {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        self.each_product_change(sku, limit, |row| {
            bytes += row.texts.len() + row.edit.as_ref().map_or(0, String::len);
            rows.push(row);
            bytes < MAX_PAGE_BYTES
        })?;
        Ok(rows)
    }

    /// Passes the same changes to `take`, until it returns false.
    fn each_product_change(
        &mut self,
        sku: &str,
        limit: i64,
        mut take: impl FnMut(ProductChangeRow) -> bool,
    ) -> Result<(), Error> {
        let action = || format!("read the changes of {sku:?}");
        let rows = dsl::product_changes
            .filter(dsl::sku.eq(sku))
            .select(ProductChangeRow::as_select())
            .order(dsl::id.desc())
            .limit(limit)
            .load_iter::<ProductChangeRow, DefaultLoadingMode>(&mut self.connection)
            .or_cannot(action)?;
        for row in rows {
            if !take(row.or_cannot(action)?) {
                break;
            }
        }
        Ok(())
    }

    /// One change of a product; `None` if it has none of this number.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn product_change(&mut self, sku: &str, id: i64) -> Result<Option<ProductChangeRow>, Error> {
        dsl::product_changes
            .filter(dsl::id.eq(id).and(dsl::sku.eq(sku)))
            .select(ProductChangeRow::as_select())
            .first(&mut self.connection)
            .optional()
            .or_cannot(|| format!("read a change of {sku:?}"))
    }
}

/// A change to insert. What all have in common is bound once per statement.
struct Inserted<'a> {
    cause: ChangeCause<'a>,
    change: &'a NewProductChange<'a>,
}

impl Bulk for Inserted<'_> {
    type Kind = Inserted<'static>;
    const CHANGE: Change = Change::Insert {
        table: "product_changes",
        columns: &["sku", "file", "texts", "edit", "at", "source", "entrance", "author"],
        on_conflict: "",
        scattered: true,
    };

    fn push<'b>(&'b self, out: &mut impl Values<'b>) -> QueryResult<()> {
        let NewProductChange { sku, file, texts, edit } = self.change;
        out.text(sku)?;
        out.optional_text(*file)?;
        out.text(texts)?;
        out.optional_text(*edit)
    }

    fn push_shared<'b>(&'b self, out: &mut impl Values<'b>) -> QueryResult<()> {
        let ChangeCause { at, source, entrance, author } = &self.cause;
        out.number(at)?;
        [source, entrance, author].into_iter().try_for_each(|text| out.optional_text(*text))
    }
}
