#!/usr/bin/env bash
# DuckDB 2.0.1 (Python package).
#
# Documented: `read_csv` detects the dialect, and a row that does not fit it is an error.
# Seen: apostrophes around the first names make the sniffer choose `'` as the quote. A later field in double quotes, which holds a comma, then
# has too many columns, so everything above it, header included, is skipped as a preamble. One row of six is left, without an error.
# Every other reader of RFC 4180 returns six rows; so does DuckDB with `quote = '"'`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-deps duckdb==2.0.1
cd "$folder"

venv/bin/python <<'PYTHON' | tee seen
import csv

import duckdb

with open("products.csv", "w") as file:
    file.write("sku,name,price\n")
    file.writelines(f"p{number},'Pen {number}',{number}\n" for number in range(5))
    file.write('p9,"Pen, large",9\n')

print("DuckDB", duckdb.__version__)
print("detected:", duckdb.sql("from 'products.csv'").fetchall())
print("quote named:", len(duckdb.sql("from read_csv('products.csv', quote = '\"')").fetchall()), "rows")
with open("products.csv", newline="") as file:
    print("Python's csv:", len(list(csv.DictReader(file))), "rows")
PYTHON

diff seen - <<'EXPECTED'
DuckDB 2.0.1
detected: [('p9', '"Pen', ' large"', 9)]
quote named: 6 rows
Python's csv: 6 rows
EXPECTED
echo "as described"
