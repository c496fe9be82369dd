"""Reads a file of a source with DataFusion, through the path of a capability. It prints a line of JSON for each step.

The arguments: the source's URL, its token, the name of the file, and a file that is moved over it in the end.
"""
import json
import os
import sys
import time
import urllib.request

from datafusion import SessionConfig, SessionContext
from datafusion.object_store import Http

SOURCE, TOKEN, NAME, NEW = sys.argv[1:]


def ask(method, path, body=None):
    request = urllib.request.Request(SOURCE + path, method=method, data=body, headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def file_hash():
    return next((file["hash"] for file in ask("GET", "/sense/files")["files"] if file["path"] == NAME), None)


def totals(context):
    """Returns the totals of the table as JSON, or the error."""
    try:
        [rows, pieces, cents] = context.sql("SELECT count(*), sum(pieces), sum(price) FROM sales").to_pydict().values()
        return {"rows": rows[0], "pieces": pieces[0], "price": str(cents[0])}
    except Exception as error:
        return {"error": str(error)}


capability = ask("POST", "/capabilities", json.dumps({"paths": [NAME]}).encode())
old = file_hash()
context = SessionContext(SessionConfig().with_target_partitions(4))
context.register_object_store("https://", Http(SOURCE), SOURCE.removeprefix("https://"))
context.sql(
    "CREATE EXTERNAL TABLE sales (department VARCHAR, pieces BIGINT, price DECIMAL(38, 2)) STORED AS CSV "
    f"LOCATION '{SOURCE}{capability['prefix']}~{old}/{urllib.request.quote(NAME)}' OPTIONS ('format.has_header' 'true')"
)
print(json.dumps(totals(context)))
os.rename(NEW, os.path.join(os.path.dirname(NEW), "feeds", NAME))
while file_hash() in (old, None):
    time.sleep(0.02)
print(json.dumps(totals(context)))
ask("DELETE", "/capabilities/" + capability["token"])
print(json.dumps(totals(context)))
