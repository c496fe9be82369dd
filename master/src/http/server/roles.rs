//! The role that each route needs. A path takes only routes of this kind, so none can be without.

use actix_web::{
    Error, Route,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::{Next, from_fn},
};
use tributary_admission::Role;
use tributary_http_common::require;

use crate::http::server::error::ApiError;

/// A route that asks for a role.
pub(super) struct RoleRoute(pub(super) Route);

/// Builds a route for everybody, who needs no token.
pub(super) fn anyone(route: Route) -> RoleRoute {
    RoleRoute(route)
}

/// Builds a route that shows something.
pub(super) fn reader(route: Route) -> RoleRoute {
    for_role(Role::Read, route)
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
    RoleRoute(route.wrap(from_fn(move |request, next| check(role, request, next))))
}

async fn check(role: Role, request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    match require(role, &request) {
        Ok(()) => next.call(request).await,
        Err(denied) => Ok(request.error_response(ApiError::from(denied))),
    }
}

#[cfg(test)]
mod tests;
