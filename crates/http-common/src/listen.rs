//! Binds a server's socket and prints the ready line.

use std::{
    io::{self, Write},
    net::{SocketAddr, TcpListener, ToSocketAddrs},
};

use anyhow::Context;
use tributary_admission::Access;

/// Files beside the connections to sources: database, spool, and clients, of which each takes up to three.
const OTHER_FILES: u64 = 1_000;

/// Binds `listen`, given as HOST:PORT.
///
/// # Errors
/// [`tributary_admission::OpenToAll`] when other machines could connect and neither a token nor `--allow-anonymous` is
/// given; any other error when the address cannot be bound.
pub fn bind(listen: &str, access: &Access) -> anyhow::Result<TcpListener> {
    let failed = || format!("failed to listen on `{listen}`");
    let addresses: Vec<SocketAddr> = listen.to_socket_addrs().with_context(failed)?.collect();
    access.check_exposure(listen, &addresses)?;
    allow_many_files();
    TcpListener::bind(&addresses[..]).with_context(failed)
}

/// Raises the limit of open files as far as the system lets it: a slow client takes three. Without it, 300 of them would leave none for
/// others, because the usual limit is 1,024.
#[cfg(unix)]
fn allow_many_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // If it is refused, the server works with what it has.
    let _ = setrlimit(Resource::Nofile, rustix::process::Rlimit { current: limit.maximum, ..limit });
}

#[cfg(not(unix))]
fn allow_many_files() {}

/// Words for people if this process may open too few files to keep a connection to each of so many `sources`.
#[must_use]
pub fn too_few_files(sources: usize) -> Option<String> {
    too_few(open_file_limit(), sources)
}

fn too_few(limit: Option<u64>, sources: usize) -> Option<String> {
    let limit = limit.filter(|limit| *limit < sources as u64 + OTHER_FILES)?;
    let needed = sources as u64 + OTHER_FILES;
    Some(format!(
        "{sources} sources take a connection each, and the system lets this process open {limit} files: some sources and clients will \
         be refused; allow {needed}: `ulimit -n`, or `LimitNOFILE` of a service"
    ))
}

/// The files that this process may open; `None` if there is no limit.
#[cfg(unix)]
fn open_file_limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
fn open_file_limit() -> Option<u64> {
    None
}

/// The scheme of the URL at which a server listens.
#[must_use]
pub fn scheme(is_encrypted: bool) -> &'static str {
    if is_encrypted { "https" } else { "http" }
}

/// Prints the only line that a server writes to stdout. A reader that has gone away is not an error.
pub fn announce(address: SocketAddr, is_encrypted: bool) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "listening on {}://{address}", scheme(is_encrypted)).and_then(|()| stdout.flush());
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use tributary_admission::OpenToAll;

    use super::*;

    #[test]
    fn a_limit_of_files_that_sources_exceed_is_said_with_the_one_that_is_needed() {
        for (limit, sources) in [(None, 10_000), (Some(16_384), 10_000), (Some(11_000), 10_000), (Some(1_024), 24)] {
            assert_eq!(too_few(limit, sources), None, "{limit:?} {sources}");
        }
        let words = too_few(Some(4_096), 10_000).unwrap();
        assert!(words.contains("open 4096 files") && words.contains("allow 11000"), "{words}");
    }

    #[test]
    fn only_the_loopback_is_open_without_a_token() {
        let open = |listen: &str, token_file: Option<&str>, allow_anonymous: bool| {
            let access = Access { token_file: token_file.map(PathBuf::from), allow_anonymous };
            bind(listen, &access).err().map(|error| error.is::<OpenToAll>())
        };
        assert_eq!(open("0.0.0.0:0", None, false), Some(true));
        assert_eq!(open("0.0.0.0:0", None, true), None);
        assert_eq!(open("0.0.0.0:0", Some("t"), false), None);
        assert_eq!(open("localhost:0", None, false), None);
        assert_eq!(open("no.such.host.invalid:0", None, false), Some(false));
    }
}
