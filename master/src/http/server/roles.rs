//! The role that each route needs. A path takes only routes of this kind, so none can be without.

use actix_web::{
    Error, Route,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::{Next, from_fn},
    web,
};
use tributary_admission::Role;
use tributary_http_common::require;

use crate::http::server::{App, active::Elsewhere, error::ApiError};

/// A route that asks for a role. Only the active master serves one that asks for more than reading.
pub(super) struct RoleRoute(pub(super) Route);

/// Builds a route for everybody, who needs no token.
pub(super) fn anyone(route: Route) -> RoleRoute {
    RoleRoute(route)
}

/// Builds a route that shows something.
pub(super) fn reader(route: Route) -> RoleRoute {
    for_role(Role::Read, route)
}

/// Builds a route that shows what is in no database.
pub(super) fn visitor(route: Route) -> RoleRoute {
    RoleRoute(route.wrap(from_fn(|request, next| check(Role::Read, false, request, next))))
}

/// Builds a route that corrects products.
pub(super) fn editor(route: Route) -> RoleRoute {
    for_role(Role::Edit, route)
}

/// Builds a route that sends, follows or removes documents.
pub(super) fn uploader(route: Route) -> RoleRoute {
    for_role(Role::Upload, route)
}

/// Builds a route that decides what a source may take away.
pub(super) fn admin(route: Route) -> RoleRoute {
    for_role(Role::Admin, route)
}

fn for_role(role: Role, route: Route) -> RoleRoute {
    RoleRoute(route.wrap(from_fn(move |request, next| check(role, true, request, next))))
}

async fn check(
    role: Role,
    reads: bool,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Err(denied) = require(role, &request) {
        return Ok(request.error_response(ApiError::from(denied)));
    }
    if role != Role::Read
        && let Some(elsewhere) = Elsewhere::of(request.request())
    {
        return Ok(request.error_response(ApiError::OnlyActive(elsewhere)));
    }
    let app = request.app_data::<web::Data<App>>();
    match app.and_then(|app| app.engine.unreadable()).filter(|_| reads) {
        Some(why) => Ok(request.error_response(ApiError::Unreadable(why))),
        None => next.call(request).await,
    }
}

#[cfg(test)]
mod tests;
