//! Reads the requested rows. The columns of each table and their order are decided here and in the modules below.

mod changes;
mod held;
mod history;
mod reports;

use anyhow::Result;
use tributary_config::{PRODUCTS, report_of};
use tributary_store::{
    AggrRow, EditRow, Error, FileFilter, FileView, ProductFilter, ProductView, QueueRow, RejectView, SourceView, Store,
    read_own,
};

use crate::{
    cell::Cell,
    cli::{Request, Table},
};

/// Rows that are read at a time of the tables that may have many.
const ROWS_PER_BATCH: i64 = 1_000;

/// Returns the names of a table's columns. Those of the catalog follow the others, so that these keep their places.
///
/// # Errors
/// There is no such report; the database cannot be read.
pub(crate) fn columns(store: &mut Store, request: &Request, table: Table, own: &[String]) -> Result<Vec<String>> {
    if table == Table::Report {
        return reports::table(store, request).map(|table| [table.group_by, table.metrics].concat());
    }
    let has_own = matches!(table, Table::Products | Table::Edits);
    let own = own.iter().filter(|_| has_own).cloned();
    Ok(fixed(request, table).iter().map(|name| (*name).to_owned()).chain(own).collect())
}

/// The columns that a table has whatever the catalog.
fn fixed(request: &Request, table: Table) -> &'static [&'static str] {
    match table {
        Table::Products => &["sku", "name", "description", "source", "file", "edited"],
        Table::Aggr => &["name", "no_of_products"],
        Table::Sources => {
            &["name", "url", "state", "version", "files", "offers", "rejects", "last_sensed", "last_applied", "error"]
        }
        Table::Files => &[
            "source",
            "path",
            "state",
            "hash",
            "size_bytes",
            "rows",
            "offers",
            "rejects",
            "repaired",
            "replaced",
            "reason",
            "notes",
        ],
        Table::Rejects => &["source", "file", "line", "reason", "raw", "report"],
        Table::Edits => &["sku", "name", "description", "hidden", "stands", "edited_at", "edited_by"],
        Table::Held => &held::COLUMNS,
        Table::Changes => &changes::COLUMNS,
        Table::History => history::columns(request.format),
        Table::Reports => &reports::COLUMNS,
        // Its columns are those of its table.
        Table::Report => &[],
        Table::Queues => {
            &["name", "role", "ready", "consumers", "unacknowledged", "dead_lettered", "error", "changed_at"]
        }
    }
}

/// Passes the cells of each requested row to `take`, in key order.
pub(crate) fn each_row(
    store: &mut Store,
    request: &Request,
    table: Table,
    own: &[String],
    mut take: impl FnMut(Vec<Cell>) -> Result<()>,
) -> Result<()> {
    let limit = request.limit();
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    match table {
        Table::Products => {
            let filter = product_filter(request);
            let next = |after: Option<&str>, limit| store.products_page(&filter, after, limit);
            in_batches(limit, next, |row: &ProductView| row.sku.clone(), |row| take(product(row, own)?))
        }
        Table::Aggr => {
            let next = |after: Option<&str>, limit| store.aggr_page(request.name.as_deref(), after, limit);
            in_batches(
                limit,
                next,
                |row: &AggrRow| row.name.clone(),
                |row| take(vec![row.name.into(), row.no_of_products.into()]),
            )
        }
        Table::Sources => store.sources_view(PRODUCTS)?.into_iter().take(most).try_for_each(|row| take(source(row))),
        Table::Files => store
            .files_view(&FileFilter::of_reader(PRODUCTS), 0, limit)?
            .into_iter()
            .try_for_each(|row| take(file(row))),
        Table::Rejects => store.rejects_view(PRODUCTS, limit)?.into_iter().try_for_each(|row| take(reject(row))),
        Table::Edits => {
            store.edits_view(request.sku.as_deref(), limit)?.into_iter().try_for_each(|row| take(edit(row, own)?))
        }
        Table::Queues => store.queues()?.into_iter().take(most).try_for_each(|row| take(queue(row))),
        Table::Held => held::rows(store)?.into_iter().take(most).try_for_each(take),
        Table::Changes => changes::rows(store, request, limit)?.into_iter().try_for_each(take),
        Table::History => history::rows(store, request)?.into_iter().take(most).try_for_each(take),
        Table::Reports => reports::rows(store)?.into_iter().take(most).try_for_each(take),
        Table::Report => reports::each_row(store, request, take),
    }
}

/// Returns the number of rows that pass the filters, whatever the limit.
///
/// # Errors
/// As [`columns`].
pub(crate) fn count(store: &mut Store, request: &Request, table: Table) -> Result<i64> {
    Ok(match table {
        Table::Products => store.products_count(&product_filter(request))?,
        Table::Aggr => store.aggr_count(request.name.as_deref())?,
        Table::Sources => store.sources_view(PRODUCTS)?.len() as i64,
        Table::Files => store.files_count(PRODUCTS)?,
        Table::Rejects => store.rejects_count()?,
        Table::Edits => store.edits_count(request.sku.as_deref())?,
        Table::Queues => store.queues()?.len() as i64,
        Table::Held => held::rows(store)?.len() as i64,
        Table::Changes => changes::rows(store, request, i64::MAX)?.len() as i64,
        Table::History => history::rows(store, request)?.len() as i64,
        Table::Reports => store.report_names()?.len() as i64,
        Table::Report => reports::count(store, request)?,
    })
}

/// Passes at most `limit` rows to `take`, as `next` reads them behind a key.
fn in_batches<R>(
    mut limit: i64,
    mut next: impl FnMut(Option<&str>, i64) -> Result<Vec<R>, Error>,
    key: impl Fn(&R) -> String,
    mut take: impl FnMut(R) -> Result<()>,
) -> Result<()> {
    let mut after = None;
    loop {
        let rows = next(after.as_deref(), limit.min(ROWS_PER_BATCH))?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(key(last));
        limit -= rows.len() as i64;
        rows.into_iter().try_for_each(&mut take)?;
    }
}

fn queue(row: QueueRow) -> Vec<Cell> {
    let QueueRow { name, position: _, role, ready, consumers, unacknowledged, set_aside, error, changed_at } = row;
    vec![
        name.into(),
        role.into(),
        ready.into(),
        consumers.into(),
        unacknowledged.into(),
        set_aside.into(),
        error.into(),
        changed_at.into(),
    ]
}

fn product_filter(request: &Request) -> ProductFilter {
    ProductFilter { sku: request.sku.clone(), name: request.name.clone(), ..ProductFilter::default() }
}

fn product(row: ProductView, own: &[String]) -> Result<Vec<Cell>, Error> {
    let ProductView { sku, name, description, own: texts, source, file, edited, first_seen: _, changed_at: _ } = row;
    let mut cells = vec![sku.into(), name.into(), description.into(), source.into(), file.into(), edited.into()];
    let missing = || Cell::from(String::new());
    cells.extend(own_cells(texts.as_deref(), own)?.into_iter().map(|cell| cell.unwrap_or_else(missing)));
    Ok(cells)
}

/// The cell of each own column, if it has a text.
fn own_cells(texts: Option<&str>, own: &[String]) -> Result<Vec<Option<Cell>>, Error> {
    let mut cells: Vec<Option<Cell>> = own.iter().map(|_| None).collect();
    read_own(texts, |name, text| {
        if let Some(at) = own.iter().position(|column| column == name) {
            cells[at] = Some(text.into());
        }
    })?;
    Ok(cells)
}

fn source(row: SourceView) -> Vec<Cell> {
    vec![
        row.name.into(),
        row.url.into(),
        row.state.as_str().into(),
        row.version.into(),
        row.sums.files.into(),
        row.sums.results.into(),
        row.sums.rejects.into(),
        row.last_sensed.into(),
        row.last_applied.into(),
        row.error.into(),
    ]
}

fn file(row: FileView) -> Vec<Cell> {
    vec![
        row.source.into(),
        row.path.into(),
        row.state.as_str().into(),
        row.hash.into(),
        row.size_bytes.into(),
        row.rows.into(),
        row.results.into(),
        row.rejects.into(),
        row.repaired.into(),
        row.unused.into(),
        row.reason.into(),
        row.notes.into(),
    ]
}

fn reject(row: RejectView) -> Vec<Cell> {
    let RejectView { id: _, reader, source, file, line, byte_offset: _, reason, raw } = row;
    let report = report_of(&reader).map(str::to_owned);
    vec![source.into(), file.into(), line.into(), reason.into(), raw.into(), report.into()]
}

fn edit(row: EditRow, own: &[String]) -> Result<Vec<Cell>, Error> {
    let EditRow { sku, name, description, own: texts, hidden, stands, edited_at, edited_by } = row;
    let mut cells = vec![sku.into(), name.into(), description.into(), hidden.into(), stands.into()];
    cells.extend([edited_at.into(), edited_by.into()]);
    cells.extend(own_cells(texts.as_deref(), own)?.into_iter().map(|cell| cell.unwrap_or(Cell::Null)));
    Ok(cells)
}
