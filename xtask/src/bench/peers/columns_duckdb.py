# The same two tables with the same keys and six own columns in DuckDB, as catalog_duckdb.py makes them: dialect and columns are given, and
# `rowid` is the order of the rows in the file.
import sys

import duckdb

own = ["price", "stock", "brand", "gtin", "category", "image"]
names = ["name", "sku", "description", *own]

database = duckdb.connect("catalog.duckdb")
database.execute(f"""
    create temp table staging as select * from read_csv(
        'feed.csv', auto_detect=false, header=true, delim=',', quote='"', escape='"',
        columns={dict.fromkeys(names, 'text')}, force_not_null={names})
""")
columns = ", ".join(f"{name} text not null" for name in ["name", "description", *own])
database.execute(f"create table products(sku text primary key, {columns})")
database.execute(f"""
    insert into products select sku, name, description, {', '.join(own)} from staging
    where rowid in (select max(rowid) from staging group by sku)
""")
database.execute("create table aggr(name text primary key, no_of_products bigint not null)")
database.execute("insert into aggr select name, count(*) from products group by name")
products, names = database.execute("select (select count(*) from products), (select count(*) from aggr)").fetchone()
print(f"products {products} names {names}")
# The round that warms up also compares values.
if sys.argv[1:] == ["check"]:
    sums = "count(distinct brand), sum(cast(price as decimal(18, 2)) * 100)::bigint, count(nullif(stock, ''))"
    print(*database.execute(f"select {sums}, sum(length(gtin || category || image)) from products").fetchone())
database.close()
