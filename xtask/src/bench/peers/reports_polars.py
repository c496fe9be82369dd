# Rows and sales per department with the streaming engine of polars.
import polars

sales = polars.scan_csv("sales.csv")
totals = sales.group_by("Department Name").agg(polars.len(), polars.sum("Number of Sales")).sort("Department Name")
totals.collect(engine="streaming").write_csv("result", include_header=False, separator="|")
