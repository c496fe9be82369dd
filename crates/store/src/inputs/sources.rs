//! The table `sources`: the sources as configured, with the outcome of their last pass. Their files are in `files`.

use diesel::prelude::*;

use crate::{
    Error, Store,
    database::{
        error::{OrCannot, exactly_one},
        schema::{files, sources::dsl},
    },
};

/// The health of a source, as of its last pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceState {
    /// There was no pass yet.
    Unknown,
    /// The last pass succeeded.
    Up,
    /// The last pass failed.
    Down,
    /// The last pass succeeded, but a file is rejected, or more rows are than are not.
    Rejected,
    /// The last pass succeeded, but its version waits for a person, because it would take too much away.
    Held,
}

impl SourceState {
    /// The word in the database and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            SourceState::Unknown => "unknown",
            SourceState::Up => "up",
            SourceState::Down => "down",
            SourceState::Rejected => "rejected",
            SourceState::Held => "held",
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
        [Self::Unknown, Self::Up, Self::Down, Self::Rejected, Self::Held]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| format!("unknown state `{word}` of a source"))
    }
}

/// One source.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = crate::database::schema::sources)]
pub struct SourceRow {
    /// The target of `files.source_id`.
    pub id: i64,
    /// Its name, which identifies it.
    pub name: String,
    /// Its configured URL.
    pub url: String,
    /// The higher priority wins.
    pub priority: i64,
    /// Its position in the configuration; of equal priorities the later source wins.
    pub position: i64,
    /// The version whose rows are in the tables; `None` before the first one, and while only a part of one is there.
    pub version: Option<String>,
    /// The outcome of the last pass.
    #[diesel(deserialize_as = String)]
    pub state: SourceState,
    /// The error of the last pass; `None` if it succeeded.
    pub error: Option<String>,
    /// The beginning of the last pass that the source answered.
    pub last_sensed: Option<String>,
    /// The last time that a change of it was applied.
    pub last_applied: Option<String>,
}

/// The outcome of a pass over a source.
#[derive(Debug, Clone, PartialEq)]
pub struct SourcePass {
    /// The source's state from now on.
    pub state: SourceState,
    /// The error; `None` clears an earlier one.
    pub error: Option<String>,
    /// The version that is now applied in full, or `Some(None)` if only a part of one is. `None` keeps the stored version.
    pub version: Option<Option<String>>,
    /// The time of the source's answer; `None` keeps the stored time.
    pub last_sensed: Option<String>,
    /// The time of the apply; `None` keeps the stored time.
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
            .or_cannot(|| "read the sources")
    }

    /// Adds a source, or changes URL, priority and position of the one with this name. Returns its id. A new source is `unknown`
    /// and has no version.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn put_source(&mut self, name: &str, url: &str, priority: i64, position: i64) -> Result<i64, Error> {
        let values = (dsl::url.eq(url), dsl::priority.eq(priority), dsl::position.eq(position));
        let changed = diesel::update(dsl::sources.filter(dsl::name.eq(name)))
            .set(values)
            .execute(&mut self.connection)
            .or_cannot(|| format!("change the source {name:?}"))?;
        if changed == 0 {
            diesel::insert_into(dsl::sources)
                .values((dsl::name.eq(name), dsl::state.eq(SourceState::Unknown.as_str()), values))
                .execute(&mut self.connection)
                .or_cannot(|| format!("insert the source {name:?}"))?;
        }
        dsl::sources
            .filter(dsl::name.eq(name))
            .select(dsl::id)
            .first(&mut self.connection)
            .or_cannot(|| format!("find the source {name:?}"))
    }

    /// Stores the outcome of a pass over a source.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] if there is no such source.
    pub fn set_source_pass(&mut self, id: i64, pass: &SourcePass) -> Result<(), Error> {
        let changed = diesel::update(dsl::sources.filter(dsl::id.eq(id)))
            .set((
                dsl::state.eq(pass.state.as_str()),
                // diesel takes a bare `None` as "keep"; this one is wrapped in `eq`, so it clears the error.
                dsl::error.eq(pass.error.as_deref()),
                pass.version.as_ref().map(|version| dsl::version.eq(version.as_deref())),
                pass.last_sensed.as_deref().map(|time| dsl::last_sensed.eq(time)),
                pass.last_applied.as_deref().map(|time| dsl::last_applied.eq(time)),
            ))
            .execute(&mut self.connection)
            .or_cannot(|| format!("store the pass over source {id}"))?;
        exactly_one(changed, || no_source(id))
    }

    /// Deletes a source with the files of all readers, their partials and rejects. Files with offers must be deleted before.
    ///
    /// # Errors
    /// [`Error::Query`], for instance while a file has pages; [`Error::Corrupt`] if there is no such source.
    pub fn delete_source(&mut self, id: i64) -> Result<(), Error> {
        self.clear_held_version(id)?;
        diesel::delete(files::table.filter(files::source_id.eq(id)))
            .execute(&mut self.connection)
            .or_cannot(|| format!("delete the files of source {id}"))?;
        self.delete_report_failures_of(id)?;
        let deleted = diesel::delete(dsl::sources.filter(dsl::id.eq(id)))
            .execute(&mut self.connection)
            .or_cannot(|| format!("delete source {id}"))?;
        exactly_one(deleted, || no_source(id))
    }
}

fn no_source(id: i64) -> String {
    format!("`sources` has no row with the id {id}")
}
