# The same two tables with the same keys in DuckDB. Of several ways this was the fastest correct one: dialect and columns are given, and
# `rowid` is the order of the rows in the file.
import os

import duckdb

files = "feed.csv/*.csv" if os.path.isdir("feed.csv") else "feed.csv"

database = duckdb.connect("catalog.duckdb")
database.execute(f"""
    create temp table staging as select * from read_csv(
        '{files}', auto_detect=false, header=true, delim=',', quote='"', escape='"',
        columns={{'name': 'text', 'sku': 'text', 'description': 'text'}},
        force_not_null=['name', 'sku', 'description'])
""")
database.execute("create table products(sku text primary key, name text not null, description text not null)")
database.execute("""
    insert into products select sku, name, description from staging
    where rowid in (select max(rowid) from staging group by sku)
""")
database.execute("create table aggr(name text primary key, no_of_products bigint not null)")
database.execute("insert into aggr select name, count(*) from products group by name")
products, names = database.execute("select (select count(*) from products), (select count(*) from aggr)").fetchone()
database.close()
print(f"products {products} names {names}")
