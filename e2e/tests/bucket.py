# Fills a bucket as programs of others do: boto3 in one piece, boto3 in parts, a copy within the bucket, and deletes.
import gzip
import sys

import boto3
from boto3.s3.transfer import TransferConfig

endpoint, step = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="id", aws_secret_access_key="secret")
if step == "fill":
    s3.create_bucket(Bucket="shop")
    for number in range(1500):
        s3.put_object(Bucket="shop", Key=f"feeds/{number % 7}/part {number}.csv", Body=f"sku,name\ns{number:04},N{number % 5}\n".encode())
    s3.put_object(Bucket="shop", Key="feeds/ä+ö.csv.gz", Body=gzip.compress(b"sku,name\nzipped,Z\n"))
    s3.put_object(Bucket="shop", Key="other/no.csv", Body=b"sku,name\nno,N\n")
    with open("large.csv", "w") as file:
        file.write("sku,name\n" + "".join(f"l{number:06},Large\n" for number in range(400_000)))
    in_parts = TransferConfig(multipart_threshold=1 << 20, multipart_chunksize=5 << 20)
    s3.upload_file("large.csv", "shop", "feeds/large.csv", Config=in_parts)
else:
    s3.copy_object(Bucket="shop", Key="feeds/0/part 0.csv", CopySource={"Bucket": "shop", "Key": "feeds/1/part 1.csv"})
    s3.put_object(Bucket="shop", Key="feeds/large.csv", Body=b"sku,name\nl,One\n" + b"".join(b"m%05d,M\n" % n for n in range(250_000)))
    for number in range(2, 1500, 2):
        s3.delete_object(Bucket="shop", Key=f"feeds/{number % 7}/part {number}.csv")
