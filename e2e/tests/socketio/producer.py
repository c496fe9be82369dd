"""A producer as the older systems have it. Arguments: the address, and the rows as JSON."""
import json, sys
import requests

url, rows = sys.argv[1], json.loads(sys.argv[2])
health = requests.get(f"{url}/health")
health.raise_for_status()
update = requests.post(f"{url}/update", json=rows)
update.raise_for_status()
print(json.dumps([health.json(), update.json(), requests.get(f"{url}/data").json()]))
