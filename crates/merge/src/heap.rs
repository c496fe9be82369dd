//! A binary heap of sorted inputs: which of them has the least current item. The items stay with the inputs, so the
//! comparison is handed in with every call.

/// Numbers of inputs that have not ended, the one with the least item first.
#[derive(Debug, Default)]
pub(crate) struct Heap(Vec<usize>);

impl Heap {
    /// A heap of `inputs`, each of which has an item.
    pub(crate) fn new(inputs: Vec<usize>, less: impl Fn(usize, usize) -> bool) -> Self {
        let mut heap = Self(inputs);
        for place in (0..heap.0.len() / 2).rev() {
            heap.sink(place, &less);
        }
        heap
    }

    /// The input with the least item.
    pub(crate) fn first(&self) -> Option<usize> {
        self.0.first().copied()
    }

    /// The input with the second least item, which stands right below the first.
    pub(crate) fn second(&self, less: impl Fn(usize, usize) -> bool) -> Option<usize> {
        match self.0.get(1..)? {
            [] => None,
            [one] => Some(*one),
            [one, other, ..] => Some(if less(*other, *one) { *other } else { *one }),
        }
    }

    /// Puts the first input to its place after it has gone on to its next item, or out if it has `ended`.
    pub(crate) fn moved(&mut self, ended: bool, less: impl Fn(usize, usize) -> bool) {
        if ended && !self.0.is_empty() {
            self.0.swap_remove(0);
        }
        self.sink(0, &less);
    }

    fn sink(&mut self, mut place: usize, less: &impl Fn(usize, usize) -> bool) {
        loop {
            let mut least = place;
            for child in [2 * place + 1, 2 * place + 2] {
                if child < self.0.len() && less(self.0[child], self.0[least]) {
                    least = child;
                }
            }
            if least == place {
                return;
            }
            self.0.swap(place, least);
            place = least;
        }
    }
}
