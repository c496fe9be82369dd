//! A client that is made of our description of the API asks for all that it can think of: each answer is one that is described, and none
//! is a failure of the server.

use std::fs;

use e2e::python;
use serde_json::Value;

use crate::face;

const CLIENT: &str = "from schemathesis.cli import schemathesis; schemathesis()";

/// Values that exist, which chance would hardly find.
const SETTINGS: &str = r#"
[dictionaries]
skus  = { values = ["FP-1042", "IN-0201", "NB-0310", "new"] }
names = { values = ["north", "uploads", "sales", "all"] }
files = { values = ["sales.csv", "odd.csv", "new/rows.csv", "feed.csv"] }
ids   = { values = [1, 2, 3] }
sorts = { values = ["sku", "-name", "price"] }
lists = { values = ["sku", "name,price"] }
forms = { values = ["csv", "xlsx"] }

[parameters]
"path.sku"       = { dictionary = "skus", probability = 0.5 }
"path.name"      = { dictionary = "names", probability = 0.5 }
"path.path"      = { dictionary = "files", probability = 0.5 }
"query.filename" = { dictionary = "files", probability = 0.5 }
"query.sort"     = { dictionary = "sorts", probability = 0.5 }
"query.columns"  = { dictionary = "lists", probability = 0.5 }
"query.format"   = { dictionary = "forms", probability = 0.5 }

[[operations]]
include-path = "/api/v1/products/{sku}/history/{id}/undo"
[operations.parameters]
"path.id" = { dictionary = "ids", probability = 0.5 }
"#;

/// The paths that are left out: a stream of events does not end, and uploads in parts are tested with a client of their own.
const LEFT_OUT: [&str; 2] = ["events", "tus"];

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

/// The operations that are not left out.
fn operations(description: &Value) -> usize {
    let paths = description["paths"].as_object().unwrap().iter();
    let paths = paths.filter(|(path, _)| !LEFT_OUT.iter().any(|part| path.contains(part)));
    paths.map(|(_, operations)| operations.as_object().unwrap().len()).sum()
}

#[test]
fn each_answer_is_described() {
    let system = face::system();
    let operations = operations(&system.api("/openapi.json").unwrap());
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("schemathesis.toml"), SETTINGS).unwrap();
    let url = system.page("/openapi.json");
    let left_out = LEFT_OUT.join("|");
    let said = python(
        CLIENT,
        &[
            "run",
            &url,
            "--checks",
            CHECKS,
            "--exclude-path-regex",
            &left_out,
            "--max-examples",
            "10",
            "--generation-deterministic",
            // A document may be waited for.
            "--request-timeout",
            "70",
            "--no-color",
        ],
        folder.path(),
    );
    assert!(said.contains(&format!("Tested: {operations}\n")), "{said}");
}
