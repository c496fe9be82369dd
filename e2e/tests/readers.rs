//! Runs the lines of docs/guide/results.md that read the exact CSV, and compares what each program has with the API.

use std::{fs, path::Path, process::Command};

use e2e::{System, block, python};
use serde_json::Value;

/// Texts that some reader takes for nothing, trims, skips or turns into a number.
const AWKWARD: [&str; 28] = [
    "",
    " ",
    " x",
    "x ",
    "\tx",
    "NULL",
    "null",
    "\\N",
    "\\.",
    "NA",
    "N/A",
    "nan",
    "None",
    "<NA>",
    "-",
    "#x",
    "\u{feff}x",
    "-5",
    "00123",
    "1E5",
    "12345678901234567890",
    "true",
    "say \"hi\"",
    "a,b",
    "line\nend",
    "cr\rx",
    "crlf\r\nx",
    "=1+1",
];

/// Prints the first three columns of a table that an expression reads.
const PYTHON: &str = r#"
import json, sys
import pandas, polars, duckdb
table = eval(sys.argv[1])
rows = table.rows() if isinstance(table, polars.DataFrame) else table.values.tolist() if isinstance(table, pandas.DataFrame) else table.fetchall()
print(json.dumps([row[:3] for row in rows]))
"#;

/// The same, each text in hexadecimal, because R has no JSON of its own.
const R: &str = r#"
expression <- commandArgs(trailingOnly = TRUE)[1]
table <- eval(parse(text = expression))
hex <- function(text) paste(charToRaw(enc2utf8(text)), collapse = "")
for (row in seq_len(nrow(table))) cat(paste0(sapply(table[row, 1:3], hex), ",", collapse = ""), "\n", sep = "")
"#;

/// The lines of the block of a language that contains `part`, on this page of the guide.
fn lines(page: &str, language: &str, part: &str) -> Vec<String> {
    block(page, language, part).lines().map(str::to_owned).collect()
}

fn printed(command: &mut Command, folder: &Path) -> String {
    let output = command.current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A system with awkward products, and the three texts of each.
fn system() -> (System, Vec<[String; 3]>) {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let row = |(number, text): (usize, &&str)| format!("s{number:02},{0},{0},{0}\n", quoted(text));
    let rows: String = AWKWARD.iter().enumerate().map(row).collect();
    // As in the guide, whose lines are run.
    let catalog = "[catalog]\ncolumns = [\"price\"]\n";
    let system = System::configured(&format!("sku,name,description,price\n{rows}"), catalog);
    let items = system.api("/api/v1/products?limit=1000").unwrap()["items"].clone();
    let text = |item: &Value, member: &str| item[member].as_str().unwrap().to_owned();
    let texts = |item: &Value| ["sku", "name", "description"].map(|member| text(item, member));
    let texts: Vec<_> = items.as_array().unwrap().iter().map(texts).collect();
    assert_eq!(texts.len(), AWKWARD.len());
    (system, texts)
}

/// A folder with the exact CSV of the products.
fn exported(system: &System) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("products.csv"), system.text("/api/v1/products?format=csv&raw=1")).unwrap();
    folder
}

#[test]
fn python_readers_lose_no_cell() {
    let (system, expect) = system();
    let folder = exported(&system);
    let lines = lines("results.md", "python", "keep_default_na");
    assert_eq!(lines.len(), 3, "{lines:?}");
    for line in lines {
        let printed = python(PYTHON, &[&line], folder.path());
        let rows: Vec<[String; 3]> =
            serde_json::from_str(&printed).unwrap_or_else(|why| panic!("{line}: {why}: {printed}"));
        assert_eq!(rows, expect, "{line}");
    }
}

#[test]
fn python_readers_open_the_url_of_a_source() {
    let (system, expect) = system();
    let folder = tempfile::tempdir().unwrap();
    for line in lines("folders.md", "python", "/read") {
        let line = line.replace("http://127.0.0.1:5001", system.source_url());
        let printed = python(PYTHON, &[&line], folder.path());
        let rows: Vec<[String; 3]> =
            serde_json::from_str(&printed).unwrap_or_else(|why| panic!("{line}: {why}: {printed}"));
        let skus = |rows: &[[String; 3]]| rows.iter().map(|[sku, ..]| sku.clone()).collect::<Vec<_>>();
        assert_eq!(skus(&rows), skus(&expect), "{line}");
    }
}

#[test]
fn r_loses_no_cell_but_the_kind_of_line_ends() {
    let (system, expect) = system();
    let folder = exported(&system);
    let line = lines("results.md", "r", "read.csv").join("\n");
    let printed = printed(Command::new("Rscript").args(["-e", R, &line]), folder.path());
    let hex = |text: &String| {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>() + ","
    };
    let expect: Vec<String> = expect.iter().map(|row| row.each_ref().map(hex).concat()).collect();
    assert_eq!(printed.lines().collect::<Vec<_>>(), expect);
}

#[test]
fn postgresql_loses_no_cell() {
    let (system, expect) = system();
    let folder = exported(&system);
    let mut script = lines("results.md", "sql", "\\copy");
    script.push("\\o rows.json".to_owned());
    script.push("SELECT json_agg(json_build_array(sku, name, description) ORDER BY sku) FROM products;".to_owned());
    fs::write(folder.path().join("script.sql"), script.join("\n")).unwrap();
    // A server for one command.
    let arguments = ["psql", "-qAt", "-v", "ON_ERROR_STOP=1", "-f", "script.sql"];
    printed(Command::new("pg_virtualenv").args(arguments), folder.path());
    let rows = fs::read_to_string(folder.path().join("rows.json")).unwrap();
    assert_eq!(serde_json::from_str::<Vec<[String; 3]>>(&rows).unwrap(), expect);
}
