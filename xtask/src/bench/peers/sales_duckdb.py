# Sales per department in DuckDB. Dialect and columns are given, though detecting them takes no longer.
import duckdb

duckdb.sql("""
    copy (
        select "Department Name", sum("Number of Sales") as "Total Number of Sales"
        from read_csv('sales.csv', auto_detect=false, header=true, delim=',', quote='"', escape='"',
            columns={'Department Name': 'text', 'Date': 'text', 'Number of Sales': 'bigint'})
        group by 1 order by 1
    ) to 'result' (header true)
""")
