//! The value of one part of one group, in 16 bytes: most numbers are short, and there may be millions of groups.

use super::{Part, chunks::Chunks};
use crate::{number::Number, plan::PartKind, room::Lease, sum::Sum};

/// Bytes of a part that is not short, about: with the doubles of a sum.
const LONG_BYTES: usize = size_of::<Part>() + 64;

/// A part of a group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    /// The mantissa, the bits of a double, or the place of a long part.
    value: i64,
    /// Numbers of a sum.
    count: u32,
    scale: u8,
    form: Form,
}

/// The way in which a cell holds its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// No number, or a sum of none.
    Empty,
    /// A decimal, or a sum of decimals, whose mantissa fits.
    Short,
    /// A double, which is no sum.
    Float,
    Long,
}

impl Cell {
    pub(super) const EMPTY: Self = Self { value: 0, count: 0, scale: 0, form: Form::Empty };

    fn short(mantissa: i128, scale: u32, count: u64) -> Option<Self> {
        let (value, count, scale) = (mantissa.try_into().ok()?, count.try_into().ok()?, scale.try_into().ok()?);
        Some(Self { value, count, scale, form: Form::Short })
    }

    /// The cell of a part, if it is not long.
    fn of(part: &Part) -> Option<Self> {
        match part {
            Part::Sum(sum) => match sum.short()? {
                (_, 0, 0) => Some(Self::EMPTY),
                (mantissa, scale, count) => Self::short(mantissa, scale, count),
            },
            Part::Least(None) | Part::Greatest(None) => Some(Self::EMPTY),
            Part::Least(Some(number)) | Part::Greatest(Some(number)) => match number {
                Number::Decimal { mantissa, scale } => Self::short(*mantissa, *scale, 0),
                Number::Float(value) => {
                    Some(Self { value: value.to_bits().cast_signed(), form: Form::Float, ..Self::EMPTY })
                }
            },
        }
    }

    /// The number in it; none if it is long.
    fn number(self) -> Option<Number> {
        match self.form {
            Form::Short => Some(Number::Decimal { mantissa: self.value.into(), scale: self.scale.into() }),
            Form::Float => Some(Number::Float(f64::from_bits(self.value.cast_unsigned()))),
            Form::Empty | Form::Long => None,
        }
    }

    fn is_short(self, scale: u32) -> bool {
        self.form == Form::Short && u32::from(self.scale) == scale
    }

    /// Adds a number to a sum. Returns false, and adds nothing, unless the sum stays short.
    #[inline]
    fn sum_short(&mut self, mantissa: i128, scale: u32, count: u32) -> bool {
        if self.form != Form::Empty && !self.is_short(scale) {
            return false;
        }
        let value = i64::try_from(mantissa).ok().and_then(|mantissa| self.value.checked_add(mantissa));
        let (Some(value), Some(count)) = (value, self.count.checked_add(count)) else { return false };
        *self = Self { value, count, scale: scale as u8, form: Form::Short };
        true
    }
}

/// Parts that do not fit into cells.
#[derive(Clone, Default)]
pub(super) struct LongParts(Chunks<Part>);

impl LongParts {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds a number to the part in a cell.
    #[inline]
    pub(super) fn add(&mut self, cell: &mut Cell, kind: PartKind, number: Number, lease: &mut Lease) {
        if let Number::Decimal { mantissa, scale } = number {
            let is_done = match kind {
                PartKind::Sum => cell.sum_short(mantissa, scale, 1),
                PartKind::Least => cell.is_short(scale) && i128::from(cell.value) <= mantissa,
                PartKind::Greatest => cell.is_short(scale) && i128::from(cell.value) >= mantissa,
            };
            if is_done {
                return;
            }
        }
        self.add_any(cell, kind, number, lease);
    }

    fn add_any(&mut self, cell: &mut Cell, kind: PartKind, number: Number, lease: &mut Lease) {
        self.change(cell, kind, lease, |part| part.add(number));
    }

    /// Merges another part into that in a cell.
    pub(super) fn merge(&mut self, cell: &mut Cell, kind: PartKind, other: &Part, lease: &mut Lease) {
        self.change(cell, kind, lease, |part| part.merge(other));
    }

    /// Merges a cell of other groups into one of these.
    #[inline]
    pub(super) fn merge_cell(
        &mut self,
        cell: &mut Cell,
        kind: PartKind,
        (others, other): (&Self, Cell),
        lease: &mut Lease,
    ) {
        if other.form == Form::Empty {
            return;
        }
        if cell.form == Form::Empty && other.form != Form::Long {
            *cell = other;
            return;
        }
        let is_short = other.form == Form::Short && kind == PartKind::Sum;
        if is_short && cell.sum_short(other.value.into(), other.scale.into(), other.count) {
            return;
        }
        self.merge(cell, kind, &others.part(other, kind), lease);
    }

    /// The part in a cell.
    pub(super) fn part(&self, cell: Cell, kind: PartKind) -> Part {
        match (cell.form, kind) {
            (Form::Long, _) => self.0.get(cell.value as usize)[0].clone(),
            (_, PartKind::Sum) => Part::Sum(Sum::of_short(cell.value, cell.scale.into(), cell.count.into())),
            (_, PartKind::Least) => Part::Least(cell.number()),
            (_, PartKind::Greatest) => Part::Greatest(cell.number()),
        }
    }

    fn change(&mut self, cell: &mut Cell, kind: PartKind, lease: &mut Lease, change: impl FnOnce(&mut Part)) {
        if cell.form == Form::Long {
            change(&mut self.0.get_mut(cell.value as usize)[0]);
            return;
        }
        let mut part = self.part(*cell, kind);
        change(&mut part);
        *cell = match Cell::of(&part) {
            Some(cell) => cell,
            None => {
                // The next group finds that there is no room.
                lease.take(LONG_BYTES);
                let place = self.0.push([part]) as i64;
                Cell { value: place, form: Form::Long, ..Cell::EMPTY }
            }
        };
    }
}
