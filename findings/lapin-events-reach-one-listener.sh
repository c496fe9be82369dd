#!/usr/bin/env bash
# lapin 4.12.3 (Rust), RabbitMQ 3.10.8 (Debian 12: rabbitmq-server 3.10.8-1.1+deb12u1).
#
# Documented: `Connection::events_listener` may be called "multiple times to fan-out to several listeners".
# Seen: each event reaches one of them only. Of two listeners one hears that the connection has failed; the other hears nothing, and
# waits for ever.
#
# It needs Debian's package rabbitmq-server in that version, whose programs it runs as a broker of its own in a temporary folder.
set -euo pipefail

folder=$(mktemp --directory)
broker=
trap '[ -z "$broker" ] || kill -- -"$broker"; sleep 3; rm -rf "$folder"' EXIT
cd "$folder"

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
export CARGO_HOME=${CARGO_HOME:-$HOME/.cargo} RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
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


cargo new --quiet --vcs none ask
cd ask
cat >> Cargo.toml <<'TOML'
futures-lite = "=2.6.1"
lapin = { version = "=4.12.3", default-features = false, features = ["tokio"] }
tokio = { version = "=1.54.1", features = ["macros", "rt-multi-thread", "time"] }
TOML
cat > src/main.rs <<'RUST'
use std::{
    process::{Command, Stdio},
    time::Duration,
};

use futures_lite::StreamExt;
use lapin::{Connection, ConnectionProperties, Event};
use tokio::time::{sleep, timeout};

async fn failed(mut events: impl futures_lite::Stream<Item = Event> + Unpin) -> bool {
    let failure = async {
        while let Some(event) = events.next().await {
            if matches!(event, Event::Error(_)) {
                return;
            }
        }
        std::future::pending().await
    };
    timeout(Duration::from_secs(10), failure).await.is_ok()
}

#[tokio::main]
async fn main() {
    let address = format!("amqp://127.0.0.1:{}/%2f", std::env::args().nth(1).unwrap());
    let mut connection = None;
    while connection.is_none() {
        sleep(Duration::from_secs(1)).await;
        connection = Connection::connect(&address, ConnectionProperties::default()).await.ok();
    }
    let connection = connection.unwrap();
    let (one, two) = (Box::pin(connection.events_listener()), Box::pin(connection.events_listener()));
    let closing = tokio::task::spawn_blocking(|| {
        let mut close = Command::new("/usr/lib/rabbitmq/bin/rabbitmqctl");
        let closed = close.args(["close_all_connections", "bye"]).stdout(Stdio::null()).status();
        assert!(closed.unwrap().success());
    });
    let (one, two, closed) = tokio::join!(failed(one), failed(two), closing);
    closed.unwrap();
    println!("lapin 4.12.3: {} of 2 listeners hear that the connection has failed", u8::from(one) + u8::from(two));
}
RUST
{
    echo "RabbitMQ $(/usr/lib/rabbitmq/bin/rabbitmqctl version)"
    cargo run --quiet -- "$RABBITMQ_NODE_PORT"
} | tee seen

diff seen - <<'EXPECTED'
RabbitMQ 3.10.8
lapin 4.12.3: 1 of 2 listeners hear that the connection has failed
EXPECTED
echo "as described"
