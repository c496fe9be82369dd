# The same two tables with the same keys in PostgreSQL, by psycopg: COPY to a staging table, then an upsert, then the groups. The number of a
# row in the staging table is its order in the file. Of several ways this was the fastest correct one.
import sys

import psycopg

with psycopg.connect(sys.argv[1]) as database, open("feed.csv", "rb") as feed:
    cursor = database.cursor()
    cursor.execute("create table if not exists products (sku text primary key, name text not null, description text not null)")
    cursor.execute("create table if not exists aggr (name text primary key, no_of_products bigint not null)")
    cursor.execute("create temp table staging (row bigint generated always as identity, name text, sku text, description text)")
    with cursor.copy("copy staging (name, sku, description) from stdin (format csv, header, force_not_null (name, sku, description))") as copy:
        while block := feed.read(1 << 20):
            copy.write(block)
    cursor.execute("""
        insert into products select distinct on (sku) sku, name, description from staging order by sku, row desc
        on conflict (sku) do update set name = excluded.name, description = excluded.description
        where (products.name, products.description) is distinct from (excluded.name, excluded.description)
    """)
    cursor.execute("truncate aggr")
    cursor.execute("insert into aggr select name, count(*) from products group by name")
    cursor.execute("select (select count(*) from products), (select count(*) from aggr)")
    products, names = cursor.fetchone()
print(f"products {products} names {names}")
