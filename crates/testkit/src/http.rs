//! The smallest HTTP client that a test needs, so that tests do not ask our server with our client.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
};

/// The status and the body of `GET url`.
///
/// # Errors
/// The server cannot be reached or closes the connection without an answer.
pub fn get(url: &str) -> io::Result<(u16, Vec<u8>)> {
    let (host, path) =
        url.trim_start_matches("http://").split_once('/').unwrap_or((url.trim_start_matches("http://"), ""));
    let mut stream = TcpStream::connect(host)?;
    // HTTP/1.0: the body ends with the connection.
    write!(stream, "GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP");
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or_else(malformed)?;
    let head = String::from_utf8_lossy(&answer[..end]);
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(malformed)?;
    Ok((status, answer.split_off(end + 4)))
}
