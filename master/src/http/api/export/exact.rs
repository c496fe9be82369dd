//! Whole lists as CSV for a program, without a request: the same text as `Accept: text/csv` gives.

use actix_web::web::Bytes;
use anyhow::Result;
use futures_util::{StreamExt, stream::BoxStream};
use tributary_config::ReportConfig;
use tributary_engine::{AggrOrder, Engine, ProductQuery};

use super::{Export, Table, csv};
use crate::http::api::{products, results, views::Aggr};

/// A list as a whole.
pub(crate) enum Listed<'a> {
    /// The products, by sku.
    Products,
    /// The number of products per name.
    Names,
    /// The rows of a report, by group.
    Report(&'a ReportConfig),
}

/// Begins to read a list from one snapshot.
///
/// # Errors
/// The database fails or is busy; later failures are items of the stream, as is [`NotComputed`](tributary_engine::NotComputed).
pub(crate) async fn exact_csv(engine: &Engine, listed: Listed<'_>) -> Result<BoxStream<'static, Result<Bytes>>> {
    /// No limit.
    const ALL: i64 = i64::MAX;
    Ok(match listed {
        Listed::Products => {
            let table = products::table(engine, ProductQuery::default(), ALL, Vec::new()).await;
            text(table.map_err(|error| anyhow::anyhow!("{error}"))?)
        }
        Listed::Names => text(Table::<Aggr>::new("aggr", engine.export_names(None, AggrOrder::Name, ALL, 0).await?)),
        Listed::Report(report) => text(results::table(report, engine.computed_rows(report).await?)),
    })
}

fn text<R: Send + 'static>(table: Table<R>) -> BoxStream<'static, Result<Bytes>> {
    csv::body(table, Export::ExactCsv).boxed()
}
