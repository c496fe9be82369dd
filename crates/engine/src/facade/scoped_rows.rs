//! The rows of a report over the files of one source or path. They are in no table: they are summed for the request.

use std::cmp::Ordering;

use anyhow::Result;
use futures_util::{StreamExt, stream};
use tributary_config::ReportConfig;
use tributary_report::TotalRows;
use tributary_store::{GroupRow, ReportValue, Store};

use super::{ReportScope, RowOrder, RowRange};
use crate::{
    database::{Batch, Batches, Readers},
    reports::{each_row, total_of},
};

/// Bytes of rows that are held to sort them.
const MAX_SORTED_BYTES: usize = 16 << 20;
/// Rows that are sent at a time once they are sorted.
const SENT_ROWS: usize = 1_000;

/// Rows that would take too much memory in this order.
#[derive(Debug, thiserror::Error)]
#[error(
    "the rows of some files are sorted in memory, and these take more than {} MiB: leave out `order`, set a lower `limit`, or ask for the report over all files",
    MAX_SORTED_BYTES >> 20
)]
pub struct TooManyToSort;

/// Reads a range of the rows over a scope.
///
/// # Errors
/// The database fails; [`TooManyToSort`].
pub(super) async fn read(
    readers: &Readers,
    report: ReportConfig,
    range: RowRange,
    scope: ReportScope,
) -> Result<Batches<GroupRow>> {
    if let Some(order) = range.order.clone() {
        let sort = move |store: &mut Store| {
            let mut sorted = SortedRows { report: &report, order: &order, range: &range, rows: Vec::new(), bytes: 0 };
            each_row(&report, &total_over(store, &report, &scope)?, |row| sorted.push(row))?;
            Ok(sorted.finish())
        };
        let rows = readers.run(sort).await?.into_iter();
        let batch = |mut rows: std::vec::IntoIter<GroupRow>| async move {
            let batch: Vec<GroupRow> = rows.by_ref().take(SENT_ROWS).collect();
            (!batch.is_empty()).then_some((Ok(batch), rows))
        };
        return Ok(stream::unfold(rows, batch).boxed());
    }
    let produce = move |store: &mut Store, send: &mut dyn FnMut(Vec<GroupRow>) -> Result<()>| {
        let (mut batch, mut found) = (Batch::new(send), 0..);
        let wanted = range.offset..range.offset.saturating_add(range.most());
        each_row(&report, &total_over(store, &report, &scope)?, |row| {
            let is_wanted = range.has(&row) && found.next().is_some_and(|place| wanted.contains(&place));
            if is_wanted { batch.push_group(row) } else { Ok(()) }
        })?;
        batch.finish()
    };
    readers.stream(produce).await
}

/// The total over the files of a scope.
fn total_over(store: &mut Store, report: &ReportConfig, scope: &ReportScope) -> Result<TotalRows> {
    let sources = store.sources()?;
    let id_of = |name: &String| sources.iter().find(|known| known.name == *name).map(|known| known.id);
    // An unknown source has no files.
    let wanted_source = scope.source.as_ref().map(id_of);
    total_of(store, report, |row| {
        wanted_source.is_none_or(|wanted| wanted == Some(row.source_id))
            && scope.file.as_ref().is_none_or(|file| *file == row.path)
    })
}

impl RowRange {
    /// Most rows, if any number is not asked for.
    fn most(&self) -> i64 {
        if self.limit < 0 { i64::MAX } else { self.limit }
    }

    /// Whether a row has the text that is asked for.
    fn has(&self, row: &GroupRow) -> bool {
        self.part.as_ref().is_none_or(|part| row.group.iter().any(|text| text.contains(part.as_str())))
    }
}

/// The first rows of a range in an order, as [`Store::report_rows`] orders them.
struct SortedRows<'a> {
    report: &'a ReportConfig,
    order: &'a RowOrder,
    range: &'a RowRange,
    rows: Vec<GroupRow>,
    bytes: usize,
}

impl SortedRows<'_> {
    fn push(&mut self, row: GroupRow) -> Result<()> {
        if !self.range.has(&row) {
            return Ok(());
        }
        self.bytes += bytes(&row);
        self.rows.push(row);
        if self.bytes > MAX_SORTED_BYTES {
            self.cut();
            // If few rows can be left out, they would be sorted again and again.
            anyhow::ensure!(self.bytes <= MAX_SORTED_BYTES / 2, TooManyToSort);
        }
        Ok(())
    }

    /// Sorts the rows, and leaves out those that are not asked for.
    fn cut(&mut self) {
        let Self { report, order: RowOrder { column, descending }, range, rows, bytes } = self;
        let directed = |ordering: Ordering| if *descending { ordering.reverse() } else { ordering };
        rows.sort_by(|a, b| a.group.cmp(&b.group));
        if let Some(index) = report.group_by.iter().position(|key| key == column) {
            rows.sort_by(|a, b| directed(a.group[index].cmp(&b.group[index])));
        } else if let Some(index) = report.metrics.iter().position(|metric| metric == column) {
            let value = |row: &GroupRow| row.values.get(index).and_then(ReportValue::approximate);
            rows.sort_by(|a, b| match (value(a), value(b)) {
                (Some(a), Some(b)) => directed(a.total_cmp(&b)),
                (a, b) => b.is_some().cmp(&a.is_some()),
            });
        }
        let wanted = range.most().saturating_add(range.offset);
        rows.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
        *bytes = rows.iter().map(self::bytes).sum();
    }

    fn finish(mut self) -> Vec<GroupRow> {
        self.cut();
        let skipped = usize::try_from(self.range.offset).unwrap_or_default().min(self.rows.len());
        self.rows.drain(..skipped);
        self.rows
    }
}

/// Bytes that a row takes, about.
fn bytes(row: &GroupRow) -> usize {
    let texts = row.group.iter().map(|text| text.len() + size_of::<String>()).sum::<usize>();
    size_of::<GroupRow>() + texts + row.values.len() * (size_of::<ReportValue>() + 16)
}

#[cfg(test)]
mod tests {
    use ReportValue::{Integer, Null, Real, Text};

    use super::*;

    fn texts(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn sorted(rows: Vec<GroupRow>, order: (&str, bool), (limit, offset): (i64, i64)) -> Result<Vec<GroupRow>> {
        let report =
            ReportConfig::with_columns("sales", texts(&["Department Name"]), texts(&["rows", "total_sales", "avg"]));
        let order = RowOrder { column: order.0.to_owned(), descending: order.1 };
        let range = RowRange { order: Some(order.clone()), part: None, limit, offset };
        let mut sorted = SortedRows { report: &report, order: &order, range: &range, rows: Vec::new(), bytes: 0 };
        rows.into_iter().try_for_each(|row| sorted.push(row))?;
        Ok(sorted.finish())
    }

    #[test]
    fn rows_that_are_summed_for_a_request_are_ordered_as_those_of_the_table() {
        let row = |group: &[&str], values: &[ReportValue]| GroupRow { group: texts(group), values: values.to_vec() };
        let rows = || {
            vec![
                row(&["b"], &[Integer(1), Text("9".repeat(30)), Null]),
                row(&["c"], &[Integer(1), Integer(3), Real(0.5)]),
                row(&["a"], &[Integer(2), Null, Integer(1)]),
            ]
        };
        let check = |order, range, expect: &str| {
            let rows = sorted(rows(), order, range).unwrap();
            assert_eq!(rows.iter().map(|row| row.group[0].as_str()).collect::<String>(), expect, "{order:?} {range:?}");
        };
        check(("Department Name", true), (-1, 0), "cba");
        check(("total_sales", false), (-1, 0), "cba");
        check(("total_sales", true), (-1, 0), "bca");
        check(("rows", true), (2, 1), "bc");
        check(("rows", true), (2, 9), "");
    }

    /// All rows were held, whatever was asked for.
    #[test]
    fn more_rows_than_memory_are_sorted_if_few_are_asked_for() {
        let row = |number: usize| GroupRow { group: vec![format!("{number:0>20000}")], values: vec![Integer(0); 3] };
        let rows = |count: usize| (0..count).map(|number| row(number * 7 % count)).collect::<Vec<_>>();
        let many = 3 * MAX_SORTED_BYTES / 20_000;
        let greatest = sorted(rows(many), ("Department Name", true), (2, 1)).unwrap();
        assert_eq!(greatest, [row(many - 2), row(many - 3)]);
        for range in [(-1, 0), (1, many as i64)] {
            let error = sorted(rows(many), ("Department Name", true), range).unwrap_err();
            assert!(error.is::<TooManyToSort>(), "{error}");
        }
    }
}
