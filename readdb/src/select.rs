//! Reads the requested rows. The columns of each table and their order are decided here.

use tributary_store::{Error, ProductFilter, RejectView, Store};

use crate::{
    cli::{Request, Table},
    listing::{Cell, Listing},
};

/// Reads the requested table, or products and aggr.
pub(crate) fn select(store: &mut Store, request: &Request) -> Result<Vec<Listing>, Error> {
    match request.table {
        Some(table) => Ok(vec![listing(store, request, table)?]),
        None => [Table::Products, Table::Aggr].into_iter().map(|table| listing(store, request, table)).collect(),
    }
}

fn listing(store: &mut Store, request: &Request, table: Table) -> Result<Listing, Error> {
    match table {
        Table::Products => products(store, request),
        Table::Aggr => aggr(store, request),
        Table::Sources => sources(store, request.limit),
        Table::Files => files(store, request.limit),
        Table::Rejects => rejects(store, request.limit),
        Table::Edits => edits(store, request),
    }
}

fn products(store: &mut Store, request: &Request) -> Result<Listing, Error> {
    let filter = ProductFilter { sku: request.sku.clone(), name: request.name.clone(), ..ProductFilter::default() };
    let rows = store.products_page(&filter, None, request.limit)?;
    Ok(Listing {
        table: Table::Products,
        columns: &["sku", "name", "description", "source", "file", "edited"],
        rows: cells(rows, |row| {
            vec![
                row.sku.into(),
                row.name.into(),
                row.description.into(),
                row.source.into(),
                row.file.into(),
                row.edited.into(),
            ]
        }),
        total: store.products_count(&filter)?,
    })
}

fn aggr(store: &mut Store, request: &Request) -> Result<Listing, Error> {
    let name = request.name.as_deref();
    let rows = store.aggr_page(name, request.limit)?;
    Ok(Listing {
        table: Table::Aggr,
        columns: &["name", "no_of_products"],
        rows: cells(rows, |row| vec![row.name.into(), row.no_of_products.into()]),
        total: store.aggr_count(name)?,
    })
}

fn sources(store: &mut Store, limit: i64) -> Result<Listing, Error> {
    let mut rows = store.sources_view()?;
    let total = rows.len() as i64;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(Listing {
        table: Table::Sources,
        columns: &[
            "name",
            "url",
            "state",
            "version",
            "files",
            "offers",
            "rejects",
            "last_sensed",
            "last_applied",
            "error",
        ],
        rows: cells(rows, |row| {
            vec![
                row.name.into(),
                row.url.into(),
                row.state.as_str().into(),
                row.version.into(),
                row.files.into(),
                row.offers.into(),
                row.rejects.into(),
                row.last_sensed.into(),
                row.last_applied.into(),
                row.error.into(),
            ]
        }),
        total,
    })
}

fn files(store: &mut Store, limit: i64) -> Result<Listing, Error> {
    let rows = store.files_view(limit)?;
    Ok(Listing {
        table: Table::Files,
        columns: &["source", "path", "state", "hash", "size_bytes", "rows", "offers", "rejects", "reason"],
        rows: cells(rows, |row| {
            vec![
                row.source.into(),
                row.path.into(),
                row.state.as_str().into(),
                row.hash.into(),
                row.size_bytes.into(),
                row.rows.into(),
                row.offers.into(),
                row.rejects.into(),
                row.reason.into(),
            ]
        }),
        total: store.files_count()?,
    })
}

fn rejects(store: &mut Store, limit: i64) -> Result<Listing, Error> {
    let rows = store.rejects_view(limit)?;
    Ok(Listing {
        table: Table::Rejects,
        columns: &["source", "file", "line", "reason", "raw", "report"],
        rows: cells(rows, |row| {
            let RejectView { source, file, line, reason, raw, report } = row;
            vec![source.into(), file.into(), line.into(), reason.into(), raw.into(), report.into()]
        }),
        total: store.rejects_count()?,
    })
}

fn edits(store: &mut Store, request: &Request) -> Result<Listing, Error> {
    let sku = request.sku.as_deref();
    let rows = store.edits_view(sku, request.limit)?;
    Ok(Listing {
        table: Table::Edits,
        columns: &["sku", "name", "description", "hidden", "stands", "edited_at"],
        rows: cells(rows, |row| {
            vec![
                row.sku.into(),
                row.name.into(),
                row.description.into(),
                row.hidden.into(),
                row.stands.into(),
                row.edited_at.into(),
            ]
        }),
        total: store.edits_count(sku)?,
    })
}

fn cells<R>(rows: Vec<R>, cells: impl Fn(R) -> Vec<Cell>) -> Vec<Vec<Cell>> {
    rows.into_iter().map(cells).collect()
}
