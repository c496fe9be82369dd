#!/usr/bin/env bash
# DuckDB 2.0.1 (Python package).
#
# Documented: `read_csv` detects column types from a sample of the file; a value that does not fit the type is an error.
# Seen: a column of integers whose fraction comes after the sample is BIGINT, and the fraction is rounded without an error.
# The sum over the column is wrong. `sample_size = -1` or named types give the right sum.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-deps duckdb==2.0.1
cd "$folder"

venv/bin/python <<'PYTHON' | tee seen
import duckdb

with open("prices.csv", "w") as file:
    file.write("sku,price\n")
    file.writelines(f"p{number},1\n" for number in range(30_000))
    file.write("last,1.5\n")

def ask(options=""):
    query = f"select any_value(typeof(price)), sum(price), max(price) from read_csv('prices.csv'{options})"
    return "type {}, sum {}, greatest {}".format(*duckdb.sql(query).fetchall()[0])

print("DuckDB", duckdb.__version__)
print("detected:", ask())
print("sampled as a whole:", ask(", sample_size = -1"))
PYTHON

diff seen - <<'EXPECTED'
DuckDB 2.0.1
detected: type BIGINT, sum 30002, greatest 2
sampled as a whole: type DOUBLE, sum 30001.5, greatest 1.5
EXPECTED
echo "as described"
