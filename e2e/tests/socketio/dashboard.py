"""A dashboard as the older systems have it: one client, whose handlers store the newest rows.

Arguments: the address, the transports, and headers as JSON.
"""
import json, sys, threading
import requests, socketio

url, transports, headers = sys.argv[1], sys.argv[2].split(","), json.loads(sys.argv[3])
said = threading.Lock()
session = requests.Session()
# `headers` of `connect` go with the first request and the WebSocket alone.
session.headers.update(headers)
sio = socketio.Client(reconnection_delay=0.1, reconnection_delay_max=0.5, http_session=session)


def say(*what):
    with said:
        print(json.dumps(what), flush=True)


@sio.event
def connect():
    say("connect", sio.transport())


@sio.event
def disconnect():
    say("disconnect")


@sio.event
def csv_update(rows):
    say("csv_update", rows)


@sio.on("*", namespace="/tributary")
def event(name, data):
    say("event", name, data)


@sio.on("connect", namespace="/shop")
def shop():
    say("shop")


@sio.on("connect_error", namespace="/shop")
def refused(why):
    say("refused", why)


try:
    namespaces = ["/", "/tributary"] if len(sys.argv) < 5 else sys.argv[4].split(",")
    sio.connect(url, transports=transports, headers=headers, namespaces=namespaces)
except socketio.exceptions.ConnectionError as error:
    say("failed", str(error))
for line in sys.stdin:
    match line.strip():
        case "request":
            sio.emit("request_update")
        case "call":
            say("called", sio.call("request_update", timeout=20))
        case "burst":
            done = []
            for number in range(200):
                sio.emit("anything", number, callback=lambda: done.append(1) or len(done) == 200 and say("burst"))
        case "leave":
            sio.disconnect()
            say("left")
