//! `cargo xtask verify-reports`: three shapes of report at full size, and a file of rows that are malformed in every way. Computes them with
//! the release binaries and compares each number with that of DuckDB.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use tributary_testkit::process::{self, Daemon};

use crate::workspace;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Rows of the sales file; the other files have a fifth of them
    #[arg(long, default_value_t = 5_000_000)]
    rows: u64,
    /// The Python that has DuckDB
    #[arg(long, default_value = "python3")]
    python: String,
}

/// Writes the malformed file, and compares the results at the end.
const SCRIPT: &str = include_str!("reports.py");

const REPORTS: &str = r#"
[[report]]
name = "sales"
files = "sales.csv"
group_by = ["Department Name"]
metrics = { rows = "count()", total_sales = "sum(\"Number of Sales\")", least = "min(\"Number of Sales\")", most = "max(\"Number of Sales\")", mean = "mean(\"Number of Sales\")" }

[[report]]
name = "transactions"
files = "transactions/*.csv"
columns = { price = ["Price", "UnitPrice", "Unit_Price"], quantity = ["Quantity", "Qty", "Units"] }
metrics = { total_rows = "count()", total_sales = "sum(price * quantity)", min_price = "min(price)", max_price = "max(price)", avg_price = "mean(price)" }

[[report]]
name = "names"
files = "feeds/*.csv"
feed = true
group_by = ["name"]
metrics = { products = "count()" }

[[report]]
name = "malformed"
files = "malformed.csv"
check = "amount >= 0"
group_by = ["shop"]
metrics = { rows = "count()", total = "sum(amount * 1e200)", amounts = "sum(amount)" }
"#;

pub(crate) fn run(args: &Args) -> Result<()> {
    let home = tempfile::tempdir().context("failed to make a temporary folder")?;
    let home = home.path();
    super::build()?;
    let served = home.join("served");
    for folder in ["transactions", "feeds"] {
        fs::create_dir_all(served.join(folder))?;
    }
    generate(&served, &["sales", "--rows", &args.rows.to_string(), "--out", "sales.csv"])?;
    let part = (args.rows / 5).to_string();
    let transactions = |out, price, quantity| {
        let headers = ["--price-header", price, "--quantity-header", quantity];
        generate(&served, &[&["transactions", "--rows", &part, "--out", out], &headers[..]].concat())
    };
    transactions("transactions/a.csv", "Price", "Quantity")?;
    transactions("transactions/b.csv", "UnitPrice", "Qty")?;
    transactions("transactions/c.csv", "Unit_Price", "Units")?;
    for (out, groups) in [("feeds/a.csv", "1000"), ("feeds/b.csv", "700")] {
        generate(&served, &["products", "--rows", &part, "--groups", groups, "--out", out])?;
    }
    python(args, home, "write")?;
    let source = Daemon::source(&served);
    fs::write(
        home.join("tributary.toml"),
        format!("[[source]]\nname = \"north\"\nurl = \"{}\"\n{REPORTS}", source.url),
    )?;
    let output = process::command("master", home).arg("--once").output().context("failed to start the master")?;
    println!("master --once: {}{}", process::stdout(&output).trim(), process::stderr(&output));
    ensure!(output.status.success(), "the master failed");
    python(args, home, "compare")
}

fn generate(folder: &Path, args: &[&str]) -> Result<()> {
    workspace::run(process::command("generate", folder).args(args).stdout(Stdio::null()))
}

fn python(args: &Args, home: &Path, what: &str) -> Result<()> {
    let done = Command::new(&args.python).args(["-c", SCRIPT, what]).current_dir(home).status();
    let done = done.with_context(|| format!("failed to start {}", args.python))?;
    ensure!(
        done.success(),
        "the reports differ from those of DuckDB, or DuckDB is missing: `{} -m pip install duckdb`",
        args.python
    );
    Ok(())
}
