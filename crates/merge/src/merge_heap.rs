//! Binary heap for merging sorted inputs. It holds only the numbers of the inputs. Their items stay with the caller, who
//! passes the comparison to each call.

/// Numbers of the inputs that have items left. The input with the least item comes first.
#[derive(Debug, Default)]
pub(crate) struct MergeHeap(Vec<usize>);

impl MergeHeap {
    /// Builds a heap of `inputs`. Each must have an item.
    pub(crate) fn new(inputs: Vec<usize>, less: impl Fn(usize, usize) -> bool) -> Self {
        let mut heap = Self(inputs);
        for slot in (0..heap.0.len() / 2).rev() {
            heap.sift_down(slot, &less);
        }
        heap
    }

    /// The input with the least item.
    pub(crate) fn first(&self) -> Option<usize> {
        self.0.first().copied()
    }

    /// The input with the second least item: one of the two children of the first.
    pub(crate) fn second(&self, less: impl Fn(usize, usize) -> bool) -> Option<usize> {
        match self.0.get(1..)? {
            [] => None,
            [one] => Some(*one),
            [one, other, ..] => Some(if less(*other, *one) { *other } else { *one }),
        }
    }

    /// Restores the order after the first input has advanced. An input that has `ended` leaves the heap.
    pub(crate) fn first_advanced(&mut self, ended: bool, less: impl Fn(usize, usize) -> bool) {
        if ended && !self.0.is_empty() {
            self.0.swap_remove(0);
        }
        self.sift_down(0, &less);
    }

    fn sift_down(&mut self, mut slot: usize, less: &impl Fn(usize, usize) -> bool) {
        loop {
            let mut least = slot;
            for child in [2 * slot + 1, 2 * slot + 2] {
                if child < self.0.len() && less(self.0[child], self.0[least]) {
                    least = child;
                }
            }
            if least == slot {
                return;
            }
            self.0.swap(slot, least);
            slot = least;
        }
    }
}
