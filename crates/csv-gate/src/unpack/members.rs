//! Reads a gzip archive of several members as one file. Unlike `MultiGzDecoder` of flate2 it ignores zero bytes behind a
//! member, with which tapes and some object stores fill up a block.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// The unpacked bytes of all members.
pub(super) struct Members<B> {
    /// The current member. It is taken out only to begin the next one.
    member: Option<GzDecoder<B>>,
    ended: bool,
}

impl<B: BufRead> Members<B> {
    pub(super) fn new(packed: B) -> Self {
        Self { member: Some(GzDecoder::new(packed)), ended: false }
    }

    pub(super) fn get_ref(&self) -> &B {
        self.member.as_ref().expect("the next member is put in at once").get_ref()
    }

    /// Begins the next member, if there is one.
    fn next_member(&mut self) -> io::Result<()> {
        let mut packed = self.member.take().expect("the next member is put in at once").into_inner();
        let more = skip_zeros(&mut packed);
        self.member = Some(GzDecoder::new(packed));
        self.ended = !more?;
        Ok(())
    }
}

impl<B: BufRead> Read for Members<B> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.ended {
            let read = self.member.as_mut().expect("the next member is put in at once").read(out);
            // What comes behind a corrupt member is no member.
            self.ended = read.is_err();
            let read = read?;
            if read > 0 || out.is_empty() {
                return Ok(read);
            }
            self.next_member()?;
        }
        Ok(0)
    }
}

/// Skips zero bytes, and returns whether others follow.
fn skip_zeros(packed: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let held = packed.fill_buf()?;
        let (len, zeros) = (held.len(), held.iter().take_while(|byte| **byte == 0).count());
        packed.consume(zeros);
        if zeros < len || len == 0 {
            return Ok(len > 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Write};

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn zeros_behind_members_are_ignored() {
        let check = |packed: &[&[u8]], expect: Option<&str>| {
            let packed = packed.concat();
            let mut text = String::new();
            let buffer = BufReader::with_capacity(7, &packed[..]);
            let result = Members::new(buffer).read_to_string(&mut text);
            assert_eq!(result.ok().map(|_| &*text), expect, "{packed:?}");
        };
        let (one, two) = (gzip(b"one"), gzip(b"two"));
        check(&[&one], Some("one"));
        check(&[&one, &two], Some("onetwo"));
        check(&[&one, &gzip(b""), &two], Some("onetwo"));
        check(&[&one, &[0; 512]], Some("one"));
        check(&[&one, &[0; 3], &two, &[0]], Some("onetwo"));
        check(&[&one, b"junk"], None);
        check(&[&one, &[0; 20], b"junk"], None);
        check(&[&one[..one.len() - 1]], None);
        check(&[&one, &two[..two.len() - 1]], None);
        check(&[&one, &two[..5]], None);
    }
}
