"""Writes rows that are malformed in every way, and compares all reports with what DuckDB makes of the same files."""
import sqlite3
import sys

# kind: (the row, how often, the words of its reason)
MALFORMED = {
    "not a number": (b"north,1;5\n", 17, "is not a number"),
    "a thousands separator": (b'north,"1,000"\n', 5, "is not a number"),
    "too many fields": (b"north,1,2\n", 7, "fields where the header has"),
    "too few fields": (b"north\n", 6, "field where the header has"),
    "no group": (b" ,1\n", 11, "no `shop`"),
    "the check is not true": (b"north,-1\n", 13, "not true"),
    "an empty cell in the check": (b"north,\n", 4, "not true"),
    "out of range": (b"north,1e150\n", 3, "out of range"),
    "a number beyond all": (b"north,1e999\n", 2, "is not a number"),
    "a NUL byte": (b"nor\0th,1\n", 3, "NUL byte"),
    "bytes that are no UTF-8": (b"n\xffrth,1\n", 2, "not valid UTF-8"),
    "a quote never closed": (b'"north"x,1\n', 8, "never closed"),
    "a field of more than 1 MiB": (b"n" * ((1 << 20) + 1) + b",1\n", 1, "longer than"),
}
GOOD = [("north", 1.5), ("south", 2), (" north ", 3), ("s\u00fcd", 4)]


def write():
    with open("served/malformed.csv", "wb") as out:
        out.write(b"shop,amount\n")
        for row, times, _ in MALFORMED.values():
            for _ in range(times):
                out.write(row)
                for shop, amount in GOOD:
                    out.write(f"{shop},{amount}\n".encode())
                out.write(b"\n")


def compare():
    import duckdb

    ours = sqlite3.connect("database.db")

    def same(report, columns, query, means=()):
        theirs = duckdb.sql(query).fetchall()
        order = f"order by {columns[0]}" if len(theirs) > 1 else ""
        quoted = ", ".join(f'"{column}"' for column in columns)
        found = ours.execute(f'select {quoted} from report_{report} {order.replace(columns[0], chr(34) + columns[0] + chr(34))}').fetchall()
        theirs.sort(key=lambda row: row[0].encode() if isinstance(row[0], str) else b"")
        assert len(found) == len(theirs), (report, len(found), len(theirs))
        for left, right in zip(found, theirs):
            for column, a, b in zip(columns, left, right):
                near = column in means and abs(a - float(b)) <= 1e-9 * abs(float(b))
                assert near or (column not in means and a == b), (report, column, left, right)
        print(f"{report}: {len(found):,} rows are what DuckDB {duckdb.__version__} computes")

    same("sales", ["Department Name", "rows", "total_sales", "least", "most", "mean"], """
        select "Department Name", count(*), sum("Number of Sales"), min("Number of Sales"), max("Number of Sales"), avg("Number of Sales")
        from read_csv('served/sales.csv') group by 1""", ["mean"])
    same("transactions", ["total_rows", "total_sales", "min_price", "max_price", "avg_price"], """
        with t(price, quantity) as (
            select Price, Quantity from read_csv('served/transactions/a.csv')
            union all select UnitPrice, Qty from read_csv('served/transactions/b.csv')
            union all select Unit_Price, Units from read_csv('served/transactions/c.csv'))
        select count(*), sum(price * quantity), min(price), max(price), avg(price) from t""", ["total_sales", "avg_price"])
    same("names", ["name", "products"], """
        select trim(name), count(*) from read_csv(['served/feeds/a.csv', 'served/feeds/b.csv'], all_varchar = true) group by 1""")

    reasons = [reason for (reason,) in ours.execute(
        "select reason from rejects r join files f on f.id = r.file_id where f.reader = 'report:malformed'")]
    (rows, rejects), = ours.execute("select row_count, rejects from files where reader = 'report:malformed'")
    words = {}
    for kind, (_, times, word) in MALFORMED.items():
        words.setdefault(word, [[], 0])
        words[word][0].append(kind)
        words[word][1] += times
    print("| malformed rows | expected | counted |\n| --- | --- | --- |")
    for word, (kinds, expected) in words.items():
        counted = sum(word in reason for reason in reasons)
        print(f"| {', '.join(kinds)} | {expected} | {counted} |")
        assert counted == expected, word
    blocks = sum(times for _, times, _ in MALFORMED.values())
    assert rejects == len(reasons) == blocks, (rejects, len(reasons), blocks)
    assert rows == blocks * (1 + len(GOOD)), rows
    good = ours.execute("select shop, rows, amounts from report_malformed order by shop").fetchall()
    assert good == [("north", 2 * blocks, 4.5 * blocks), ("south", blocks, 2 * blocks), ("s\u00fcd", blocks, 4 * blocks)], good
    print(f"| all | {blocks} | {rejects} |\n{rows:,} rows, of which the good ones are all summed")


write() if sys.argv[1] == "write" else compare()
