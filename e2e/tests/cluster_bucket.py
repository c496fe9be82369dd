# Puts all files of a folder into a bucket, as programs of others do.
import pathlib
import sys

import boto3

ENDPOINT, BUCKET, FOLDER = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=ENDPOINT, region_name="us-east-1", aws_access_key_id="id", aws_secret_access_key="secret")
s3.create_bucket(Bucket=BUCKET)
for file in pathlib.Path(FOLDER).iterdir():
    s3.upload_file(str(file), BUCKET, f"in put/{file.name}")
