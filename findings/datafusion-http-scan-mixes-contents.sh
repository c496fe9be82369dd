#!/usr/bin/env bash
# DataFusion 55.0.0: a scan of a CSV file over HTTP mixes two contents of the file, without an error.
#
# A large file is read in parts, each by a request of its own. HTTP has what keeps such parts together: the answers
# carry an `ETag`, and a request with `If-Match` fails with 412 once the content is another one (RFC 9110, section 13.1.1).
# DataFusion gets the ETag with `HEAD` when it plans the query, but sends no condition and compares no answer: rows of the old
# and of the new content are summed together.
set -euo pipefail

folder=$(mktemp --directory)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv python
python/bin/python -m pip install --quiet --only-binary :all: datafusion==55.0.0
# The Python package takes https alone.
key=(-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
openssl req "${key[@]}" -keyout ca.key -out ca.pem -subj /CN=finding 2> openssl.log
openssl req "${key[@]}" -CA ca.pem -CAkey ca.key -keyout own.key -out own.pem -subj /CN=localhost \
  -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE 2>> openssl.log

cat > serve.py <<'PYTHON'
"""Serves a file whose content changes once two parts of it were asked for."""
import http.server
import ssl

CONTENTS = [b"kind\n" + kind * 3_000_000 for kind in (b"old\n", b"new\n")]
parts = 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.answer(200, b"", {"Content-Length": len(CONTENTS[0])}, CONTENTS[0])

    def do_GET(self):
        global parts
        content = CONTENTS[parts >= 2]
        first, last = (int(number) for number in self.headers["Range"].removeprefix("bytes=").split("-"))
        parts += 1
        body = content[first:last + 1]
        where = f"bytes {first}-{first + len(body) - 1}/{len(content)}"
        print("If-Match" in self.headers, flush=True)
        self.answer(206, body, {"Content-Length": len(body), "Content-Range": where}, content)

    def answer(self, status, body, headers, content):
        self.send_response(status)
        for name, value in {**headers, "ETag": '"%s"' % content[5:8].decode(), "Accept-Ranges": "bytes"}.items():
            self.send_header(name, str(value))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass  # A reader of the rest of a line closes the connection.

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("own.pem", "own.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
PYTHON
python/bin/python serve.py > server.log 2> errors.log &
server=$!
until port=$(grep -m 1 -oE '^[0-9]+$' server.log); do sleep 0.1; done

cat > scan.py <<'PYTHON'
import sys
import datafusion
from datafusion import SessionConfig, SessionContext
from datafusion.object_store import Http

host = f"127.0.0.1:{sys.argv[1]}"
context = SessionContext(SessionConfig().with_target_partitions(4))
context.register_object_store("https://", Http(f"https://{host}"), host)
context.sql(f"CREATE EXTERNAL TABLE t (kind VARCHAR) STORED AS CSV LOCATION 'https://{host}/a.csv' OPTIONS ('format.has_header' 'true')")
rows = context.sql("SELECT DISTINCT kind FROM t ORDER BY kind DESC").to_pydict()["kind"]
print("datafusion", datafusion.__version__, "reads rows of the contents:", ", ".join(rows))
PYTHON
SSL_CERT_FILE=ca.pem python/bin/python scan.py "$port" | tee seen
echo "a request had a condition: $(grep -q True server.log && echo yes || echo no)" | tee -a seen

diff seen - <<'EXPECTED'
datafusion 55.0.0 reads rows of the contents: old, new
a request had a condition: no
EXPECTED
echo "as described"
