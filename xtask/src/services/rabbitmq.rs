//! The broker, with a data folder, a node name and an `epmd` of its own. It needs no systemd and touches no other broker of the machine.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use super::{Variable, free_port};

/// Not the wrappers in `/usr/sbin`, which change the user.
const PROGRAMS: &str = "/usr/lib/rabbitmq/bin";
/// A script with the environment of this broker, by which tests stop, start and limit it: `rabbitmqctl` with its arguments.
const CONTROL: &str = "rabbitmqctl";

/// The certificate of the authority that signs the broker's.
const CA: &str = "ca.pem";
/// The file with the port that speaks TLS.
const TLS_PORT: &str = "tls_port";

/// Limits that tests can wait for. A delivery that is not acknowledged within the consumer timeout closes its channel.
const ADVANCED: &str = "[{rabbit,[{consumer_timeout,60000},{channel_tick_interval,1000}]}].\n";

/// The port to take: the usual one of AMQP unless another program has it.
pub(super) fn port() -> Result<u16> {
    const USUAL: u16 = 5672;
    match std::net::TcpListener::bind(("127.0.0.1", USUAL)) {
        Ok(_) => Ok(USUAL),
        Err(_) => Ok(free_port()?),
    }
}

pub(super) fn command(port: u16, folder: &Path) -> Result<Command> {
    fs::write(folder.join("rabbitmq.conf"), encrypted_listener(folder)?)?;
    fs::write(folder.join("advanced.config"), ADVANCED)?;
    fs::write(folder.join("plugins"), "[].\n")?;
    let variables = variables(port, folder)?;
    let script: String = variables.iter().map(|(name, value)| format!("export {name}='{value}'\n")).collect();
    let control = folder.join(CONTROL);
    fs::write(&control, format!("#!/bin/sh\n{script}exec {PROGRAMS}/rabbitmqctl \"$@\"\n"))?;
    fs::set_permissions(&control, fs::Permissions::from_mode(0o755)).context("failed to make a script executable")?;
    let mut command = Command::new("sh");
    // A daemon that the server starts by itself would stay behind.
    command.arg("-c").arg(format!("epmd & exec {PROGRAMS}/rabbitmq-server")).envs(variables);
    Ok(command)
}

/// The settings of a second listener, for `amqps://`. Its certificate is signed by an authority that is made here.
fn encrypted_listener(folder: &Path) -> Result<String> {
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"];
    let own = ["-keyout", "ca.key", "-out", CA, "-subj", "/CN=Tributary tests"];
    let signed =
        ["-CA", CA, "-CAkey", "ca.key", "-keyout", "server.key", "-out", "server.pem", "-subj", "/CN=localhost"];
    let names = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"];
    openssl(folder, &[&key[..], &own].concat())?;
    openssl(folder, &[&key[..], &signed, &names].concat())?;
    let (port, within) = (free_port()?, |name: &str| folder.join(name).display().to_string());
    fs::write(folder.join(TLS_PORT), port.to_string())?;
    Ok(format!(
        "listeners.ssl.default = 127.0.0.1:{port}\n\
         ssl_options.cacertfile = {}\nssl_options.certfile = {}\nssl_options.keyfile = {}\nssl_options.verify = verify_none\n",
        within(CA),
        within("server.pem"),
        within("server.key")
    ))
}

fn openssl(folder: &Path, arguments: &[&str]) -> Result<()> {
    let mut openssl = Command::new("openssl");
    let made = openssl.args(["req", "-x509"]).args(arguments).current_dir(folder).output();
    let made = made.context("failed to run openssl")?;
    ensure!(made.status.success(), "openssl failed: {}", String::from_utf8_lossy(&made.stderr));
    Ok(())
}

fn variables(port: u16, folder: &Path) -> Result<Vec<Variable>> {
    let within = |name: &str| folder.join(name).display().to_string();
    Ok(vec![
        ("HOME", folder.display().to_string()),
        ("RABBITMQ_CONF_ENV_FILE", "/dev/null".to_owned()),
        ("RABBITMQ_CONFIG_FILE", within("rabbitmq.conf")),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", within("advanced.config")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", within("plugins")),
        // Another name would start an empty broker beside the data.
        ("RABBITMQ_NODENAME", "tributary@localhost".to_owned()),
        ("RABBITMQ_MNESIA_BASE", within("data")),
        ("RABBITMQ_LOG_BASE", within("log")),
        ("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1".to_owned()),
        ("RABBITMQ_NODE_PORT", port.to_string()),
        ("RABBITMQ_DIST_PORT", free_port()?.to_string()),
        ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
        ("ERL_EPMD_PORT", free_port()?.to_string()),
        ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}".to_owned()),
    ])
}

/// Whether it speaks AMQP 0-9-1: it answers the header of the protocol with a frame of a method.
pub(super) fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<u8> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"AMQP\0\0\x09\x01")?;
        let mut kind = [0];
        stream.read_exact(&mut kind)?;
        Ok(kind[0])
    };
    ask().is_ok_and(|kind| kind == 1)
}

pub(super) fn address(port: u16) -> String {
    format!("amqp://guest:guest@127.0.0.1:{port}")
}

/// The variables in which tests find the script that controls the broker, its address with TLS, and the file of its authority.
pub(super) fn more(folder: &Path) -> Vec<Variable> {
    let tls_port = fs::read_to_string(folder.join(TLS_PORT)).unwrap_or_default();
    vec![
        ("TRIBUTARY_E2E_RABBITMQCTL", folder.join(CONTROL).display().to_string()),
        ("TRIBUTARY_E2E_AMQPS", format!("amqps://guest:guest@127.0.0.1:{tls_port}")),
        ("TRIBUTARY_E2E_AMQPS_CA", folder.join(CA).display().to_string()),
    ]
}
