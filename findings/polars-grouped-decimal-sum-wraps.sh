#!/usr/bin/env bash
# polars 2.1.0 (Python package).
#
# Documented: decimal arithmetic that does not fit 38 digits raises an error. `sum`, `cum_sum`, `+` and the streaming engine do.
# Seen: `DataFrame.group_by(…).agg(sum)` and `sum().over(…)` wrap around at 128 bits and return a negative total without an error.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-deps polars==2.1.0 polars-runtime-32==2.1.0
cd "$folder"

venv/bin/python <<'PYTHON' | tee seen
from decimal import Decimal

import polars

amount = Decimal(9 * 10**35)
sales = polars.DataFrame({"shop": ["north"] * 3, "amount": polars.Series([amount] * 3, dtype=polars.Decimal(38, 2))})

def attempt(what, compute):
    try:
        print(f"{what}: {compute():f}")
    except polars.exceptions.ComputeError as error:
        print(f"{what}: {str(error).splitlines()[0]}")

print("polars", polars.__version__)
attempt("sum", lambda: sales["amount"].sum())
attempt("grouped sum, streaming engine", lambda: sales.lazy().group_by("shop").agg(polars.sum("amount")).collect(engine="streaming")["amount"][0])
attempt("grouped sum", lambda: sales.group_by("shop").agg(polars.sum("amount"))["amount"][0])
attempt("sum over a window", lambda: sales.select(polars.sum("amount").over("shop"))["amount"][0])
PYTHON

diff seen - <<'EXPECTED'
polars 2.1.0
sum: overflow in decimal addition in sum
grouped sum, streaming engine: overflow in decimal addition in sum
grouped sum: -702823669209384634633746074317682114.56
sum over a window: -702823669209384634633746074317682114.56
EXPECTED
echo "as described"
