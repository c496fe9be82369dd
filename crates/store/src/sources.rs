//! The sources, as configured and as last seen. Not their files, which `files` keeps.

use diesel::prelude::*;

use crate::{Error, Store, error::Doing, schema::sources::dsl};

/// How a source is, as of its last pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceState {
    /// No pass was made yet.
    Unknown,
    /// The last pass succeeded.
    Up,
    /// The last pass failed.
    Down,
    /// The last pass succeeded, but a file is rejected.
    Rejected,
}

impl SourceState {
    /// The word in the database and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            SourceState::Unknown => "unknown",
            SourceState::Up => "up",
            SourceState::Down => "down",
            SourceState::Rejected => "rejected",
        }
    }
}

impl std::fmt::Display for SourceState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for SourceState {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        [SourceState::Unknown, SourceState::Up, SourceState::Down, SourceState::Rejected]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| format!("`{word}` is no state of a source"))
    }
}

/// One source.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = crate::schema::sources)]
pub struct SourceRow {
    /// What `files.source_id` points to.
    pub id: i64,
    /// Its identity.
    pub name: String,
    /// Where it is asked.
    pub url: String,
    /// Higher wins.
    pub priority: i64,
    /// Its place in the configuration; among equal priorities the later wins.
    pub position: i64,
    /// The version whose rows the tables hold; `None` before the first and while they hold only a part of one.
    pub version: Option<String>,
    /// How the last pass ended.
    #[diesel(deserialize_as = String)]
    pub state: SourceState,
    /// Why the last pass failed; `None` when it did not.
    pub error: Option<String>,
    /// When the last pass that it answered began.
    pub last_sensed: Option<String>,
    /// When something of it was last applied.
    pub last_applied: Option<String>,
}

/// What a pass found out about a source.
#[derive(Debug, Clone, PartialEq)]
pub struct SourcePass {
    /// How the pass ended.
    pub state: SourceState,
    /// Why it failed; `None` clears an earlier error.
    pub error: Option<String>,
    /// The version that is now applied as a whole, `Some(None)` if a part of one is; `None` keeps what is stored.
    pub version: Option<Option<String>>,
    /// When it answered; `None` keeps the time before.
    pub last_sensed: Option<String>,
    /// When something was applied; `None` keeps the time before.
    pub last_applied: Option<String>,
}

impl Store {
    /// All sources, by position, then name.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn sources(&mut self) -> Result<Vec<SourceRow>, Error> {
        dsl::sources
            .select(SourceRow::as_select())
            .order((dsl::position, dsl::name))
            .load(&mut self.connection)
            .doing(|| "read the sources")
    }

    /// Adds a source, or changes URL, priority and position of the one with this name; gives its id. A new one is
    /// `unknown` and has no version.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn put_source(&mut self, name: &str, url: &str, priority: i64, position: i64) -> Result<i64, Error> {
        let put = (dsl::url.eq(url), dsl::priority.eq(priority), dsl::position.eq(position));
        let changed = diesel::update(dsl::sources.filter(dsl::name.eq(name)))
            .set(put)
            .execute(&mut self.connection)
            .doing(|| format!("change the source {name:?}"))?;
        if changed == 0 {
            diesel::insert_into(dsl::sources)
                .values((dsl::name.eq(name), dsl::state.eq(SourceState::Unknown.as_str()), put))
                .execute(&mut self.connection)
                .doing(|| format!("insert the source {name:?}"))?;
        }
        dsl::sources
            .filter(dsl::name.eq(name))
            .select(dsl::id)
            .first(&mut self.connection)
            .doing(|| format!("find the source {name:?}"))
    }

    /// Stores how a pass over a source ended.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] without that source.
    pub fn set_source_pass(&mut self, id: i64, pass: &SourcePass) -> Result<(), Error> {
        let changed = diesel::update(dsl::sources.filter(dsl::id.eq(id)))
            .set((
                dsl::state.eq(pass.state.as_str()),
                // A bare `None` is "keep" to diesel; the error is cleared by a `None` that is set.
                dsl::error.eq(pass.error.as_deref()),
                pass.version.as_ref().map(|version| dsl::version.eq(version.as_deref())),
                pass.last_sensed.as_deref().map(|time| dsl::last_sensed.eq(time)),
                pass.last_applied.as_deref().map(|time| dsl::last_applied.eq(time)),
            ))
            .execute(&mut self.connection)
            .doing(|| format!("store the pass over source {id}"))?;
        crate::error::exactly_one(changed, || format!("`sources` has no row with the id {id}"))
    }

    /// Deletes a source, with the files that reports have of it. Its own files must have been deleted before.
    ///
    /// # Errors
    /// [`Error::Query`], while it has files above all.
    pub fn delete_source(&mut self, id: i64) -> Result<(), Error> {
        self.delete_report_files_of(id)?;
        let deleted = diesel::delete(dsl::sources.filter(dsl::id.eq(id)))
            .execute(&mut self.connection)
            .doing(|| format!("delete source {id}"))?;
        crate::error::exactly_one(deleted, || format!("`sources` has no row with the id {id}"))
    }
}
