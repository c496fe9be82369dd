//! Rejects with names in place of ids, for people and programs.
//!
//! There may be millions, so a page is first a list of ids. Without a filter that is a walk through the key. With one, the ids of the
//! files that pass it are merged: a walk would read all rejects of others to find the few of a file.

use std::collections::BinaryHeap;

use diesel::{dsl::max, prelude::*};

use super::path_starts::path_is;
use crate::{
    Error, MAX_PAGE_BYTES, Store,
    database::{
        error::OrCannot,
        functions::instr,
        keys::KEYS_PER_STATEMENT,
        schema::{files, rejects, sources},
    },
};

/// Rejects that are searched for a text before a page ends, however few have it.
const MAX_SEARCHED: i64 = 10_000;

/// A reject with the names of its source and file.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = rejects)]
pub struct RejectView {
    /// Orders rejects by time.
    pub id: i64,
    /// The reader that could not use the row.
    #[diesel(select_expression = files::reader)]
    pub reader: String,
    /// Name of the source.
    #[diesel(select_expression = sources::name)]
    pub source: String,
    /// Path of the file.
    #[diesel(select_expression = files::path)]
    pub file: String,
    /// The line where the row begins, counted from 1.
    pub line: i64,
    /// The byte where the row begins in the unpacked file, counted from 0.
    pub byte_offset: i64,
    /// The reason why it could not be used.
    pub reason: String,
    /// The raw text, cut at 1 KiB.
    pub raw: String,
}

impl RejectView {
    fn text_bytes(&self) -> usize {
        self.file.len() + self.reason.len() + self.raw.len()
    }
}

/// Restricts rejects to those of a reader, of a source, of files with a path, with a reason, or all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RejectFilter {
    /// Only rejects of this reader.
    pub reader: Option<String>,
    /// Only rejects of the source with this name.
    pub source: Option<String>,
    /// Only rejects of files with this path.
    pub file: Option<String>,
    /// Only rejects whose reason contains this text, compared by bytes.
    pub reason: Option<String>,
}

/// A part of the rejects, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RejectPage {
    /// The rejects. There may be fewer than asked for before the end, if few have the reason that is searched.
    pub rows: Vec<RejectView>,
    /// The id before which the next page begins; `None` at the end.
    pub next: Option<i64>,
}

/// Adds the reader, the source and the file of a filter to a query of files. A macro, because the queries have different types.
macro_rules! of_filter {
    ($query:expr, $filter:expr) => {{
        let (mut query, filter) = ($query, $filter);
        if let Some(reader) = &filter.reader {
            query = query.filter(files::reader.eq(reader));
        }
        if let Some(source) = &filter.source {
            query = query.filter(sources::name.eq(source));
        }
        if let Some(file) = &filter.file {
            query = query.filter(path_is(file));
        }
        query
    }};
}
pub(super) use of_filter;

impl Store {
    /// At most `limit` rejects, by source name, path and line; on the same line, those of the reader `first` first.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn rejects_view(&mut self, first: &str, limit: i64) -> Result<Vec<RejectView>, Error> {
        rejects::table
            .inner_join(files::table.inner_join(sources::table))
            .select(RejectView::as_select())
            .order((sources::name, files::path, rejects::line, files::reader.ne(first), rejects::id))
            .limit(limit)
            .load(&mut self.connection)
            .or_cannot(|| "read the rejects")
    }

    /// The rejects of one file, in the order of its lines.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn rejects_of_file(&mut self, filter: &RejectFilter) -> Result<Vec<RejectView>, Error> {
        let (mut rows, mut next) = (Vec::new(), Some(None));
        while let Some(before) = next {
            let page = self.newest_rejects(filter, before, i64::MAX - 1)?;
            rows.extend(page.rows);
            next = page.next.map(Some);
        }
        rows.sort_by_key(|row| (row.line, row.id));
        Ok(rows)
    }

    /// At most `limit` rejects that pass a filter, the newest first; with `before` only those older than the reject with this id. Fewer
    /// if their texts take more than [`MAX_PAGE_BYTES`].
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn newest_rejects(
        &mut self,
        filter: &RejectFilter,
        before: Option<i64>,
        limit: i64,
    ) -> Result<RejectPage, Error> {
        let before = before.unwrap_or(i64::MAX);
        let looked_at = if filter.reason.is_some() { MAX_SEARCHED } else { limit.saturating_add(1) };
        let ids = match filter {
            RejectFilter { reader: None, source: None, file: None, .. } => self.newest_ids(before, looked_at),
            filter => self.newest_ids_of_files(filter, before, looked_at),
        };
        let mut ids = ids.or_cannot(|| "find the newest rejects")?;
        let searched_to = ids.last().copied().filter(|_| filter.reason.is_some() && ids.len() as i64 == looked_at);
        if let Some(reason) = &filter.reason {
            ids = self.with_reason(&ids, reason).or_cannot(|| "search the rejects")?;
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_cut = ids.len() > limit;
        ids.truncate(limit);
        let next = if is_cut { ids.last().copied() } else { searched_to };
        let rows = self.rejects_with_ids(&ids).or_cannot(|| "read the newest rejects")?;
        let next = if rows.len() < ids.len() { rows.last().map(|row| row.id) } else { next };
        Ok(RejectPage { rows, next })
    }

    /// The number of rejects that are kept.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn rejects_count(&mut self) -> Result<i64, Error> {
        rejects::table.count().get_result(&mut self.connection).or_cannot(|| "count the rejects")
    }

    fn newest_ids(&mut self, before: i64, limit: i64) -> QueryResult<Vec<i64>> {
        let ids = rejects::table.filter(rejects::id.lt(before)).select(rejects::id);
        ids.order(rejects::id.desc()).limit(limit).load(&mut self.connection)
    }

    /// Merges the ids of all files that pass the filter. Those of a file lie close together, so few queries are needed.
    fn newest_ids_of_files(&mut self, filter: &RejectFilter, before: i64, limit: i64) -> QueryResult<Vec<i64>> {
        let mut newest = self.newest_of_each_file(filter, before)?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        while let Some((head, file)) = newest.pop() {
            let wanted = limit - found.len();
            let ids = rejects::table.filter(rejects::file_id.eq(file).and(rejects::id.le(head))).select(rejects::id);
            let ids = ids.order(rejects::id.desc()).limit(i64::try_from(wanted).unwrap_or(i64::MAX));
            let ids: Vec<i64> = ids.load(&mut self.connection)?;
            let other = newest.peek().map_or(i64::MIN, |(head, _)| *head);
            let newer = ids.partition_point(|id| *id > other);
            found.extend_from_slice(&ids[..newer]);
            if found.len() == limit {
                break;
            }
            newest.extend(ids.get(newer).map(|id| (*id, file)));
        }
        Ok(found)
    }

    /// The newest reject of each file that passes the filter, with the file's id.
    fn newest_of_each_file(&mut self, filter: &RejectFilter, before: i64) -> QueryResult<BinaryHeap<(i64, i64)>> {
        let of_file = rejects::table.filter(rejects::file_id.eq(files::id).and(rejects::id.lt(before)));
        let newest = of_file.select(max(rejects::id)).single_value();
        let query = files::table
            .inner_join(sources::table)
            .filter(files::rejects.gt(0).or(files::rejected_hash.is_not_null()))
            .select((newest, files::id))
            .into_boxed();
        let heads: Vec<(Option<i64>, i64)> = of_filter!(query, filter).load(&mut self.connection)?;
        Ok(heads.into_iter().filter_map(|(newest, file)| Some((newest?, file))).collect())
    }

    /// Those of the ids whose reason contains a text, in their order.
    fn with_reason(&mut self, ids: &[i64], reason: &str) -> QueryResult<Vec<i64>> {
        let mut found = Vec::new();
        for ids in ids.chunks(KEYS_PER_STATEMENT) {
            let has_reason = rejects::id.eq_any(ids).and(instr(rejects::reason, reason).gt(0));
            let query = rejects::table.filter(has_reason).select(rejects::id).order(rejects::id.desc());
            found.extend(query.load::<i64>(&mut self.connection)?);
        }
        Ok(found)
    }

    /// The rejects with these ids, as many as a page may hold.
    fn rejects_with_ids(&mut self, ids: &[i64]) -> QueryResult<Vec<RejectView>> {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        for ids in ids.chunks(KEYS_PER_STATEMENT) {
            if bytes >= MAX_PAGE_BYTES {
                break;
            }
            let read = rows.len();
            let query = rejects::table
                .inner_join(files::table.inner_join(sources::table))
                .filter(rejects::id.eq_any(ids))
                .select(RejectView::as_select())
                .order(rejects::id.desc());
            rows.extend(query.load::<RejectView>(&mut self.connection)?);
            bytes += rows[read..].iter().map(RejectView::text_bytes).sum::<usize>();
        }
        Ok(rows)
    }
}
