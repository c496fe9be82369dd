#!/usr/bin/env bash
# RabbitMQ 3.10.8 (Debian 12: rabbitmq-server 3.10.8-1.1+deb12u1), pika 1.4.4.
#
# Documented: a single active consumer is "useful when messages must be consumed and processed in the same order they arrive in the
# queue"; if the active consumer is cancelled, another one takes over.
# Seen: on a quorum queue, an active consumer that leaves in good order loses it. If it is cancelled and returns the messages that it
# holds, or closes its connection, its successor gets what was behind them first: 3 4 5 before 0 1 2. If its process is killed, the
# successor gets 0 1 2 3 4 5.
#
# It needs Debian's package rabbitmq-server in that version, whose programs it runs as a broker of its own in a temporary folder.
set -euo pipefail

folder=$(mktemp --directory)
broker=
trap '[ -z "$broker" ] || kill -- -"$broker"; sleep 3; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --no-deps pika==1.4.4

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
export HOME=$folder RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_NODENAME=finding@localhost RABBITMQ_MNESIA_BASE=$folder/data \
    RABBITMQ_LOG_BASE=$folder/log RABBITMQ_ENABLED_PLUGINS_FILE=$folder/plugins RABBITMQ_CONFIG_FILE=$folder/rabbitmq.conf \
    RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 ERL_EPMD_ADDRESS=127.0.0.1 \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}'
RABBITMQ_NODE_PORT=$(free_port) RABBITMQ_DIST_PORT=$(free_port) ERL_EPMD_PORT=$(free_port)
export RABBITMQ_NODE_PORT RABBITMQ_DIST_PORT ERL_EPMD_PORT
touch rabbitmq.conf
echo '[].' > plugins
setsid sh -c 'epmd & exec /usr/lib/rabbitmq/bin/rabbitmq-server' > broker.log 2>&1 &
broker=$!

cat > ask.py <<'PYTHON'
import subprocess, sys, time
import pika

def connect():
    for _ in range(60):
        try:
            return pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", int(sys.argv[1])))
        except pika.exceptions.AMQPConnectionError:
            time.sleep(1)
    sys.exit("the broker does not answer")

def take(connection, got, count):
    end = time.time() + 30
    while len(got) < count and time.time() < end:
        connection.process_data_events(time_limit=0.1)

def consumer(queue):
    connection = connect()
    channel = connection.channel()
    channel.basic_qos(prefetch_count=3)
    got = []
    def on_message(channel, method, properties, body):
        got.append((method.delivery_tag, body.decode()))
    return connection, channel, got, channel.basic_consume(queue, on_message)

def hold(queue):
    """Takes three messages, and holds them until it is killed."""
    connection, _, got, _ = consumer(queue)
    print("consuming", flush=True)
    take(connection, got, 3)
    print(" ".join(body for _, body in got), flush=True)
    while True:
        connection.process_data_events(time_limit=1)

def handover(queue, leave):
    """Publishes 0 to 5, has a first consumer take 0 1 2, and returns what a second one gets after the first has left."""
    publisher = connect().channel()
    publisher.confirm_delivery()
    publisher.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum", "x-single-active-consumer": True})
    first = start(leave, queue)
    second, second_channel, second_got, _ = consumer(queue)
    for number in range(6):
        publisher.basic_publish("", queue, str(number))
    first()
    for place in range(6):
        take(second, second_got, place + 1)
        second_channel.basic_ack(second_got[place][0])
    return " ".join(body for _, body in second_got)

def start(leave, queue):
    if leave is kill:
        child = subprocess.Popen([sys.executable, __file__, sys.argv[1], queue], stdout=subprocess.PIPE, text=True)
        assert child.stdout.readline() == "consuming\n"
        return lambda: kill(child)
    connection, channel, got, tag = consumer(queue)
    def end():
        take(connection, got, 3)
        assert [body for _, body in got] == ["0", "1", "2"], got
        leave(connection, channel, tag)
    return end

def cancel(connection, channel, tag):
    channel.basic_cancel(tag)
    channel.basic_nack(0, multiple=True, requeue=True)
    connection.process_data_events(time_limit=0.1)

def close(connection, channel, tag):
    connection.close()

def kill(child):
    assert child.stdout.readline() == "0 1 2\n"
    child.kill()
    child.wait()

if len(sys.argv) > 2:
    hold(sys.argv[2])
for leave, what in [(cancel, "cancelled and returned:"), (close, "connection closed:"), (kill, "process killed:")]:
    print(what, handover(leave.__name__, leave))
PYTHON
{
    echo "RabbitMQ $(/usr/lib/rabbitmq/bin/rabbitmqctl version)"
    venv/bin/python ask.py "$RABBITMQ_NODE_PORT"
} | tee seen

diff seen - <<'EXPECTED'
RabbitMQ 3.10.8
cancelled and returned: 3 4 5 0 1 2
connection closed: 3 4 5 0 1 2
process killed: 0 1 2 3 4 5
EXPECTED
echo "as described"
