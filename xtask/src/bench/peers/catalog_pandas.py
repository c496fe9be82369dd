# The same two tables with pandas, as a small script does it.
import sqlite3

import pandas

feed = pandas.read_csv("feed.csv", dtype=str, keep_default_na=False)
products = feed.drop_duplicates("sku", keep="last")[["sku", "name", "description"]]
aggr = products.groupby("name").size().rename("no_of_products").reset_index()
with sqlite3.connect("catalog.db") as database:
    products.to_sql("products", database, index=False)
    aggr.to_sql("aggr", database, index=False)
print(f"products {len(products)} names {len(aggr)}")
