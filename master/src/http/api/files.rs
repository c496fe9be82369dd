//! `GET /api/v1/files`: the product feeds of all sources, or the files of a report.

use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt;
use serde::Deserialize;
use tributary_config::PRODUCTS;
use tributary_engine::reader_named;
use utoipa::IntoParams;

use crate::http::{
    api::{
        export::{Export, Format, Raw, streamed},
        source_views::File,
        views::Items,
    },
    server::{App, error::ApiError, input},
};

/// Selection of files.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FilesQuery {
    /// Of this source.
    source: Option<String>,
    /// `products` (default), or the name of a report: the files that it reads.
    reader: Option<String>,
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

/// The product feeds, or the files of a report.
///
/// By source and path, with what was accepted of each, and what was guessed when it was read.
#[utoipa::path(get, path = "/api/v1/files", operation_id = "list_files", tag = "sources", params(FilesQuery), responses(
    (status = 200, content((Items<File> = "application/json"), (String = "text/csv"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")), description = "Files"),
    (status = 400, description = "The query cannot be understood"),
    (status = 422, description = "No Excel file holds the rows"),
))]
pub(crate) async fn list(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let query: FilesQuery = input::query(&request)?;
    let limit = input::most(query.limit)?;
    let reader = input::unless_blank(query.reader).map_or_else(|| PRODUCTS.to_owned(), |name| reader_named(&name));
    let files = app.engine.export_files(reader, input::unless_blank(query.source), limit).await?;
    let files = files.map(|batch| Ok(batch?.into_iter().map(File::from).collect())).boxed();
    streamed("files", files, Export::wanted(&request, query.format, query.raw)).await
}
