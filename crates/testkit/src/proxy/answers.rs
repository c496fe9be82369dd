//! Answers that a proxy makes up.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
};

use super::Fault;

/// The first line, if a request begins here.
pub(super) fn first_line(chunk: &[u8]) -> Option<&[u8]> {
    let line = chunk.split(|byte| *byte == b'\r').next()?;
    (line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0")).then_some(line)
}

/// Answers a request, of which this chunk is the first, and ends the connection.
pub(super) fn answer(mut client: &TcpStream, target: &str, chunk: &[u8], fault: Fault) -> io::Result<()> {
    let (head, body) = match fault {
        Fault::Page(status) => {
            let body = b"<!doctype html><title>Log in</title><p>Please log in to this network.".to_vec();
            (format!("HTTP/1.1 {status}\r\nContent-Type: text/html\r\n"), body)
        }
        Fault::Shorten(length) => {
            let (head, mut body) = ask(client, target, chunk)?;
            body.truncate(usize::try_from(length).unwrap_or(usize::MAX));
            (head, body)
        }
        _ => return Ok(()),
    };
    let head = format!("{head}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    client.write_all(&[head.into_bytes(), body].concat())?;
    client.shutdown(Shutdown::Write)?;
    // Closing with unread bytes would reset the connection, and the answer could be lost.
    io::copy(&mut client, &mut io::sink()).map(drop)
}

/// Asks the server. Returns the head of the answer but for its length, and its body.
fn ask(mut client: &TcpStream, target: &str, chunk: &[u8]) -> io::Result<(String, Vec<u8>)> {
    let mut server = TcpStream::connect(target)?;
    let (line, rest) = chunk.split_at(first_line(chunk).map_or(0, <[u8]>::len) + 2);
    server.write_all(&[line, b"Connection: close\r\n", rest].concat())?;
    let (head, mut body) = split(chunk);
    let length = field(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while body.len() < length {
        let mut more = vec![0; length - body.len()];
        let count = client.read(&mut more)?;
        server.write_all(&more[..count])?;
        body.extend_from_slice(&more[..count]);
        if count == 0 {
            break;
        }
    }
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    let (head, body) = split(&answer);
    let is_chunked = field(&head, "transfer-encoding") == Some("chunked");
    let is_kept = |line: &&str| {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        !matches!(name.as_str(), "content-length" | "transfer-encoding" | "connection")
    };
    let kept = head.lines().filter(is_kept).map(|line| format!("{line}\r\n")).collect();
    Ok((kept, if is_chunked { whole(&body) } else { body }))
}

/// The head of a message, and what follows it.
fn split(message: &[u8]) -> (String, Vec<u8>) {
    let end = message.windows(4).position(|four| four == b"\r\n\r\n").map_or(message.len(), |at| at + 4);
    let (head, body) = message.split_at(end);
    (String::from_utf8_lossy(head).trim_end().to_owned(), body.to_vec())
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// A chunked body as one piece.
fn whole(mut chunked: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = chunked.windows(2).position(|two| two == b"\r\n") {
        let length = std::str::from_utf8(&chunked[..end]).ok().and_then(|hex| usize::from_str_radix(hex, 16).ok());
        let Some(piece) = length.filter(|length| *length > 0).and_then(|length| chunked.get(end + 2..end + 2 + length))
        else {
            break;
        };
        body.extend_from_slice(piece);
        chunked = chunked.get(end + 4 + piece.len()..).unwrap_or_default();
    }
    body
}
