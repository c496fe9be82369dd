//! Messages of PostgreSQL's protocol, version 3: a letter, a length and a body. The first one of a connection has no letter.

use std::{
    io::{self, Read},
    net::TcpStream,
};

/// Codes in place of a version, by which a client asks for encryption.
const WANTS_ENCRYPTION: [u32; 2] = [80_877_103, 80_877_104];

/// A message.
pub(super) struct Message {
    /// Its letter.
    pub(super) kind: u8,
    /// All of it.
    pub(super) bytes: Vec<u8>,
}

impl Message {
    /// Whether a client waits for an answer after it: a simple query, the end of an extended one, or of a `COPY`.
    pub(super) fn ends_statement(&self) -> bool {
        matches!(self.kind, b'Q' | b'S' | b'c' | b'f' | b'X' | b'd' | b'p')
    }

    /// Whether it ends one that counts: not a piece of a `COPY`, a password or a farewell.
    pub(super) fn counts(&self) -> bool {
        matches!(self.kind, b'Q' | b'S' | b'c')
    }

    /// Whether the server is ready for another statement after it.
    pub(super) fn ends_answer(&self) -> bool {
        matches!(self.kind, b'Z' | b'G')
    }

    /// The texts that its body begins with.
    pub(super) fn texts(&self) -> impl Iterator<Item = String> + '_ {
        self.bytes[5..].split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned())
    }
}

/// Reads the first message of a client. A wish for encryption is refused.
pub(super) fn startup(mut client: &TcpStream) -> io::Result<Vec<u8>> {
    loop {
        let bytes = read_body(client, Vec::new())?;
        let code = bytes.get(4..8).and_then(|code| code.try_into().ok()).map(u32::from_be_bytes);
        if !code.is_some_and(|code| WANTS_ENCRYPTION.contains(&code)) {
            return Ok(bytes);
        }
        io::Write::write_all(&mut client, b"N")?;
    }
}

/// Reads a message.
pub(super) fn read_message(mut from: &TcpStream) -> io::Result<Message> {
    let mut kind = [0];
    from.read_exact(&mut kind)?;
    Ok(Message { kind: kind[0], bytes: read_body(from, kind.to_vec())? })
}

/// Reads a length and so many bytes, itself included.
fn read_body(mut from: &TcpStream, mut bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    bytes.extend_from_slice(&length);
    let rest = u64::from(u32::from_be_bytes(length)).saturating_sub(4);
    let got = from.take(rest).read_to_end(&mut bytes)?;
    if got as u64 == rest { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
