#!/usr/bin/env bash
# polars 2.1.0 (Python package), two or more cores.
#
# Expected: the same query over the same file gives the same answer.
# Seen: the in-memory engine adds the doubles of a group in an order that depends on its threads, so the last digits of the sum
# change from run to run. A result cannot be compared by equality, or cached by its content.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-deps polars==2.1.0 polars-runtime-32==2.1.0
cd "$folder"

venv/bin/python <<'PYTHON' | tee seen
import random

import polars

random.seed(1)
with open("sales.csv", "w") as file:
    file.write("shop,amount\n")
    file.writelines(f"s{number % 3},{random.choice([0.1, 0.2, 0.3, 1e9, 1234.56])}\n" for number in range(2_000_000))

query = polars.scan_csv("sales.csv").group_by("shop").agg(polars.sum("amount")).sort("shop")
sums = {tuple(query.collect(engine="in-memory")["amount"]) for _ in range(20)}
print("polars", polars.__version__)
print("more than one answer in 20 runs:", len(sums) > 1)
PYTHON

diff seen - <<'EXPECTED'
polars 2.1.0
more than one answer in 20 runs: True
EXPECTED
echo "as described"
