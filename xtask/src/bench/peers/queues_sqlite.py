# A consumer with pika that writes each operation into a table, as one would type it: a commit per batch, and an acknowledgement after it.
# The arguments are the broker, the queue, the number of messages, and the number of operations per commit.
import json
import os
import sqlite3
import sys

import pika

broker, queue, count, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
database = sqlite3.connect("products.db", isolation_level=None)
database.execute("pragma journal_mode = wal")
database.execute("pragma synchronous = full")
database.execute("create table products(sku text primary key, name text not null, description text not null) without rowid")
upsert = """
    insert into products values (?, ?, ?)
    on conflict (sku) do update set name = excluded.name, description = excluded.description
"""
batch, taken = [], 0


def take(channel, method, properties, body):
    global taken
    operation = json.loads(body)
    batch.append((operation["sku"], operation["name"], operation["description"]))
    taken += 1
    if len(batch) < size and taken < count:
        return
    database.execute("begin")
    database.executemany(upsert, batch)
    database.execute("commit")
    batch.clear()
    channel.basic_ack(method.delivery_tag, multiple=True)
    if taken == count:
        channel.stop_consuming()


connection = pika.BlockingConnection(pika.URLParameters(broker))
channel = connection.channel()
channel.basic_qos(prefetch_count=2000)
channel.basic_consume(queue, take)
channel.start_consuming()
connection.close()
# Closing the database would copy the log into it, for which nobody waits.
os._exit(0)
