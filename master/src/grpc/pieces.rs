//! Long messages with bytes of a file, cut into short ones while they come. The library holds a message until all of it is there, and its
//! memory until the call ends. What is sent in one message of 64 MiB comes out of here as if it were sent in many.

use std::collections::VecDeque;

use tonic::{Status, codegen::Bytes};

/// Length of a message that needs no room: calls are bounded in number.
pub(super) const FREE_BYTES: usize = 16 << 10;
const HEAD_BYTES: usize = 5;
/// Bytes of a field's tag and length.
const MAX_FIELD_HEAD: usize = 6;
/// Bytes behind the bytes of a file: the length of that.
const MAX_BEHIND: usize = 64;

/// The messages that a method takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Messages {
    /// The tag of the field for bytes of a file, and how many of them a message has that is passed on.
    pub(super) data: Option<(u8, usize)>,
    /// The longest message.
    pub(super) most: usize,
}

/// The place in a stream of messages.
#[derive(Debug)]
pub(super) struct Pieces {
    messages: Messages,
    state: State,
    /// Bytes of a head that is not complete.
    head: Vec<u8>,
    is_granted: bool,
}

#[derive(Debug)]
enum State {
    Head,
    /// In a message that is passed on as it is and lacks so many bytes.
    Whole(usize),
    /// In the begin of a long one, which lacks so many bytes behind its head.
    Field(usize),
    /// In the bytes of a file: those that lack of the piece, behind it, and of the message behind all.
    Data {
        piece: usize,
        field: usize,
        behind: usize,
    },
}

impl Pieces {
    pub(super) fn new(messages: Messages) -> Self {
        Self { messages, state: State::Head, head: Vec::new(), is_granted: false }
    }

    /// Allows the message for which room was asked.
    pub(super) fn grant(&mut self) {
        self.is_granted = true;
    }

    /// Whether a message is not complete.
    pub(super) fn is_inside(&self) -> bool {
        !matches!(self.state, State::Head) || !self.head.is_empty()
    }

    /// Adds what can be passed on of `bytes` to `out`. Returns a length once a message begins that needs room: [`Self::grant`] it.
    ///
    /// # Errors
    /// A message is too long, or is none of this method.
    pub(super) fn take(&mut self, bytes: &mut Bytes, out: &mut VecDeque<Bytes>) -> Result<Option<usize>, Status> {
        loop {
            if matches!(self.state, State::Head) && !self.fill(bytes, HEAD_BYTES) {
                return Ok(None);
            }
            self.state = match self.state {
                State::Head => match self.begin(out)? {
                    Ok(state) => state,
                    Err(length) => return Ok(Some(length)),
                },
                State::Field(left) if self.head.len() < 2 || self.head.last().is_some_and(|byte| *byte > 0x7f) => {
                    let more = self.head.len() + 1;
                    if !self.fill(bytes, more) {
                        return Ok(None);
                    }
                    if more > MAX_FIELD_HEAD {
                        return Err(no_data());
                    }
                    State::Field(left)
                }
                State::Field(left) => self.field(left)?,
                State::Whole(0) | State::Data { piece: 0, field: 0, behind: 0 } => State::Head,
                State::Data { piece: 0, field: 0, behind } => {
                    out.push_back(head(behind, &[]));
                    State::Whole(behind)
                }
                State::Data { piece: 0, field, behind } => {
                    let (tag, most) = self.messages.data.ok_or_else(no_data)?;
                    let piece = field.min(most);
                    let start = [&[tag][..], &varint(piece)].concat();
                    out.push_back(head(start.len() + piece, &start));
                    State::Data { piece, field: field - piece, behind }
                }
                State::Whole(_) | State::Data { .. } if bytes.is_empty() => return Ok(None),
                State::Whole(left) => State::Whole(left - pass(bytes, left, out)),
                State::Data { piece, field, behind } => {
                    State::Data { piece: piece - pass(bytes, piece, out), field, behind }
                }
            };
        }
    }

    /// Moves bytes to the head until it has so many. Returns whether it has.
    fn fill(&mut self, bytes: &mut Bytes, wanted: usize) -> bool {
        let more = bytes.len().min(wanted - self.head.len());
        self.head.extend_from_slice(&bytes.split_to(more));
        self.head.len() == wanted
    }

    /// Judges a message by its head. An `Err` inside is the length of one that needs room.
    fn begin(&mut self, out: &mut VecDeque<Bytes>) -> Result<Result<State, usize>, Status> {
        let length = self.head[1..].iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        let Messages { data, most } = self.messages;
        if length > most {
            return Err(Status::out_of_range(format!("a message has {length} bytes where {most} are the limit")));
        }
        // The flag of a packed message is left to the library, which refuses it.
        let is_cut = data.is_some_and(|(_, piece)| length > piece + MAX_FIELD_HEAD + MAX_BEHIND) && self.head[0] == 0;
        if !is_cut && data.is_none() && length > FREE_BYTES && !std::mem::take(&mut self.is_granted) {
            return Ok(Err(length));
        }
        let head = std::mem::take(&mut self.head);
        if is_cut {
            return Ok(Ok(State::Field(length)));
        }
        out.push_back(head.into());
        Ok(Ok(State::Whole(length)))
    }

    /// Reads the tag and the length of the field.
    fn field(&mut self, left: usize) -> Result<State, Status> {
        let head = std::mem::take(&mut self.head);
        let field = head[1..].iter().rev().fold(0, |length, byte| length << 7 | usize::from(byte & 0x7f));
        let behind = left.checked_sub(head.len() + field).filter(|behind| *behind <= MAX_BEHIND);
        let is_data = self.messages.data.is_some_and(|(tag, _)| tag == head[0]);
        let behind = behind.filter(|_| is_data).ok_or_else(no_data)?;
        Ok(State::Data { piece: 0, field, behind })
    }
}

fn no_data() -> Status {
    Status::invalid_argument("a long message must hold bytes of the file first, and little beside them")
}

fn pass(bytes: &mut Bytes, most: usize, out: &mut VecDeque<Bytes>) -> usize {
    let passed = bytes.split_to(bytes.len().min(most));
    let length = passed.len();
    out.push_back(passed);
    length
}

/// The head of a message of this length, and its first bytes.
fn head(length: usize, start: &[u8]) -> Bytes {
    let length = u32::try_from(length).expect("a piece is short").to_be_bytes();
    [&[0][..], &length, start].concat().into()
}

fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

#[cfg(test)]
mod tests {
    use tributary_grpc::processor::CsvChunk;

    use super::*;

    const MESSAGES: Messages = Messages { data: Some((0x0a, 1_000)), most: 1 << 20 };

    fn chunk(length: usize, file_size_bytes: Option<u64>) -> Vec<u8> {
        let data: Vec<u8> = (0..length).map(|number| (number % 251) as u8).collect();
        let size = file_size_bytes.map(|size| [&[0x10][..], &varint(size as usize)].concat()).unwrap_or_default();
        let body = if length > 0 { [&[0x0a][..], &varint(length), &data].concat() } else { Vec::new() };
        head(body.len() + size.len(), &[body, size].concat()).to_vec()
    }

    /// The messages that come out: their data, and the lengths that they say.
    fn out(text: &[u8], size: usize) -> Result<(Vec<CsvChunk>, bool), Status> {
        let (mut pieces, mut all) = (Pieces::new(MESSAGES), Vec::new());
        for part in text.chunks(size) {
            let (mut bytes, mut out) = (Bytes::copy_from_slice(part), VecDeque::new());
            assert_eq!(pieces.take(&mut bytes, &mut out)?, None);
            all.extend(out.into_iter().flatten());
        }
        let (mut messages, mut rest) = (Vec::new(), &all[..]);
        while let [_, a, b, c, d, behind @ ..] = rest {
            let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            let Some((message, behind)) = behind.split_at_checked(length) else { break };
            messages.push(decoded(message));
            rest = behind;
        }
        Ok((messages, pieces.is_inside()))
    }

    /// Reads a `CsvChunk` by hand, in which the fields may be missing.
    fn decoded(mut message: &[u8]) -> CsvChunk {
        let mut chunk = CsvChunk::default();
        while let [tag, rest @ ..] = message {
            let end = rest.iter().position(|byte| *byte < 0x80).unwrap() + 1;
            let number = rest[..end].iter().rev().fold(0_u64, |number, byte| number << 7 | u64::from(byte & 0x7f));
            let data = if *tag == 0x0a { number as usize } else { 0 };
            match tag {
                0x0a => chunk.data = rest[end..end + data].to_vec().into(),
                _ => chunk.file_size_bytes = Some(number),
            }
            message = &rest[end + data..];
        }
        chunk
    }

    #[test]
    fn long_messages_come_out_as_short_ones_with_the_same_bytes() {
        let lengths = [
            (3, None),
            (0, Some(7)),
            (999, None),
            (200_000, Some(1 << 40)),
            (5_000, None),
            (1_067, None),
            (1_071, None),
            (1, None),
        ];
        let text: Vec<u8> = lengths.iter().flat_map(|(length, size)| chunk(*length, *size)).collect();
        let expect: Vec<u8> =
            lengths.iter().flat_map(|(length, _)| (0..*length).map(|number| (number % 251) as u8)).collect();
        for size in [1, 3, 7, 1_000, 16_384, 1 << 20] {
            let (messages, is_inside) = out(&text, size).unwrap();
            let data: Vec<u8> = messages.iter().flat_map(|chunk| chunk.data.to_vec()).collect();
            assert!(data == expect && !is_inside, "{size}");
            let sizes: Vec<u64> = messages.iter().filter_map(|chunk| chunk.file_size_bytes).collect();
            assert_eq!(sizes, [7, 1 << 40]);
            assert!(messages.iter().all(|chunk| chunk.data.len() <= 1_070));
            assert_eq!(messages.len(), 1 + 1 + 1 + 201 + 5 + 1 + 2 + 1);
        }
        assert!(out(&text[..text.len() - 1], 1_000).unwrap().1, "a part of a message is known for one");
    }

    #[test]
    fn what_is_no_message_of_the_method_is_refused() {
        let code = |text: &[u8]| out(text, 100).unwrap_err().code();
        assert_eq!(code(&head((1 << 20) + 1, &[])), tonic::Code::OutOfRange);
        assert_eq!(code(&head(2_000, &[0x12, 0x01, 0x00])), tonic::Code::InvalidArgument);
        assert_eq!(
            code(&head(2_000, &[0x0a, 0x01, 0x00])),
            tonic::Code::InvalidArgument,
            "much stands behind the data"
        );
        assert_eq!(code(&head(2_000, &[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01])), tonic::Code::InvalidArgument);
        assert_eq!(code(&head(2_000, &[0x0a, 0xff, 0x7f])), tonic::Code::InvalidArgument, "more data than message");
    }

    #[test]
    fn a_message_waits_for_its_room_behind_its_head() {
        let mut pieces = Pieces::new(Messages { data: None, most: 1 << 20 });
        let (mut bytes, mut out) = (Bytes::from([chunk(3, None), chunk(20_000, None)].concat()), VecDeque::new());
        assert_eq!(pieces.take(&mut bytes, &mut out).unwrap(), Some(20_004));
        assert_eq!(out.iter().map(Bytes::len).sum::<usize>(), 10);
        pieces.grant();
        assert_eq!(pieces.take(&mut bytes, &mut out).unwrap(), None);
        assert_eq!((out.iter().map(Bytes::len).sum::<usize>(), pieces.is_inside()), (10 + 20_009, false));
    }
}
