//! Compares the body of a response with the `Content-Digest` that its sender made of it, if it did.

use reqwest::Response;
use tributary_protocol::{BodyDigest, CONTENT_DIGEST};

use crate::{Error, error::public};

/// The digest that a response announces, and that of the part of its body that has arrived. Only of a body that is not unpacked on the way:
/// the digest is of the bytes as they are sent.
#[derive(Debug)]
pub struct AnnouncedDigest {
    url: String,
    /// Nothing to compare without an announcement.
    announced: Option<(String, BodyDigest)>,
}

impl AnnouncedDigest {
    /// Remembers what the head of a response announces.
    #[must_use]
    pub fn of(response: &Response) -> Self {
        let header = response.headers().get(CONTENT_DIGEST).and_then(|value| value.to_str().ok());
        let announced = header.map(|header| (header.to_owned(), BodyDigest::default()));
        Self { url: public(response.url()), announced }
    }

    /// Adds the next piece of the body.
    pub fn update(&mut self, piece: &[u8]) {
        if let Some((_, digest)) = &mut self.announced {
            digest.update(piece);
        }
    }

    /// Compares the whole body.
    ///
    /// # Errors
    /// It is not the one that was announced.
    pub fn check(self) -> Result<(), Error> {
        match self.announced {
            Some((header, digest)) if !digest.is(&header) => Err(Error::Altered { url: self.url }),
            _ => Ok(()),
        }
    }
}
