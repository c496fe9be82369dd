"""Reads a file of a source with a stock Ballista cluster, by Flight SQL. It prints the totals as JSON, or the error.

The arguments: the cluster's URL, the URL of the file, and the name of a table.
"""
import json
import sys

import adbc_driver_flightsql.dbapi as flight_sql

CLUSTER, FILE, TABLE = sys.argv[1:]


def run(cursor, statement):
    cursor.execute(statement)
    return cursor.fetchall()


with flight_sql.connect(CLUSTER.replace("http://", "grpc://"), autocommit=True) as connection, connection.cursor() as cursor:
    run(
        cursor,
        f"CREATE EXTERNAL TABLE {TABLE} (department VARCHAR, pieces BIGINT, price DECIMAL(38, 2)) STORED AS CSV "
        f"LOCATION '{FILE}' OPTIONS ('format.has_header' 'true')",
    )
    try:
        # Of totals, Ballista 55 at times announces the columns of an earlier stage, which this client refuses.
        rows = run(cursor, f"SELECT pieces, price FROM {TABLE}")
        pieces, price = map(sum, zip(*rows))
        print(json.dumps({"rows": len(rows), "pieces": pieces, "price": str(price)}))
    except Exception as error:
        print(json.dumps({"error": str(error)}))
    finally:
        run(cursor, f"DROP TABLE {TABLE}")
