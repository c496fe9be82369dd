# As catalog_duckdb.py, but with tables without keys: a sku could come twice, and finding one product reads all of them. It is half of the
# work.
import duckdb

database = duckdb.connect("catalog.duckdb")
database.execute("""
    create temp table staging as select * from read_csv(
        'feed.csv', auto_detect=false, header=true, delim=',', quote='"', escape='"',
        columns={'name': 'text', 'sku': 'text', 'description': 'text'},
        force_not_null=['name', 'sku', 'description'])
""")
database.execute("""
    create table products as select sku, name, description from staging
    where rowid in (select max(rowid) from staging group by sku)
""")
database.execute("create table aggr as select name, count(*) as no_of_products from products group by name")
products, names = database.execute("select (select count(*) from products), (select count(*) from aggr)").fetchone()
database.close()
print(f"products {products} names {names}")
