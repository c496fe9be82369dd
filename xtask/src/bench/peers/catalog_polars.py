# The same two tables in polars. It has no database, so they become files.
import polars

feed = polars.read_csv("feed.csv", infer_schema=False)
products = feed.unique(subset="sku", keep="last").select("sku", "name", "description")
products.write_parquet("products.parquet")
aggr = products.group_by("name").len("no_of_products")
aggr.write_parquet("aggr.parquet")
print(f"products {products.height} names {aggr.height}")
