//! Rows of items that stay where they are while more are added: one vector would take twice its memory, and once more while it grows.

/// Rows that lie behind each other.
const CHUNK_ROWS: usize = 64;

/// Rows of `width` items each.
#[derive(Clone)]
pub(super) struct Chunks<T> {
    chunks: Vec<Vec<T>>,
    width: usize,
    rows: usize,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self::new(1)
    }
}

impl<T> Chunks<T> {
    pub(super) fn new(width: usize) -> Self {
        Self { chunks: Vec::new(), width, rows: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.rows
    }

    pub(super) fn clear(&mut self) {
        self.chunks.clear();
        self.rows = 0;
    }

    /// Adds a row of as many items as a row has, and returns its place.
    pub(super) fn push(&mut self, row: impl IntoIterator<Item = T>) -> usize {
        if self.rows.is_multiple_of(CHUNK_ROWS) {
            self.chunks.push(Vec::new());
        }
        let place = self.rows;
        self.chunks[place / CHUNK_ROWS].extend(row);
        self.rows += 1;
        place
    }

    #[inline]
    pub(super) fn get(&self, row: usize) -> &[T] {
        &self.chunks[row / CHUNK_ROWS][row % CHUNK_ROWS * self.width..][..self.width]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, row: usize) -> &mut [T] {
        &mut self.chunks[row / CHUNK_ROWS][row % CHUNK_ROWS * self.width..][..self.width]
    }
}
