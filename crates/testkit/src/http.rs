//! A minimal HTTP client, so that tests do not check our server with our client.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

/// A response.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// Returns the first header of this name, given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// Returns the body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends `GET url` and returns the status and the body.
///
/// # Errors
/// The server cannot be reached or closes the connection without a response.
pub fn get(url: &str) -> io::Result<(u16, Vec<u8>)> {
    request("GET", url, &[], b"").map(|response| (response.status, response.body))
}

/// Sends a request. `headers` are added to `Host` and `Content-Length`; a `Host` among them replaces the default.
///
/// # Errors
/// The server cannot be reached or closes the connection without a response.
pub fn request(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Response> {
    receive(&mut send(method, url, headers, body)?)
}

/// Sends raw bytes, which need not be HTTP. They should ask the server to close the connection.
///
/// # Errors
/// The server cannot be reached or closes the connection without a response.
pub fn exchange(url: &str, bytes: &[u8]) -> io::Result<Response> {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://").split('/').next().unwrap_or_default())?;
    stream.set_read_timeout(Some(READ_TIMEOUT))?;
    // A server may answer and close before it has read everything.
    let _ = stream.write_all(bytes);
    receive(&mut BufReader::new(stream))
}

/// Sends `GET url` and returns the lines of the body as they arrive: server-sent events.
///
/// # Errors
/// The server cannot be reached, or the status is not 200.
pub fn lines(url: &str, headers: &[(&str, &str)]) -> io::Result<impl Iterator<Item = String> + use<>> {
    let mut answer = send("GET", url, headers, b"")?;
    let (status, _) = head(&mut answer)?;
    if status != 200 {
        return Err(malformed("the answer is not 200"));
    }
    Ok(answer.lines().map_while(Result::ok))
}

/// Limit for a read; far longer than any read of a passing test takes.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<BufReader<TcpStream>> {
    let url = url.trim_start_matches("http://");
    let (host, path) = url.split_once('/').unwrap_or((url, ""));
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(READ_TIMEOUT))?;
    // In HTTP/1.0 the body ends with the connection.
    let mut text = format!("{method} /{path} HTTP/1.0\r\n");
    let has = |wanted: &str| headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    if !has("host") {
        text += &format!("Host: {host}\r\n");
    }
    if !has("content-length") && (!body.is_empty() || method == "POST") {
        text += &format!("Content-Length: {}\r\n", body.len());
    }
    headers.iter().for_each(|(name, value)| text += &format!("{name}: {value}\r\n"));
    stream.write_all(format!("{text}\r\n").as_bytes())?;
    // A server may answer and close before it has read the body.
    let _ = stream.write_all(body);
    Ok(BufReader::new(stream))
}

fn receive(answer: &mut impl BufRead) -> io::Result<Response> {
    let (status, headers) = head(answer)?;
    let response = Response { status, headers, body: Vec::new() };
    // Without a length, and after HEAD, the body ends with the connection.
    let length = response.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(u64::MAX);
    let mut body = Vec::new();
    answer.take(length).read_to_end(&mut body)?;
    Ok(Response { body, ..response })
}

type Head = (u16, Vec<(String, String)>);

fn head(answer: &mut impl BufRead) -> io::Result<Head> {
    let mut lines = answer.by_ref().lines();
    let status = lines.next().ok_or_else(|| malformed("there is no answer"))??;
    let status = status.split(' ').nth(1).and_then(|status| status.parse().ok());
    let mut headers = Vec::new();
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Ok((status.ok_or_else(|| malformed("the answer is not HTTP"))?, headers))
}

fn malformed(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
