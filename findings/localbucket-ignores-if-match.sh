#!/usr/bin/env bash
# localbucket 1.2.1 (PyPI), an S3 server for tests.
#
# S3 answers a GET with `If-Match` of another ETag than the object's with 412, and so does a PUT, which then leaves the object as it is.
# localbucket's help names the conditions that PutObject knows, and says nothing of GetObject.
# Seen: both conditions are ignored. GET sends the other content with 200, and PUT replaces the object.
# A reader that trusts the condition mixes two contents; one that compares the ETag of the answer does not.
set -euo pipefail

folder=$(mktemp --directory)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv packages
packages/bin/pip install --quiet --disable-pip-version-check localbucket==1.2.1
mkdir -p data/shop
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
packages/bin/python -m localbucket data --port "$port" > log 2>&1 &
server=$!

cat > ask.py <<'PYTHON'
import http.client
import sys
import time


def ask(method, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30)
    connection.request(method, "/shop/feed.csv", body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, answer.getheader("ETag"), answer.read().decode()


for _ in range(100):
    try:
        first = ask("PUT", "sku,name\n1,Pen\n")
        break
    except ConnectionError:
        time.sleep(0.1)
second = ask("PUT", "sku,name\n1,Cup\n")
print("the ETags differ:", first[1] != second[1])
status, etag, text = ask("GET", If_Match=first[1])
print("GET with the first ETag:", status, text.split()[1], "with the second ETag" if etag == second[1] else etag)
print("PUT with the first ETag:", ask("PUT", "sku,name\n1,Hat\n", If_Match=first[1])[0])
print("the object then:", ask("GET")[2].split()[1])
PYTHON
{
    packages/bin/python -m localbucket --version
    python3 ask.py "$port"
} | tee seen

diff seen - <<'EXPECTED'
LocalBucket 1.2.1
the ETags differ: True
GET with the first ETag: 200 1,Cup with the second ETag
PUT with the first ETag: 200
the object then: 1,Hat
EXPECTED
echo "as described"
