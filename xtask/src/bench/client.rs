//! An HTTP client for measuring: one kept connection and one request after the other. It does as little work as possible, because it shares
//! the cores with the server it measures.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};

/// A connection to a server.
pub(super) struct Connection {
    host: String,
    stream: BufReader<TcpStream>,
}

/// The longest wait for an answer. An edit may wait for a large version.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(300);

impl Connection {
    /// Connects to `http://HOST:PORT`.
    pub(super) fn open(url: &str) -> Result<Self> {
        let host = url.trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&host).with_context(|| format!("failed to connect to {url}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        Ok(Self { host, stream: BufReader::with_capacity(64 << 10, stream) })
    }

    /// Sends `GET path` and returns status and body.
    pub(super) fn get(&mut self, path: &str) -> Result<(u16, Vec<u8>)> {
        let mut body = Vec::new();
        let status = self.exchange(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.host), &mut body)?;
        Ok((status, body))
    }

    /// Asks for a page as a browser does, packed, and returns status and body as they arrive.
    pub(super) fn page(&mut self, path: &str) -> Result<(u16, Vec<u8>)> {
        let mut body = Vec::new();
        let host = &self.host;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nAccept-Encoding: gzip\r\n\r\n");
        Ok((self.exchange(&request, &mut body)?, body))
    }

    /// Sends a URL-encoded form and returns the status.
    pub(super) fn post(&mut self, path: &str, form: &str) -> Result<u16> {
        let (host, length) = (&self.host, form.len());
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
        );
        self.exchange(&request, &mut io::sink())
    }

    /// Sends a file as the body of `PUT path` and returns the status.
    pub(super) fn put(&mut self, path: &str, body: &str) -> Result<u16> {
        let (host, length) = (&self.host, body.len());
        let request = format!("PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n{body}");
        self.exchange(&request, &mut io::sink())
    }

    /// Sends JSON and returns the status. The body of the answer goes to `body` as it arrives.
    pub(super) fn ask(&mut self, path: &str, json: &str, body: &mut impl Write) -> Result<u16> {
        let (host, length) = (&self.host, json.len());
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{json}"
        );
        self.exchange(&request, body)
    }

    /// Sends `DELETE path` and returns the status.
    pub(super) fn delete(&mut self, path: &str) -> Result<u16> {
        self.exchange(&format!("DELETE {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.host), &mut io::sink())
    }

    /// Reads the answer to `GET path` in this coding, and returns its number of bytes.
    pub(super) fn download(&mut self, path: &str, coding: &str) -> Result<u64> {
        let mut counted = Counted(0);
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nAccept-Encoding: {coding}\r\n\r\n", self.host);
        let status = self.exchange(&request, &mut counted)?;
        ensure!(status == 200, "{path} is answered with {status}");
        Ok(counted.0)
    }

    fn exchange(&mut self, request: &str, body: &mut impl Write) -> Result<u16> {
        self.stream.get_mut().write_all(request.as_bytes()).context("failed to send a request")?;
        self.answer(body).context("failed to read an answer")
    }

    fn answer(&mut self, body: &mut impl Write) -> Result<u16> {
        let status_line = self.line()?;
        let status = status_line.split(' ').nth(1).context("the answer is not HTTP")?.parse()?;
        let (mut length, mut is_chunked) = (0, false);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            match line.split_once(':') {
                None => break,
                Some(("content-length", value)) => length = value.trim().parse()?,
                Some(("transfer-encoding", value)) => is_chunked = value.trim() == "chunked",
                Some(_) => {}
            }
        }
        if !is_chunked {
            self.take(length, body)?;
            return Ok(status);
        }
        loop {
            let size = u64::from_str_radix(self.line()?.trim(), 16).context("a chunk has no size")?;
            self.take(size, body)?;
            self.line()?;
            if size == 0 {
                return Ok(status);
            }
        }
    }

    fn take(&mut self, length: u64, body: &mut impl Write) -> Result<()> {
        let taken = io::copy(&mut (&mut self.stream).take(length), body)?;
        ensure!(taken == length, "the answer is cut short");
        Ok(())
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            bail!("the server has closed the connection");
        }
        Ok(line.trim_end().to_owned())
    }
}

/// Counts what is written to it.
struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
