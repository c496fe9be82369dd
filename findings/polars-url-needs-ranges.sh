#!/usr/bin/env bash
# polars 2.1.0: `read_csv` and `scan_csv` of an http URL fail if the server does not answer range requests.
#
# The documentation of `read_csv` says that it takes a URL. Range requests are optional in HTTP (RFC 9110, section 14): a server
# may answer 200 with the whole file, and many do, Python's own http.server among them. pandas reads such a URL; polars asks with
# HEAD, then for a range, gets the whole file, and raises an error instead of using it.
set -euo pipefail

folder=$(mktemp --directory)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv python
python/bin/python -m pip install --quiet polars==2.1.0 pandas==3.1.1

mkdir served
printf 'sku,name\n1,Pen\n2,Ink\n' > served/a.csv
python3 -u -m http.server --bind 127.0.0.1 --directory served 0 > server.log 2>&1 &
server=$!
until port=$(grep -oE 'port [0-9]+' server.log | grep -oE '[0-9]+'); do sleep 0.1; done

cat > read.py <<'PYTHON'
import sys
import pandas
import polars

url = sys.argv[1]
print("pandas", pandas.__version__, "reads", len(pandas.read_csv(url)), "rows")
for name, read in [("read_csv", polars.read_csv), ("scan_csv", lambda url: polars.scan_csv(url).collect())]:
    try:
        print("polars", polars.__version__, name, "reads", len(read(url)), "rows")
    except OSError as error:
        print("polars", polars.__version__, name, "raises:", "Range request not supported" in str(error))
PYTHON
python/bin/python read.py "http://127.0.0.1:$port/a.csv" | tee seen

diff seen - <<'EXPECTED'
pandas 3.1.1 reads 2 rows
polars 2.1.0 read_csv raises: True
polars 2.1.0 scan_csv raises: True
EXPECTED
echo "as described"
