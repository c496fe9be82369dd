//! Lists as files for programs and spreadsheets: cells, the columns of each list, and the formats.
//!
//! It belongs here if it is the same for every list. What a list holds does not.

mod cells;
mod columns;
mod csv;
mod exact;
mod joined;
mod product_columns;
mod xlsx;

use actix_web::{HttpRequest, HttpResponse};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use tributary_engine::Batches;
use utoipa::{IntoParams, ToSchema};

pub(crate) use cells::Cell;
pub(crate) use columns::Columns;
pub(crate) use exact::{Listed, exact_csv};
pub(crate) use joined::joined;

use crate::http::{
    api::{json, views::Items},
    server::{error::ApiError, input},
};

/// Format of a list, for links that people follow.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Json,
    Csv,
    Xlsx,
}

/// Whether cells are written as they are.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
pub(crate) enum Raw {
    #[serde(rename = "0")]
    No,
    #[serde(rename = "1")]
    Yes,
}

/// Selection of a list that has no filter.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Maximum rows; all by default.
    #[param(minimum = 1)]
    limit: Option<i64>,
    /// For people: `xlsx`, or `csv` with cells escaped that a spreadsheet would run as formulas.
    #[param(inline, nullable = false)]
    format: Option<Format>,
    /// `1`: with `format=csv`, cells as they are.
    #[param(inline, nullable = false)]
    raw: Option<Raw>,
}

impl ListQuery {
    /// Reads the query of a request, and answers it with a list that is held as a whole.
    pub(crate) async fn answer<R: Columns + Serialize + ToSchema + Send + 'static>(
        request: &HttpRequest,
        name: &str,
        rows: Vec<R>,
    ) -> Result<HttpResponse, ApiError> {
        let Self { limit, format, raw } = input::query(request)?;
        whole(name, rows, input::most(limit)?, Export::wanted(request, format, raw)).await
    }
}

/// Answers with the first `limit` rows of a list that is held as a whole.
pub(crate) async fn whole<R: Columns + Serialize + ToSchema + Send + 'static>(
    name: &str,
    mut rows: Vec<R>,
    limit: i64,
    export: Option<Export>,
) -> Result<HttpResponse, ApiError> {
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    match export {
        Some(export) => Table::<R>::new(name, stream::iter([Ok(rows)]).boxed()).answer(export).await,
        None => Ok(HttpResponse::Ok().json(Items { items: rows })),
    }
}

/// Streams a list that comes in batches.
pub(crate) async fn streamed<R: Columns + Serialize + Send + 'static>(
    name: &str,
    rows: Batches<R>,
    export: Option<Export>,
) -> Result<HttpResponse, ApiError> {
    match export {
        Some(export) => Table::<R>::new(name, rows).answer(export).await,
        None => Ok(json::streamed(rows, b"}".to_vec(), |out, row| Ok(serde_json::to_writer(out, &row)?))),
    }
}

/// A file that a list is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Export {
    /// Cells as they are, for programs.
    ExactCsv,
    /// For spreadsheets: none runs a cell as a formula, and all know its encoding.
    SpreadsheetCsv,
    /// For spreadsheets, in which a text such as `00123` stays a text.
    Xlsx,
}

impl Export {
    /// Returns the file that the client asks for; `None` if it asks for JSON. `?format=` is for people, `Accept` for programs.
    pub(crate) fn wanted(request: &HttpRequest, format: Option<Format>, raw: Option<Raw>) -> Option<Self> {
        match (format, raw) {
            (Some(Format::Csv), Some(Raw::Yes)) => Some(Self::ExactCsv),
            (Some(Format::Csv), _) => Some(Self::SpreadsheetCsv),
            (Some(Format::Xlsx), _) => Some(Self::Xlsx),
            (Some(Format::Json), _) => None,
            (None, _) => input::wants_csv(request).then_some(Self::ExactCsv),
        }
    }
}

/// Rows under one header.
pub(crate) struct Table<R> {
    /// The file's name without its ending, of plain letters.
    pub(crate) name: String,
    pub(crate) header: Vec<String>,
    pub(crate) rows: Batches<R>,
    /// Returns a cell for each name of the header.
    pub(crate) cells: fn(&R) -> Vec<Cell<'_>>,
}

impl<R: Columns + Send + 'static> Table<R> {
    /// A list that comes in batches.
    pub(crate) fn new<V: Into<R> + 'static>(name: &str, rows: Batches<V>) -> Self {
        let rows = rows.map(|batch| Ok(batch?.into_iter().map(V::into).collect())).boxed();
        let header = R::COLUMNS.iter().map(|&column| column.to_owned()).collect();
        Self { name: name.to_owned(), header, rows, cells: R::cells }
    }
}

impl<R: Send + 'static> Table<R> {
    /// Streams the rows from bounded memory. A failure cuts the body.
    ///
    /// # Errors
    /// A sheet cannot hold the rows; the database fails before they are complete.
    pub(crate) async fn answer(self, export: Export) -> Result<HttpResponse, ApiError> {
        match export {
            Export::ExactCsv | Export::SpreadsheetCsv => Ok(csv::answer(self, export, joined::others_wait())),
            Export::Xlsx => xlsx::answer(self).await,
        }
    }
}
