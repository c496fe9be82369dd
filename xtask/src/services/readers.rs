//! The Python with the packages that read CSV, upload files, publish messages, speak Socket.IO, try out the API, ask a cluster, and serve and
//! fill S3 in the tests. It is made once, below `target`.

use std::{env, ffi::OsString, path::Path, process::Command};

use anyhow::{Context, Result, ensure};

use crate::workspace::{root, run};

/// The environment variable in which tests find the Python; if it is set already, that one is taken.
pub(super) const VARIABLE: &str = "TRIBUTARY_E2E_PYTHON";
const PACKAGES: [&str; 18] = [
    "pandas==3.1.1",
    "polars==2.1.0",
    "duckdb==2.0.1",
    "tuspy==1.1.0",
    "pika==1.4.4",
    "python-socketio==5.18.1",
    "requests==2.34.2",
    "websocket-client==1.9.2",
    "schemathesis==4.32.5",
    "grpcio==1.85.1",
    "grpcio-tools==1.85.1",
    "grpcio-health-checking==1.85.1",
    "grpcio-reflection==1.85.1",
    "localbucket==1.2.1",
    "boto3==1.44.8",
    "datafusion==55.0.0",
    "adbc-driver-flightsql==1.13.0",
    "psycopg[binary]==3.3.9",
];
/// The modules that they bring.
const MODULES: &str = "import pandas, polars, duckdb, tusclient, pika, socketio, requests, websocket, schemathesis\nimport grpc, grpc_tools, grpc_health, grpc_reflection\nimport localbucket, boto3, datafusion, adbc_driver_flightsql, psycopg";

/// Returns the Python, and makes it first if `install` says so.
pub(super) fn python(install: bool) -> Result<OsString> {
    if let Some(python) = env::var_os(VARIABLE) {
        return Ok(python);
    }
    let folder = root().join("target/e2e-python");
    let python = folder.join("bin/python");
    if !has_packages(&python) {
        ensure!(install, "there is no Python with {}; add `--install`, or set {VARIABLE}", PACKAGES.join(", "));
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))
            .context("the package python3-venv may be missing")?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES))?;
    }
    Ok(python.into())
}

fn has_packages(python: &Path) -> bool {
    let import = Command::new(python).args(["-c", MODULES]).output();
    import.is_ok_and(|output| output.status.success())
}
