//! Results in a bucket of an S3 server that is not ours: DuckDB reads the Parquet, and a plain client follows the links.

use std::{env, fs, path::PathBuf};

use e2e::python;
use serde_json::Value;
use tempfile::TempDir;
use tributary_testkit::{
    http,
    process::{self, Daemon},
    wait,
};

const CONFIGURATION: &str = r#"
[[source]]
name = "north"
url = "SOURCE"

[[report]]
name = "sales"
files = "sales*.csv"
group_by = ["Department", "Shop"]
metrics = { rows = "count()", total = "sum(Sales)", least = "min(Sales)", mean = "mean(Sales)", third = "sum(Sales / 3)", big = "sum(Big)" }

[results]
url = "s3://BUCKET/some/prefix"
export = "changes"
"#;

/// Prints the types of the Parquet, and whether it has the rows of the CSV.
const COMPARE: &str = r#"
import decimal, json, sys, duckdb
decimal.getcontext().prec = 60
parquet = duckdb.sql(f"SELECT * FROM read_parquet('{sys.argv[1]}')")
csv = duckdb.sql(f"SELECT * FROM read_csv('{sys.argv[2]}', header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"', new_line = '\\n')")
assert parquet.columns == csv.columns, (parquet.columns, csv.columns)
types = [str(kind) for kind in parquet.types]
def cell(kind, text):
    if kind == "VARCHAR": return text or ""
    if text is None: return None
    return float(text) if kind == "DOUBLE" else decimal.Decimal(text)
expect = [[cell(kind, text) for kind, text in zip(types, row)] for row in csv.fetchall()]
found = [list(row) for row in parquet.fetchall()]
assert len(found) > 2 and found == expect, (found, expect)
print(json.dumps(types))
"#;

/// A bucket of the service, and its folder.
fn bucket(name: &str) -> (String, PathBuf) {
    let variable = |name: &str| env::var(name).unwrap_or_else(|_| panic!("`cargo xtask services` sets {name}"));
    let (endpoint, folder) = (variable("TRIBUTARY_E2E_S3"), PathBuf::from(variable("TRIBUTARY_E2E_S3_FOLDER")));
    let name = format!("{name}-{}", std::process::id());
    assert_eq!(http::request("PUT", &format!("{endpoint}/{name}"), &[], b"").unwrap().status, 200);
    (name.clone(), folder.join(name))
}

fn master(home: &TempDir) -> Daemon {
    let mut command = process::command("master", home.path());
    command.args(["--listen", "127.0.0.1:0"]).env("RUST_LOG", "warn");
    command.env("AWS_ENDPOINT_URL", env::var("TRIBUTARY_E2E_S3").unwrap());
    // The service checks none.
    command.env("AWS_ACCESS_KEY_ID", "e2e").env("AWS_SECRET_ACCESS_KEY", "e2e");
    Daemon::start(command)
}

#[test]
fn results_in_a_bucket_are_those_of_the_api() {
    let (bucket, folder) = bucket("results");
    let (home, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let sales = "Department,Shop,Sales,Big\nToys,a,1.50,99999999999999999999\nBooks,\"x, \"\"y\"\"\",7,1\nToys,a,2.25,1\nToys,,3,\nÄ,b,0.01,5\n";
    fs::write(files.path().join("sales.csv"), sales).unwrap();
    fs::write(files.path().join("feed.csv"), "sku,name,description\n1,A,\"x\ny\"\n2,B,\n").unwrap();
    let source = Daemon::source(files.path());
    let configuration = CONFIGURATION.replace("SOURCE", &source.url).replace("BUCKET", &bucket);
    fs::write(home.path().join("tributary.toml"), configuration).unwrap();
    let running = master(&home);
    let url = running.url.clone();
    let api = |path: &str| http::request("GET", &format!("{url}{path}"), &[("accept", "text/csv")], b"").unwrap().body;
    let exports =
        || -> Value { serde_json::from_slice(&http::get(&format!("{url}/api/v1/exports")).unwrap().1).unwrap() };
    let written = |key: &str| fs::read(folder.join("some/prefix").join(key)).unwrap_or_default();
    let wait_for_all = || {
        for (key, path) in [("products.csv", "products"), ("aggr.csv", "aggr"), ("reports/sales.csv", "reports/sales")]
        {
            wait::until(&format!("{key} is what the API gives"), || {
                let text = api(&format!("/api/v1/{path}"));
                (text.iter().filter(|byte| **byte == b'\n').count() > 2 && text == written(key)).then_some(())
            });
        }
        wait::until("all is current", || {
            let exports = exports();
            let mut all = exports["items"].as_array()?.iter();
            all.all(|file| file["state"] == "current").then_some(())
        });
    };
    wait_for_all();
    for file in exports()["items"].as_array().unwrap() {
        let (status, body) = http::get(file["result_url"].as_str().unwrap()).unwrap();
        assert_eq!((status, body), (200, written(file["key"].as_str().unwrap())), "{file}");
    }
    let path = |key: &str| folder.join("some/prefix/reports").join(key).to_str().unwrap().to_owned();
    let types = || -> Value {
        serde_json::from_str(&python(COMPARE, &[&path("sales.parquet"), &path("sales.csv")], home.path())).unwrap()
    };
    let expect = ["VARCHAR", "VARCHAR", "BIGINT", "DECIMAL(38,2)", "DECIMAL(38,2)", "DOUBLE"];
    assert_eq!(types().as_array().unwrap()[..6], expect.map(Value::from));

    // Another file, and a restart in between.
    drop(running);
    fs::write(files.path().join("sales2.csv"), "Department,Shop,Sales,Big\nToys,a,123456789012345678901234.5,1\n")
        .unwrap();
    let restarted = master(&home);
    wait::until("the change arrives", || {
        String::from_utf8(written("reports/sales.csv")).unwrap().contains("123456789012345678901238.25").then_some(())
    });
    let current = || {
        let answer = http::get(&format!("{}/api/v1/exports", restarted.url)).ok()?.1;
        let exports: Value = serde_json::from_slice(&answer).ok()?;
        exports["items"].as_array()?.iter().all(|file| file["state"] == "current").then_some(())
    };
    wait::until("all is current again", current);
    types();
}
