//! The table `history`: what happened per stretch of time, in steps that are coarser and kept for longer.

use diesel::prelude::*;

use crate::{
    Error, Store,
    database::{
        error::OrCannot,
        schema::history::{self, dsl},
    },
};

/// A step: the seconds that a row spans, and the seconds for which rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryStep {
    /// Seconds per row.
    pub seconds: i64,
    /// Age in seconds at which a row is deleted.
    pub kept: i64,
}

/// A row per minute for two hours, per quarter of an hour for two days, per two hours for 15 days, and per day for 400 days.
pub const HISTORY_STEPS: [HistoryStep; 4] = [
    HistoryStep { seconds: 60, kept: 2 * 3_600 },
    HistoryStep { seconds: 900, kept: 2 * DAY },
    HistoryStep { seconds: 7_200, kept: 15 * DAY },
    HistoryStep { seconds: DAY, kept: 400 * DAY },
];

const DAY: i64 = 86_400;

/// Amounts of a stretch of time. The sum of two is the same of both together.
#[derive(Debug, Clone, Default, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = history, treat_none_as_null = true)]
pub struct Amounts {
    /// Products at its end; `None` if nobody looked.
    pub products: Option<i64>,
    /// Versions that changed anything.
    pub versions: i64,
    /// Products that versions added.
    pub added: i64,
    /// Products that versions changed.
    pub updated: i64,
    /// Products that versions removed.
    pub removed: i64,
    /// Rejects of the files that were read.
    pub rejected: i64,
    /// Edits that were set, changed or cleared.
    pub edits: i64,
    /// Seconds from asking for a version to its commit, of all versions.
    pub apply_seconds: f64,
    /// The longest of them.
    pub max_apply_seconds: f64,
    /// Passes over the source, good and bad.
    pub polls: i64,
    /// Passes that failed.
    pub failed_polls: i64,
    /// Seconds of all passes.
    pub poll_seconds: f64,
    /// The longest of them.
    pub max_poll_seconds: f64,
    /// Requests that only read.
    pub requests: i64,
    /// Seconds until their answers began.
    pub request_seconds: f64,
    /// The longest of them.
    pub max_request_seconds: f64,
}

/// A row of `history`.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = history)]
pub struct HistoryRow {
    /// Name of the source; empty for the master as a whole.
    pub source: String,
    /// Seconds that it spans.
    pub step: i64,
    /// Its beginning, in seconds since 1970.
    pub at: i64,
    /// The amounts.
    #[diesel(embed)]
    pub amounts: Amounts,
}

impl Amounts {
    /// Adds what happened later.
    pub fn add(&mut self, later: &Self) {
        self.products = later.products.or(self.products);
        self.versions += later.versions;
        self.added += later.added;
        self.updated += later.updated;
        self.removed += later.removed;
        self.rejected += later.rejected;
        self.edits += later.edits;
        self.apply_seconds += later.apply_seconds;
        self.max_apply_seconds = self.max_apply_seconds.max(later.max_apply_seconds);
        self.polls += later.polls;
        self.failed_polls += later.failed_polls;
        self.poll_seconds += later.poll_seconds;
        self.max_poll_seconds = self.max_poll_seconds.max(later.max_poll_seconds);
        self.requests += later.requests;
        self.request_seconds += later.request_seconds;
        self.max_request_seconds = self.max_request_seconds.max(later.max_request_seconds);
    }
}

impl Store {
    /// Counts what happened at `now`, in seconds since 1970, in every step. `source` is empty for the master as a whole. Call it in
    /// a transaction.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn add_to_history(&mut self, source: &str, now: i64, amounts: &Amounts) -> Result<(), Error> {
        for HistoryStep { seconds: step, .. } in HISTORY_STEPS {
            let at = now - now.rem_euclid(step);
            let place = dsl::history.find((source, step, at));
            let action = || format!("count in the history of {source:?}");
            let stored: Option<Amounts> =
                place.select(Amounts::as_select()).first(&mut self.connection).optional().or_cannot(action)?;
            let counted = if let Some(mut sum) = stored {
                sum.add(amounts);
                diesel::update(place).set(&sum).execute(&mut self.connection)
            } else {
                let row = HistoryRow { source: source.to_owned(), step, at, amounts: amounts.clone() };
                diesel::insert_into(dsl::history).values(&row).execute(&mut self.connection)
            };
            counted.or_cannot(action)?;
        }
        Ok(())
    }

    /// The rows of a source in one step that begin at `from` or later, the oldest first. `source` is empty for the master as a
    /// whole.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn history(&mut self, source: &str, step: i64, from: i64) -> Result<Vec<HistoryRow>, Error> {
        dsl::history
            .filter(dsl::source.eq(source).and(dsl::step.eq(step)).and(dsl::at.ge(from)))
            .select(HistoryRow::as_select())
            .order(dsl::at)
            .load(&mut self.connection)
            .or_cannot(|| format!("read the history of {source:?}"))
    }

    /// The number of products at the end of the last day that ended at `midnight` or before, if it was noted.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn products_before(&mut self, midnight: i64) -> Result<Option<i64>, Error> {
        let days = dsl::source.eq("").and(dsl::step.eq(DAY)).and(dsl::at.lt(midnight));
        dsl::history
            .filter(days.and(dsl::products.is_not_null()))
            .select(dsl::products)
            .order(dsl::at.desc())
            .first::<Option<i64>>(&mut self.connection)
            .optional()
            .map(Option::flatten)
            .or_cannot(|| "read how many products there were")
    }

    /// Deletes the rows that are too old at `now`.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn trim_history(&mut self, now: i64) -> Result<(), Error> {
        for HistoryStep { seconds, kept } in HISTORY_STEPS {
            let too_old = dsl::history.filter(dsl::step.eq(seconds).and(dsl::at.lt(now - kept)));
            diesel::delete(too_old).execute(&mut self.connection).or_cannot(|| "delete old history")?;
        }
        Ok(())
    }
}
