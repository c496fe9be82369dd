//! `GET /docs`: the API for people, from the same description that programs get at `/openapi.json`.

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;
use serde_json::Value;

use crate::http::{
    pages::frame::answer,
    server::{App, error::ApiError, openapi},
};

/// The page.
#[derive(Template)]
#[template(path = "docs.html")]
struct Docs {
    groups: Vec<Group>,
}

/// The operations about one subject.
struct Group {
    name: String,
    operations: Vec<Operation>,
}

struct Operation {
    /// Its id in the description, which is its anchor here.
    id: String,
    method: String,
    path: String,
    summary: String,
    description: String,
    parameters: Vec<Parameter>,
    /// Status and words.
    responses: Vec<(String, String)>,
}

struct Parameter {
    name: String,
    /// `path`, `query` or `header`.
    place: String,
    is_required: bool,
    description: String,
}

/// Shows every operation, by subject.
pub(crate) async fn show(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let api = openapi::description().map_err(|error| ApiError::from(anyhow::Error::new(error)))?;
    answer(&app, StatusCode::OK, &Docs { groups: groups(&api) })
}

/// The operations in the order of the description, each group where its first operation stands.
fn groups(api: &Value) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (path, methods) in members(&api["paths"]) {
        for (method, operation) in members(methods) {
            let name = text(&operation["tags"][0]);
            let operation = Operation::new(path, method, operation);
            match groups.iter_mut().find(|group| group.name == name) {
                Some(group) => group.operations.push(operation),
                None => groups.push(Group { name, operations: vec![operation] }),
            }
        }
    }
    groups
}

impl Operation {
    fn new(path: &str, method: &str, operation: &Value) -> Self {
        let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let responses = members(&operation["responses"]);
        Self {
            id: text(&operation["operationId"]),
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: text(&operation["summary"]),
            description: text(&operation["description"]),
            parameters: parameters.iter().map(Parameter::new).collect(),
            responses: responses.map(|(status, answer)| (status.clone(), text(&answer["description"]))).collect(),
        }
    }
}

impl Parameter {
    fn new(parameter: &Value) -> Self {
        Self {
            name: text(&parameter["name"]),
            place: text(&parameter["in"]),
            is_required: parameter["required"].as_bool().unwrap_or_default(),
            description: text(&parameter["description"]),
        }
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_listed_once_with_words() {
        let api = openapi::description().unwrap();
        let described = members(&api["paths"]).map(|(_, methods)| members(methods).count()).sum::<usize>();
        let groups = groups(&api);
        let operations: Vec<_> = groups.iter().flat_map(|group| &group.operations).collect();
        assert_eq!(operations.len(), described);
        assert!(operations.iter().all(|operation| !operation.summary.is_empty() && !operation.responses.is_empty()));
        let list = operations.iter().find(|operation| operation.id == "list_history").unwrap();
        assert_eq!((list.method.as_str(), list.path.as_str()), ("GET", "/api/v1/history"));
        assert!(list.parameters.iter().any(|parameter| parameter.name == "span" && parameter.place == "query"));
    }
}
