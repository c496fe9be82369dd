//! The texts of many keys, one behind the other.

/// Bytes of a page. A longer key has one of its own.
const PAGE_BITS: u32 = 16;

/// Keys in pages, which stay where they are while more are added.
#[derive(Clone, Default)]
pub(super) struct Keys {
    pages: Vec<Vec<u8>>,
    bytes: usize,
}

/// The place of a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyPlace {
    /// The page, and the offset in it.
    at: u32,
    length: u32,
}

impl Keys {
    /// Bytes of all keys.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn clear(&mut self) {
        self.pages.clear();
        self.bytes = 0;
    }

    /// Adds a key. Of two pages that follow each other, the keys fill at least one, so there are never 2^16 of them.
    pub(super) fn push(&mut self, key: &[u8]) -> KeyPlace {
        let has_room = |page: &Vec<u8>| page.len() + key.len() <= 1 << PAGE_BITS;
        if !self.pages.last().is_some_and(has_room) {
            self.pages.push(Vec::new());
        }
        let number = self.pages.len() - 1;
        let page = &mut self.pages[number];
        let at = (number << PAGE_BITS | page.len()) as u32;
        page.extend_from_slice(key);
        self.bytes += key.len();
        KeyPlace { at, length: key.len() as u32 }
    }

    #[inline]
    pub(super) fn get(&self, KeyPlace { at, length }: KeyPlace) -> &[u8] {
        let page = &self.pages[(at >> PAGE_BITS) as usize];
        &page[(at & ((1 << PAGE_BITS) - 1)) as usize..][..length as usize]
    }
}
