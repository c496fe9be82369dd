//! `/api/v1/products/{sku}/history`: how a product has changed, and the undoing of an edit.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use serde::{Serialize, Serializer};
use tributary_engine::{ChangeCause, ChangedValue, ColumnChange, EditRequest, Entrance, ProductChange};
use utoipa::ToSchema;

use crate::http::{
    api::{
        export::{Cell, ListQuery},
        product::{Current, terms},
        product_views::ProductDetail,
        views::Items,
    },
    server::{App, error::ApiError, input},
};

/// Changes of a product that are listed.
pub(crate) const MAX_CHANGES: i64 = 100;

/// A change of a product.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Change {
    /// Its number; later changes have greater numbers.
    pub(crate) id: i64,
    /// When it was made, RFC 3339.
    pub(crate) at: Option<String>,
    /// `version` of a source, `configuration`, or `edit`.
    #[schema(value_type = String)]
    pub(crate) cause: &'static str,
    /// The source of the version.
    pub(crate) source: Option<String>,
    /// The file of the version that has the row.
    pub(crate) file: Option<String>,
    /// The entrance of the edit: `form`, `api` or `queue`.
    pub(crate) entrance: Option<String>,
    /// The user name that came with the edit.
    pub(crate) who: Option<String>,
    /// Each column that is shown otherwise.
    #[schema(value_type = std::collections::BTreeMap<String, BeforeAfter>)]
    pub(crate) columns: ChangeSet,
    /// Each column, and `hidden` and `stands`, that the edit set otherwise than the edit before it.
    #[schema(value_type = std::collections::BTreeMap<String, BeforeAfter>)]
    pub(crate) edit: ChangeSet,
    /// Whether something of it can be undone.
    pub(crate) undoable: bool,
}

/// Values by column; null if they are too long to be kept.
#[derive(Debug)]
pub(crate) struct ChangeSet(pub(crate) Vec<(String, Option<BeforeAfter>)>);

/// A value before and after a change. A text is null if the product was not shown, or the edit set none.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct BeforeAfter {
    /// A text, null, or of `hidden` and `stands` a flag.
    #[schema(value_type = serde_json::Value)]
    before: ChangedValue,
    /// The same.
    #[schema(value_type = serde_json::Value)]
    after: ChangedValue,
}

impl Serialize for ChangeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(column, values)| (column, values)))
    }
}

/// Changes in a cell are JSON.
impl From<&ChangeSet> for Cell<'_> {
    fn from(changes: &ChangeSet) -> Self {
        // Texts and flags can always be written.
        serde_json::to_string(changes).map_or(Self::Null, |json| Self::Text(json.into()))
    }
}

impl From<Vec<ColumnChange>> for ChangeSet {
    fn from(changes: Vec<ColumnChange>) -> Self {
        let one = |ColumnChange { column, values }: ColumnChange| {
            (column, values.map(|(before, after)| BeforeAfter { before, after }))
        };
        Self(changes.into_iter().map(one).collect())
    }
}

impl From<ProductChange> for Change {
    fn from(ProductChange { id, at, cause, columns, edit, can_undo }: ProductChange) -> Self {
        let (cause, source, file, entrance, who) = match cause {
            ChangeCause::Version { source, file } => ("version", Some(source), file, None, None),
            ChangeCause::Configuration => ("configuration", None, None, None, None),
            ChangeCause::Edit { entrance, user } => ("edit", None, None, Some(entrance), user),
        };
        let (columns, edit) = (columns.into(), edit.into());
        Self { id, at, cause, source, file, entrance, who, columns, edit, undoable: can_undo }
    }
}

/// The history of a product.
///
/// Its last changes, the newest first; at most 100. A source that adds a product leaves no change.
#[utoipa::path(get, path = "/api/v1/products/{sku}/history", operation_id = "list_changes", tag = "products",
    params(("sku" = String, Path, description = "Percent-encoded, `/` included"), ListQuery),
    responses(
        (status = 200, content((Items<Change> = "application/json"), (String = "text/csv"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")), description = "The changes"),
        (status = 400, description = "The query cannot be understood"),
        (status = 422, description = "No Excel file holds the rows"),
    ))]
pub(crate) async fn list(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let changes = app.engine.product_history(&input::path_sku(&request)?, MAX_CHANGES).await?;
    ListQuery::answer(&request, "history", changes.into_iter().map(Change::from).collect::<Vec<_>>()).await
}

/// Undoes an edit.
///
/// Puts back what the edit set, as a new edit, where nothing has changed it since.
#[utoipa::path(post, path = "/api/v1/products/{sku}/history/{id}/undo", operation_id = "undo_edit", tag = "products",
    params(
        ("sku" = String, Path, description = "Percent-encoded, `/` included"),
        ("id" = i64, Path, description = "The number of the change"),
    ),
    responses(
        (status = 200, body = ProductDetail, description = "Undone; as it is shown now"),
        (status = 204, description = "Undone; it is not shown any more"),
        (status = 400, description = "The number of the change, or the query, cannot be understood"),
        (status = 404, description = "The history has no such change"),
        (status = 409, description = "It is no edit, or nothing is left to undo"),
        (status = 412, description = "The product is not as `If-Match` says; the problem carries it as `current`"),
    ))]
pub(crate) async fn undo(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let sku = input::path_sku(&request)?;
    let id = input::path_number(&request, 6)?;
    app.engine.change_edit(&sku, EditRequest::Undo(id), terms(&request, Entrance::Api)?).await?;
    let current = Current::read(&app, &sku).await?;
    if current.is_shown() { current.answer(StatusCode::OK) } else { Ok(HttpResponse::NoContent().finish()) }
}
