//! `GET /api/v1/queues`: the queues of the broker.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::http::{
    api::{
        export::ListQuery,
        views::{Items, Queue},
    },
    server::{App, error::ApiError},
};

/// The queues of the broker.
///
/// As they were last seen; none without a broker.
#[utoipa::path(get, path = "/api/v1/queues", operation_id = "list_queues", tag = "sources",
    params(ListQuery), responses(
    (status = 200, content((Items<Queue> = "application/json"), (String = "text/csv"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")), description = "Every queue"),
    (status = 400, description = "The query cannot be understood"),
    (status = 422, description = "No Excel file holds the rows"),
))]
pub(crate) async fn list(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let queues = app.engine.queues();
    ListQuery::answer(&request, "queues", queues.iter().cloned().map(Queue::from).collect()).await
}
