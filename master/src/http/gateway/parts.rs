//! The parts of a form, from a client that sends them in time.

use actix_multipart::{Field, Multipart};
use actix_web::{
    http::StatusCode,
    web::{Bytes, BytesMut},
};
use futures_util::StreamExt;
use tributary_pace::{Pace, TooSlow};

use super::refusal::Refusal;

/// Bytes of a file that are added up at a time. Fewer cost more changes of threads.
const STEP_BYTES: usize = 256 << 10;
/// Longest text of a field.
const MAX_TEXT_BYTES: usize = 64 << 10;

/// A form that is being read.
pub(super) struct Parts {
    form: Multipart,
    pace: Pace,
    /// Whether the last piece of the part has come. It must not be asked for more.
    is_over: bool,
}

impl Parts {
    pub(super) fn new(form: Multipart, pace: Pace) -> Self {
        Self { form, pace, is_over: true }
    }

    /// The next part; None behind the last one of a whole form.
    pub(super) async fn next(&mut self) -> Result<Option<Field>, Refusal> {
        let next = self.pace.wait(self.form.next(), |_| 0).await.map_err(too_slow)?;
        self.is_over = false;
        next.transpose().map_err(|_| broken())
    }

    /// The next bytes of a part, as many as are worth a step; None behind the last.
    pub(super) async fn step(&mut self, field: &mut Field) -> Result<Option<Bytes>, Refusal> {
        let mut step = BytesMut::new();
        while step.len() < STEP_BYTES {
            match self.piece(field).await? {
                Some(piece) if step.is_empty() && piece.len() >= STEP_BYTES => return Ok(Some(piece)),
                Some(piece) => step.extend_from_slice(&piece),
                None => break,
            }
        }
        Ok(Some(step.freeze()).filter(|step| !step.is_empty()))
    }

    /// The text of a part.
    pub(super) async fn text(&mut self, field: &mut Field) -> Result<String, Refusal> {
        let mut text = Vec::new();
        while let Some(piece) = self.piece(field).await? {
            text.extend_from_slice(&piece);
            if text.len() > MAX_TEXT_BYTES {
                let detail = format!("A field of the form is longer than {MAX_TEXT_BYTES} bytes.");
                return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
            }
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Reads a part, and forgets it.
    pub(super) async fn skip(&mut self, field: &mut Field) -> Result<(), Refusal> {
        while self.piece(field).await?.is_some() {}
        Ok(())
    }

    async fn piece(&mut self, field: &mut Field) -> Result<Option<Bytes>, Refusal> {
        let length = |piece: &Option<Result<Bytes, _>>| piece.iter().flatten().map(|piece| piece.len() as u64).sum();
        if self.is_over {
            return Ok(None);
        }
        let piece = self.pace.wait(field.next(), length).await.map_err(too_slow)?;
        self.is_over = piece.is_none();
        piece.transpose().map_err(|_| broken())
    }
}

fn too_slow(slow: TooSlow) -> Refusal {
    Refusal::new(StatusCode::REQUEST_TIMEOUT, format!("The file comes too slowly: {slow}."))
}

pub(super) fn broken() -> Refusal {
    Refusal::bad("Invalid form data or missing 'file' part.")
}
