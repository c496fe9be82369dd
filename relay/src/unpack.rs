//! Unpacks a body while it is sent, so that what a few packed bytes hold is never in memory as a whole.

use std::{
    io::{self, Read},
    sync::{Arc, OnceLock},
};

use bytes::{Buf, Bytes};
use flate2::read::MultiGzDecoder;
use futures_util::{Stream, stream};
use tokio::sync::mpsc;

/// Most bytes that a body may unpack to.
const MAX_UNPACKED_BYTES: u64 = 1 << 30;
/// Bytes in a piece of the unpacked body.
const PIECE_BYTES: usize = 64 << 10;
/// Pieces that wait to be sent.
const MAX_PIECES: usize = 2;

/// Packing of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zstd,
}

/// The reason why a body cannot be unpacked; empty while it can.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fault(Arc<OnceLock<String>>);

impl Fault {
    pub(crate) fn get(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}

/// Unpacks a body on a thread of its own. The last item is an error if it cannot be unpacked, and `fault` says why.
pub(crate) fn unpacked(body: Bytes, packing: Packing, fault: Fault) -> impl Stream<Item = io::Result<Bytes>> {
    let (sender, receiver) = mpsc::channel(MAX_PIECES);
    tokio::task::spawn_blocking(move || {
        let mut take = |piece| sender.blocking_send(Ok(piece)).is_ok();
        if let Err(error) = unpack(body, packing, &mut take) {
            let _ = fault.0.set(format!("its body cannot be unpacked: {error}"));
            let _ = sender.blocking_send(Err(error));
        }
    });
    stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) })
}

/// Passes the pieces of a body to `take` until it returns false.
fn unpack(body: Bytes, packing: Packing, take: &mut dyn FnMut(Bytes) -> bool) -> io::Result<()> {
    let reader: Box<dyn Read> = match packing {
        Packing::Gzip => Box::new(MultiGzDecoder::new(body.reader())),
        Packing::Zstd => Box::new(zstd::stream::read::Decoder::new(body.reader())?),
    };
    let mut reader = reader.take(MAX_UNPACKED_BYTES + 1);
    let mut unpacked = 0;
    loop {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        let read = reader.by_ref().take(PIECE_BYTES as u64).read_to_end(&mut piece)? as u64;
        unpacked += read;
        if unpacked > MAX_UNPACKED_BYTES {
            return Err(io::Error::other(format!("it holds more than {MAX_UNPACKED_BYTES} bytes")));
        }
        if read == 0 || !take(piece.into()) {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn all(body: &[u8], packing: Packing) -> io::Result<Vec<u8>> {
        let mut whole = Vec::new();
        let mut take = |piece: Bytes| {
            whole.extend_from_slice(&piece);
            true
        };
        unpack(Bytes::copy_from_slice(body), packing, &mut take)?;
        Ok(whole)
    }

    #[test]
    fn a_packed_body_is_unpacked_in_pieces() {
        let text = "sku,name\n".repeat(50_000).into_bytes();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&text).unwrap();
        assert_eq!(all(&gzip.finish().unwrap(), Packing::Gzip).unwrap(), text);
        let zstd = zstd::encode_all(text.as_slice(), 1).unwrap();
        assert_eq!(all(&zstd, Packing::Zstd).unwrap(), text);
        all(&zstd[..zstd.len() - 3], Packing::Zstd).unwrap_err();
        all(b"sku,name\n", Packing::Gzip).unwrap_err();
    }
}
