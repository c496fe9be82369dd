//! The messages that were read and are not confirmed yet, in order. It knows no broker.

use std::{collections::VecDeque, time::Instant};

use tributary_amqp::Message;

/// Most messages that are unconfirmed at a time. The broker writes them to disk together.
const MAX_MESSAGES: usize = 500;
/// Most bytes that are unconfirmed at a time, all of which are held in memory.
const MAX_BYTES: usize = 32 << 20;

/// The part of all messages from the first unconfirmed one on. After a lost connection all of it is sent again, also what was confirmed out of
/// order: every connection then carries the messages without a gap, so that their order holds for a receiver that skips repeats.
#[derive(Debug)]
pub(super) struct Window {
    entries: VecDeque<Entry>,
    /// Number of the first entry. Numbers count the messages of the run.
    first: u64,
    /// Entries that were sent over the present connection.
    sent: usize,
    bytes: usize,
    confirmed: u64,
    confirmed_at: Instant,
}

#[derive(Debug)]
struct Entry {
    file: usize,
    message: Message,
    is_confirmed: bool,
}

/// A message that was confirmed for the first time.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FirstConfirm {
    /// The place of its file in the list of all.
    pub(super) file: usize,
    /// The length of its body.
    pub(super) bytes: u64,
}

impl Window {
    pub(super) fn new() -> Self {
        let confirmed_at = Instant::now();
        Self { entries: VecDeque::new(), first: 0, sent: 0, bytes: 0, confirmed: 0, confirmed_at }
    }

    /// Whether a message of this length may join. One that is alone always may.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.entries.is_empty() || (self.entries.len() < MAX_MESSAGES && self.bytes + bytes <= MAX_BYTES)
    }

    pub(super) fn push(&mut self, file: usize, message: Message) {
        self.bytes += message.body.len();
        self.entries.push_back(Entry { file, message, is_confirmed: false });
    }

    /// The next message to send over the present connection, with its number.
    pub(super) fn unsent(&self) -> Option<(u64, &Message)> {
        let entry = self.entries.get(self.sent)?;
        Some((self.first + self.sent as u64, &entry.message))
    }

    /// Notes that [`Window::unsent`] was sent.
    pub(super) fn mark_sent(&mut self) {
        self.sent += 1;
    }

    /// Begins again with the first unconfirmed message, over another connection.
    pub(super) fn restart(&mut self) {
        self.sent = 0;
    }

    /// Notes a confirmation. Returns the message if it is the first one for it.
    pub(super) fn confirm(&mut self, number: u64) -> Option<FirstConfirm> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let entry = self.entries.get_mut(place)?;
        let is_first = !std::mem::replace(&mut entry.is_confirmed, true);
        let confirm = FirstConfirm { file: entry.file, bytes: entry.message.body.len() as u64 };
        while self.sent > 0 && self.entries.front().is_some_and(|entry| entry.is_confirmed) {
            let gone = self.entries.pop_front();
            self.bytes -= gone.map_or(0, |entry| entry.message.body.len());
            self.first += 1;
            self.sent -= 1;
        }
        if !is_first {
            return None;
        }
        self.confirmed += 1;
        self.confirmed_at = Instant::now();
        Some(confirm)
    }

    /// The number of messages that are confirmed.
    pub(super) fn confirmed(&self) -> u64 {
        self.confirmed
    }

    /// The time of the last confirmation, or of the start.
    pub(super) fn confirmed_at(&self) -> Instant {
        self.confirmed_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: usize) -> Message {
        Message { body: vec![0; bytes], ..Message::default() }
    }

    fn send_all(window: &mut Window) -> Vec<u64> {
        let mut numbers = Vec::new();
        while let Some((number, _)) = window.unsent() {
            numbers.push(number);
            window.mark_sent();
        }
        numbers
    }

    #[test]
    fn it_is_bounded_in_messages_and_bytes() {
        let mut window = Window::new();
        assert!(window.has_room(MAX_BYTES + 1), "a message that is alone");
        (0..MAX_MESSAGES - 1).for_each(|_| window.push(0, message(1)));
        assert!(window.has_room(1));
        window.push(0, message(1));
        assert!(!window.has_room(1));
        let mut window = Window::new();
        window.push(0, message(MAX_BYTES - 1));
        assert!(window.has_room(1) && !window.has_room(2));
        window.mark_sent();
        window.confirm(0);
        assert!(window.has_room(2));
    }

    #[test]
    fn a_new_connection_begins_with_the_first_unconfirmed_message() {
        let mut window = Window::new();
        (0..5).for_each(|file| window.push(file, message(file)));
        assert_eq!(send_all(&mut window), [0, 1, 2, 3, 4]);
        assert_eq!(window.confirm(0), Some(FirstConfirm { file: 0, bytes: 0 }));
        assert_eq!(window.confirm(2), Some(FirstConfirm { file: 2, bytes: 2 }));
        assert_eq!(window.confirm(2), None);
        window.restart();
        assert_eq!(send_all(&mut window), [1, 2, 3, 4], "2 too, so that there is no gap");
        assert_eq!(window.confirmed(), 2);
        assert_eq!(window.confirm(1), Some(FirstConfirm { file: 1, bytes: 1 }));
        assert_eq!((window.confirm(2), window.confirm(1)), (None, None), "they have gone");
        (3..5).for_each(|number| assert!(window.confirm(number).is_some()));
        assert_eq!((window.confirmed(), window.unsent().is_none(), window.bytes), (5, true, 0));
    }

    #[test]
    fn what_is_confirmed_and_not_sent_again_yet_stays() {
        let mut window = Window::new();
        (0..3).for_each(|file| window.push(file, message(1)));
        send_all(&mut window);
        window.confirm(1);
        window.restart();
        window.mark_sent();
        window.confirm(0);
        assert_eq!(send_all(&mut window), [1, 2]);
    }
}
