//! Connections that do not speak as clients do: none of HTTP/2, half of it, or frames that only cost.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use super::super::clients::at_once;

const GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The time within which a connection without a whole greeting must be closed.
const MAX_SILENCE: Duration = Duration::from_secs(60);

/// A frame of this kind.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a frame is short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn connect(address: &str, bytes: &[u8]) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address).context("failed to connect")?;
    stream.set_read_timeout(Some(MAX_SILENCE))?;
    stream.set_write_timeout(Some(Duration::from_secs(5)))?;
    // Who is attacked may have hung up.
    let _ = stream.write_all(bytes);
    Ok(stream)
}

/// Reads until the server hangs up.
fn closed(mut stream: TcpStream) -> Result<()> {
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) => {
                let is_waiting = [std::io::ErrorKind::WouldBlock, std::io::ErrorKind::TimedOut].contains(&error.kind());
                ensure!(!is_waiting, "a connection without a greeting is still open");
                return Ok(());
            }
        }
    }
}

pub(super) async fn connections(address: String) -> Result<String> {
    tokio::task::spawn_blocking(move || {
        let begins = [&b""[..], &GREETING[..12], &GREETING[..23], b"\x16\x03\x01"];
        let silent = (0..500).map(|number| connect(&address, begins[number % 4])).collect::<Result<Vec<_>>>()?;
        for number in 0..2_500 {
            let begin = [GREETING, &GREETING[..number % 24]][number % 2];
            drop(connect(&address, begin)?);
        }
        let count = silent.len();
        silent.into_iter().try_for_each(closed)?;
        Ok(format!("{count} were closed"))
    })
    .await?
}

/// Writes a piece again and again for a while, and takes no answer.
fn flood(address: &str, begin: &[u8], piece: &[u8]) -> Result<()> {
    let mut stream = connect(address, &[GREETING, &frame(4, 0, 0, &[]), begin].concat())?;
    let piece = piece.repeat((64 << 10) / piece.len() + 1);
    for _ in 0..500 {
        if stream.write_all(&piece).is_err() {
            break;
        }
    }
    Ok(())
}

pub(super) async fn noise(address: String) -> Result<String> {
    tokio::task::spawn_blocking(move || {
        let noise: Vec<u8> = (0..200_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let http = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n";
        at_once(100, |number| match number % 3 {
            0 => closed(connect(&address, &noise)?),
            1 => closed(connect(&address, http)?),
            _ => closed(connect(&address, &[GREETING, &noise].concat())?),
        })?;
        // `:method POST`, `:scheme http`, `:path /`, and nothing that ends the head.
        let open_head = frame(1, 0, 1, &[0x83, 0x86, 0x84]);
        let call = frame(1, 4, 1, &[0x83, 0x86, 0x84]);
        let floods: [(&[u8], Vec<u8>); 8] = [
            (b"", frame(6, 0, 0, &[0; 8])),
            (b"", frame(4, 0, 0, &[0, 3, 0, 0, 0, 100])),
            (b"", frame(8, 0, 0, &[0, 0, 0, 1])),
            (b"", frame(2, 0, 3, &[0, 0, 0, 0, 16])),
            (b"", frame(0xee, 0, 0, &[0; 100])),
            (&open_head, frame(9, 0, 1, b"\x00\x01a\x01b")),
            (&call, frame(0, 0, 1, b"")),
            (&call, frame(0, 0, 1, b"x")),
        ];
        at_once(64, |number| {
            let (begin, piece) = &floods[number % floods.len()];
            flood(&address, begin, piece)
        })?;
        Ok(String::new())
    })
    .await?
}
