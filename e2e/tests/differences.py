"""Reads mutated files with `data-source inspect`, Python's csv and, if it is there, DuckDB, and explains every difference.

The first argument is the program, the second the number of files. Exits with 1 and prints the file if a difference has no explanation.
"""
import collections
import csv
import io
import json
import pathlib
import random
import subprocess
import sys
import tempfile

try:
    import duckdb
except ImportError:
    duckdb = None

PROGRAM, FILES = sys.argv[1], int(sys.argv[2])
NAMES = ["sku", "name", "text"]
PIECES = ["a", "b c", "é", "1", ",", ";", '"', "\n", " ", "x.y", "=", "|"]
# What a mutation inserts.
STRAY = ['"', '""', ",", "\n", "\r\n", ";", "\n\n", "Total", "x", '",', ',"']


def table(rng):
    """Returns rows of a file, which the csv module can write."""
    cell = lambda: "".join(rng.choices(PIECES, k=rng.randrange(4)))
    return [[f"p{i}", cell(), cell()] for i in range(rng.randrange(1, 12))]


def mutated(rng, text):
    """Returns the text with a few changes."""
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(text) + 1)
        kind = rng.randrange(5)
        lines = text.splitlines(keepends=True)
        if kind == 0:
            text = text[:at] + text[at + 1:]
        elif kind == 1:
            text = text[:at] + rng.choice(STRAY) + text[at:]
        elif kind == 2 and lines:
            lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
            text = "".join(lines)
        elif kind == 3:
            text = rng.choice(["Report of it\n", "# made by x\n", "\n", "sep=,\n"]) + text
        else:
            text += rng.choice(["Total,,5\n", "(3 rows)\n", "\nSource of it\n", "\nsku,place,m\nx,y,5\n"])
    return text


def gate(path):
    """Returns the findings and the rows of the gate, or the reason why it rejects the file."""
    run = lambda form: subprocess.run([PROGRAM, "inspect", "--format", form, path], capture_output=True)
    found = run("json")
    if found.returncode:
        return found.stderr.decode(), None
    rows = list(csv.reader(io.StringIO(run("csv").stdout.decode(), newline="")))
    return json.loads(found.stdout), [tuple(row) for row in rows[1:]]


def python(text, found):
    """Returns the rows below the header as the csv module reads them in the same dialect."""
    quote = found["quote"]
    dialect = {"delimiter": found["delimiter"], "quoting": csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE}
    rows = list(csv.reader(io.StringIO(text, newline=""), quotechar=quote or '"', **dialect))
    trimmed = lambda row: [cell.strip() for cell in row]
    header = next((at for at, row in enumerate(rows) if trimmed(row) == found["columns"]), None)
    return None if header is None else [tuple(row) for row in rows[header + 1:] if row]


def duck(path, found):
    """Returns the rows as DuckDB reads them in the same dialect, or none if it gives up."""
    try:
        rows = duckdb.sql("select * from read_csv($path, header = true, all_varchar = true, auto_detect = false, "
                          f"columns = {{{', '.join(f'c{i}: varchar' for i, _ in enumerate(found['columns']))}}}, "
                          "delim = $delimiter, quote = $quote, escape = $quote)",
                          params={"path": str(path), "delimiter": found["delimiter"], "quote": found["quote"] or ""}).fetchall()
    except duckdb.Error:
        return None
    return [tuple(cell or "" for cell in row) for row in rows]


def explain(text, found, rows, other):
    """Returns why the gate and Python differ; none if there is no reason."""
    if other is None:
        return "the header is read otherwise" if '"' in text or found["skipped"] else None
    width = len(found["columns"])
    is_header = lambda row: width > 1 and sorted(cell.strip() for cell in row) == sorted(found["columns"])
    fitting = [row for row in other if len(row) == width and not is_header(row)]
    if rows == fitting:
        return "same rows" if len(fitting) == len(other) else "rows of another width, or a header again"
    lost, invented = (collections.Counter(fitting) - collections.Counter(rows)).total(), None
    invented = (collections.Counter(rows) - collections.Counter(fitting)).total()
    reasons = " ".join(reject["reason"] for reject in found["rejects"])
    if "quoted field" in reasons and "quote = " in reasons:
        return "stray quotes, as rejects that name the setting"
    if not invented and "second table" in reasons:
        return "a second table, as a reject"
    if not invented and lost and text.rstrip().splitlines()[-1].startswith(("Total,", "Source", "(3 rows)")):
        return "a footer"
    if "\r" in text.replace("\r\n", "") or ("\r\n" in text and "\n" in text.replace("\r\n", "")):
        return "line ends of several kinds"
    if width == 1 and [row for row in rows if row != ("",)] == [row for row in fitting if row != ("",)]:
        return "empty lines of one column"
    if found["trailing"]:
        return "a delimiter at the end of each row"
    return None


def compare_plain(path, text, found, rows):
    """Ends the program if a reader that knows the delimiter alone reads other rows of a file that is called plain."""
    all_rows = [tuple(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=found["delimiter"], strict=True)]
    names = [cell.strip() for cell in all_rows[0]]
    by_duck = duck(path, found | {"quote": '"'}) if duckdb else rows
    if names != found["columns"] or all_rows[1:] != rows or by_duck != rows:
        sys.exit(f"not plain: {text!r}\ngate {rows}\ncsv  {all_rows}\nduck {by_duck}")


def check(rng, folder, counts):
    """Writes a file, reads it with all readers, and compares."""
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=rng.choice(",;\t|"), lineterminator=rng.choice(["\n", "\r\n"])).writerows([NAMES, *table(rng)])
    text = mutated(rng, written.getvalue())
    path = folder / "a.csv"
    path.write_bytes(text.encode())
    found, rows = gate(path)
    if rows is None:
        counts["rejected: " + found.split(":")[1].strip()[:40]] += 1
        return
    found |= {"skipped": not text.startswith("sku"), "trailing": any(found["delimiter"] + end in text for end in ("\n", "\r\n"))}
    if found["plain"]:
        compare_plain(path, text, found, rows)
        counts["plain"] += 1
    other = python(text, found)
    reason = explain(text, found, rows, other)
    if reason is None:
        sys.exit(f"no explanation: {text!r}\ngate {found}\n{rows}\ncsv  {other}")
    counts[reason] += 1
    if duckdb and reason == "same rows" and not found["skipped"]:
        by_duck = duck(path, found)
        counts["DuckDB gives up" if by_duck is None else "DuckDB reads the same" if by_duck == rows else "DuckDB differs"] += 1
        if by_duck not in (None, rows):
            sys.exit(f"DuckDB differs: {text!r}\ngate {rows}\nduck {by_duck}")


def main():
    counts = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(FILES):
            check(random.Random(seed), pathlib.Path(folder), counts)
    for reason, count in counts.most_common():
        print(f"{count:6} {reason}")


main()
