"""Stands in for a Ballista scheduler: speaks Flight SQL, and computes with DataFusion alone."""

import os
import re
import shutil
import tempfile
import urllib.request
import uuid

import pyarrow.flight as flight
from datafusion import SessionConfig, SessionContext
from datafusion.object_store import AmazonS3


def fields(message):
    """The fields of a protobuf message: number and bytes."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        size, at = varint(message, at)
        yield key >> 3, message[at : at + size]
        at += size


def varint(message, at):
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def statement(command):
    inner = dict(fields(command))[2]
    return dict(fields(inner))[1].decode()


class Open(flight.ServerAuthHandler):
    def authenticate(self, outgoing, incoming):
        incoming.read()
        outgoing.write(b"token")

    def is_valid(self, token):
        return b""


class Scheduler(flight.FlightServerBase):
    def __init__(self):
        super().__init__("grpc://127.0.0.1:0", auth_handler=Open())
        self.context = SessionContext(SessionConfig().with_target_partitions(4))
        self.results = {}
        self.folder = tempfile.TemporaryDirectory()
        # Options of the session, as a real scheduler has them.
        self.s3 = {}

    def get_flight_info(self, context, descriptor):
        sql = statement(descriptor.command)
        print("QUERY", sql, flush=True)
        frame = self.context.sql(sql)
        table = frame.to_arrow_table()
        ticket = str(uuid.uuid4()).encode()
        self.results[ticket] = table
        return flight.FlightInfo(table.schema, descriptor, [flight.FlightEndpoint(ticket, [])], -1, -1)

    def do_get(self, context, ticket):
        return flight.RecordBatchStream(self.results.pop(ticket.ticket))

    def fetch(self, location):
        path = f"{self.folder.name}/{uuid.uuid4()}.csv"
        with urllib.request.urlopen(location[0].replace("''", "'")) as answer, open(path, "wb") as file:
            shutil.copyfileobj(answer, file)
        return path

    def open_bucket(self, name):
        # Credentials are those of this machine; where the bucket is, only the session says.
        store = AmazonS3(
            name,
            region=self.s3.get("region"),
            endpoint=self.s3.get("endpoint"),
            allow_http=self.s3.get("allow_http") == "true",
            access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
            secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
        )
        self.context.register_object_store("s3://", store, name)

    def do_put(self, context, descriptor, reader, writer):
        sql = statement(descriptor.command)
        print("UPDATE", sql, flush=True)
        if option := re.fullmatch(r"SET s3\.(\w+) = '(.*)'", sql):
            self.s3[option[1]] = option[2]
            writer.write(b"\x08\x01")
            return
        if bucket := re.search(r"LOCATION 's3://([^/']*)/", sql):
            self.open_bucket(bucket[1])
        # The Python of DataFusion reads no plain http, so the file is fetched first.
        self.context.sql(re.sub(r"(?<=LOCATION ')http://(?:[^']|'')*", self.fetch, sql)).collect()
        writer.write(b"\x08\x01")


server = Scheduler()
print(f"http://127.0.0.1:{server.port}", flush=True)
server.serve()
