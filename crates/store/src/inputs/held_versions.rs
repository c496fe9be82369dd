//! The table `held_versions`: versions that wait for a person, because they would take too much away. At most one per source.

use diesel::{
    dsl::{count, not},
    prelude::*,
};

use crate::{
    Error, Store,
    database::{
        error::{OrCannot, exactly_one},
        schema::{
            files,
            held_versions::{self, dsl},
            products, shadowed,
        },
    },
};

/// A version that is held.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = held_versions)]
pub struct HeldVersionRow {
    /// Its source.
    pub source_id: i64,
    /// Digest of what would go.
    pub digest: String,
    /// Number of skus that would go.
    pub removes: i64,
    /// Distinct skus that the source offers.
    pub offers: i64,
    /// Reason, for people: what would go and why.
    pub reason: String,
    /// Since when exactly these skus would go, RFC 3339.
    pub held_since: String,
    /// Time at which it is applied by itself, RFC 3339. `None`: never.
    pub held_until: Option<String>,
    /// Whether a person has accepted it. The next pass applies it.
    pub accepted: bool,
    /// The person or program that has accepted it; `None`: not known.
    pub accepted_by: Option<String>,
    /// When it was accepted, RFC 3339.
    pub accepted_at: Option<String>,
}

impl Store {
    /// The held version of a source, if there is one.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn held_version(&mut self, source_id: i64) -> Result<Option<HeldVersionRow>, Error> {
        dsl::held_versions
            .find(source_id)
            .select(HeldVersionRow::as_select())
            .first(&mut self.connection)
            .optional()
            .or_cannot(|| format!("read the held version of source {source_id}"))
    }

    /// All held versions, by source.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn held_versions(&mut self) -> Result<Vec<HeldVersionRow>, Error> {
        dsl::held_versions
            .select(HeldVersionRow::as_select())
            .order(dsl::source_id)
            .load(&mut self.connection)
            .or_cannot(|| "read the held versions")
    }

    /// Stores the held version of a source, in place of an earlier one.
    ///
    /// # Errors
    /// [`Error::Query`], for instance when there is no such source.
    pub fn put_held_version(&mut self, held: &HeldVersionRow) -> Result<(), Error> {
        self.clear_held_version(held.source_id)?;
        diesel::insert_into(dsl::held_versions)
            .values(held)
            .execute(&mut self.connection)
            .or_cannot(|| format!("store the held version of source {}", held.source_id))?;
        Ok(())
    }

    /// Marks the held version of a source as accepted at the time `at`.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] if there is none.
    pub fn accept_held_version(&mut self, source_id: i64, by: Option<&str>, at: &str) -> Result<(), Error> {
        let changed = diesel::update(dsl::held_versions.find(source_id))
            .set((dsl::accepted.eq(true), dsl::accepted_by.eq(by), dsl::accepted_at.eq(at)))
            .execute(&mut self.connection)
            .or_cannot(|| format!("accept the held version of source {source_id}"))?;
        exactly_one(changed, || format!("`held_versions` has no row for source {source_id}"))
    }

    /// Forgets the held version of a source, if there is one.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn clear_held_version(&mut self, source_id: i64) -> Result<(), Error> {
        diesel::delete(dsl::held_versions.find(source_id))
            .execute(&mut self.connection)
            .or_cannot(|| format!("forget the held version of source {source_id}"))?;
        Ok(())
    }

    /// The number of distinct skus that the files of a reader and a source offer, whether they are shown or not. Reads all products.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn offered_skus(&mut self, reader: &str, source_id: i64) -> Result<i64, Error> {
        let files = files::table.filter(files::reader.eq(reader).and(files::source_id.eq(source_id)));
        let shown = products::table
            .filter(products::edited.eq(false))
            .filter(products::file_id.eq_any(files.select(files::id.nullable())));
        let others = shadowed::table
            .filter(shadowed::deletes.eq(false))
            .filter(shadowed::file_id.eq_any(files.select(files::id)))
            .filter(not(shadowed::sku.eq_any(shown.select(products::sku))))
            .select(count(shadowed::sku).aggregate_distinct());
        let connection = &mut self.connection;
        let count = || -> QueryResult<i64> {
            Ok(shown.count().get_result::<i64>(connection)? + others.get_result::<i64>(connection)?)
        };
        count().or_cannot(|| format!("count the skus of source {source_id}"))
    }
}
