//! The table `edits`: corrections by people and programs, at most one per sku. How an edit changes a product is up to the merge.

use diesel::{connection::DefaultLoadingMode, prelude::*};

use crate::{
    Error, Store,
    database::{
        bulk::{Bulk, Change, Values},
        error::OrCannot,
        keys::{Lookup, each, rows_of_keys},
        schema::edits::dsl,
    },
};

/// One edit.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = crate::database::schema::edits)]
pub struct EditRow {
    /// The key.
    pub sku: String,
    /// Replaces the winner's name; `None` keeps it.
    pub name: Option<String>,
    /// Replaces the winner's description; `None` keeps it.
    pub description: Option<String>,
    /// Replaces the texts of own columns: as `own_edits` writes them, also of columns that the catalog no longer has.
    pub own: Option<String>,
    /// True if the product is hidden.
    pub hidden: bool,
    /// True if the product is shown even though no source offers it.
    pub stands: bool,
    /// Time of the last change.
    pub edited_at: String,
    /// The author of the last change; `None`: not known.
    pub edited_by: Option<String>,
}

impl Store {
    /// The edit of a sku.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn edit(&mut self, sku: &str) -> Result<Option<EditRow>, Error> {
        dsl::edits
            .filter(dsl::sku.eq(sku))
            .select(EditRow::as_select())
            .first(&mut self.connection)
            .optional()
            .or_cannot(|| format!("read the edit of {sku:?}"))
    }

    /// At most `limit` edits, by sku; with `sku` only that one.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn edits_view(&mut self, sku: Option<&str>, limit: i64) -> Result<Vec<EditRow>, Error> {
        let query = dsl::edits.select(EditRow::as_select()).order(dsl::sku).limit(limit);
        match sku {
            Some(sku) => query.filter(dsl::sku.eq(sku)).load(&mut self.connection),
            None => query.load(&mut self.connection),
        }
        .or_cannot(|| "read the edits")
    }

    /// The number of edits; with `sku`, 1 if that sku has one and 0 otherwise.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn edits_count(&mut self, sku: Option<&str>) -> Result<i64, Error> {
        match sku {
            Some(sku) => dsl::edits.filter(dsl::sku.eq(sku)).count().get_result(&mut self.connection),
            None => dsl::edits.count().get_result(&mut self.connection),
        }
        .or_cannot(|| "count the edits")
    }

    /// The skus with an edit, in order: at most `limit` after the sku `after`, or from the first on.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn edited_skus(&mut self, after: Option<&str>, limit: i64) -> Result<Vec<String>, Error> {
        let skus = dsl::edits.select(dsl::sku).order(dsl::sku).limit(limit);
        match after {
            Some(after) => skus.filter(dsl::sku.gt(after)).load(&mut self.connection),
            None => skus.load(&mut self.connection),
        }
        .or_cannot(|| "read the edited skus")
    }

    /// The edits of some skus, which must be sorted by bytes and unique. By sku.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn edits_of(&mut self, skus: &[&str]) -> Result<Vec<EditRow>, Error> {
        rows_of_keys(&mut self.connection, skus, &EDITS).or_cannot(|| "read edits")
    }

    /// Stores an edit, in place of an earlier one of the same sku.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn put_edit(&mut self, edit: &EditRow) -> Result<(), Error> {
        self.put_edits([edit])
    }

    /// Stores edits, each in place of an earlier one of the same sku. In sku order this is fastest.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn put_edits<'e>(&mut self, edits: impl IntoIterator<Item = &'e EditRow>) -> Result<(), Error> {
        let rows: Vec<_> = edits.into_iter().map(Put).collect();
        self.bulk(&rows, |Put(edit)| format!("store the edit of {:?}", edit.sku)).map(drop)
    }

    /// Deletes the edit of a sku, and returns true if there was one.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn delete_edit(&mut self, sku: &str) -> Result<bool, Error> {
        let deleted = diesel::delete(dsl::edits.filter(dsl::sku.eq(sku)))
            .execute(&mut self.connection)
            .or_cannot(|| format!("delete the edit of {sku:?}"))?;
        Ok(deleted > 0)
    }
}

pub(super) const EDITS: Lookup<EditRow> = Lookup {
    key: |row| &row.sku,
    bytes: |EditRow { sku, name, description, own, .. }| {
        sku.len() + [name, description, own].into_iter().flatten().map(String::len).sum::<usize>()
    },
    range: |connection, first, last, limit, take| {
        let query = dsl::edits
            .filter(dsl::sku.ge(first).and(dsl::sku.le(last)))
            .select(EditRow::as_select())
            .order(dsl::sku)
            .limit(limit);
        each(query.load_iter::<_, DefaultLoadingMode>(connection)?, take)
    },
    listed: |connection, skus, take| {
        let query = dsl::edits.filter(dsl::sku.eq_any(skus)).select(EditRow::as_select()).order(dsl::sku);
        each(query.load_iter::<_, DefaultLoadingMode>(connection)?, take)
    },
};

/// An edit to store.
struct Put<'a>(&'a EditRow);

impl Bulk for Put<'_> {
    type Kind = Put<'static>;
    const CHANGE: Change = Change::Insert {
        table: "edits",
        columns: &["sku", "name", "description", "own", "hidden", "stands", "edited_at", "edited_by"],
        on_conflict: "ON CONFLICT (sku) DO UPDATE SET name = excluded.name, description = excluded.description, \
             own = excluded.own, hidden = excluded.hidden, stands = excluded.stands, edited_at = excluded.edited_at, \
             edited_by = excluded.edited_by",
        scattered: false,
    };

    fn push<'b>(&'b self, out: &mut impl Values<'b>) -> QueryResult<()> {
        let EditRow { sku, name, description, own, hidden, stands, edited_at, edited_by } = self.0;
        out.text(sku)?;
        for text in [name, description, own] {
            out.optional_text(text.as_deref())?;
        }
        out.flag(hidden)?;
        out.flag(stands)?;
        out.text(edited_at)?;
        out.optional_text(edited_by.as_deref())
    }
}
