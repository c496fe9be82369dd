"""Uploads a file with tuspy, as big.csv, and goes on with an upload that an earlier run has begun.

The arguments: the URL of tus, the file, and a file in which tuspy remembers the upload.
"""
import sys

from tusclient.client import TusClient
from tusclient.storage.filestorage import FileStorage

URL, FILE, MEMORY = sys.argv[1:]

storage = FileStorage(MEMORY)
uploader = TusClient(URL).uploader(
    FILE,
    chunk_size=32 << 20,
    retries=50,
    retry_delay=0.2,
    store_url=True,
    url_storage=storage,
    metadata={"filename": "big.csv"},
)
uploader.upload()
storage.close()
