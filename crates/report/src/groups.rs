//! Groups and what is known of each: of the rows of a part of a file, of a file, or of all files.

use std::collections::HashMap;

use crate::{
    number::Number,
    plan::{PartKind, PartPlan, Plan},
    sum::Sum,
};

/// Stands between the texts of a key. No text holds it, and it comes before all others, so keys are in the order of their
/// texts.
const BETWEEN: u8 = 0;
/// Most groups: a report by something that is different in every row would take any memory.
pub(crate) const MOST_GROUPS: usize = 4 << 20;

/// Groups by their keys.
pub(crate) struct Groups {
    places: HashMap<Box<[u8]>, u32, foldhash::fast::RandomState>,
    /// Rows of each group.
    rows: Vec<u64>,
    /// The parts of each group, one group behind the other.
    parts: Vec<Part>,
    kinds: Vec<PartKind>,
}

/// Rows on their way to their groups. Where there are many groups, to fetch them from memory is what takes the time, and a
/// processor fetches those of many rows at once if it is asked for them in a row.
#[derive(Default)]
pub(crate) struct Batch {
    /// The keys of all rows, one behind the other.
    keys: Vec<u8>,
    /// Where the key of each row ends.
    ends: Vec<usize>,
    /// The values of the formulas, row by row.
    values: Vec<Option<Number>>,
    /// The places of the groups that were there before.
    places: Vec<Option<u32>>,
}

impl Batch {
    const ROWS: usize = 64;

    /// Adds a value of the row that is being put together.
    #[inline]
    pub(crate) fn push_value(&mut self, value: Option<Number>) {
        self.values.push(value);
    }

    /// Adds a text to the key of that row.
    #[inline]
    pub(crate) fn push_text(&mut self, text: &[u8], is_first: bool) {
        if !is_first {
            self.keys.push(BETWEEN);
        }
        self.keys.extend_from_slice(text);
    }

    /// That row is whole. Whether the batch is full.
    #[inline]
    pub(crate) fn end_row(&mut self) -> bool {
        self.ends.push(self.keys.len());
        self.ends.len() == Self::ROWS
    }

    /// Takes back what was added of a row that is none; each has `values` values.
    pub(crate) fn undo_row(&mut self, values: usize) {
        self.keys.truncate(self.ends.last().copied().unwrap_or(0));
        self.values.truncate(self.ends.len() * values);
    }

    fn clear(&mut self) {
        self.keys.clear();
        self.ends.clear();
        self.values.clear();
    }
}

/// What is kept of the rows of a group for one metric or several.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Sum(Sum),
    Least(Option<Number>),
    Greatest(Option<Number>),
}

/// There are more than [`MOST_GROUPS`].
#[derive(Debug)]
pub(crate) struct TooMany;

impl Groups {
    pub(crate) fn new(plan: &Plan) -> Self {
        let kinds = plan.parts.iter().map(|PartPlan { kind, .. }| *kind).collect();
        Self { places: HashMap::default(), rows: Vec::new(), parts: Vec::new(), kinds }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Adds rows to their groups, and empties the batch.
    pub(crate) fn add(&mut self, plan: &Plan, batch: &mut Batch) -> Result<(), TooMany> {
        let Batch { keys, ends, values, places } = batch;
        let begins = std::iter::once(&0).chain(ends.iter());
        let keys_of_rows = || begins.clone().zip(ends.iter()).map(|(begin, end)| &keys[*begin..*end]);
        places.clear();
        places.extend(keys_of_rows().map(|key| self.places.get(key).copied()));
        for (row, (key, place)) in keys_of_rows().zip(places.iter()).enumerate() {
            let place = match place {
                Some(place) => *place as usize,
                None => self.place(key)?,
            };
            self.rows[place] += 1;
            let values = &values[row * plan.formulas.len()..];
            let parts = &mut self.parts[place * plan.parts.len()..];
            for (part, PartPlan { formula, .. }) in parts.iter_mut().zip(&plan.parts) {
                if let Some(value) = values[*formula] {
                    part.add(value);
                }
            }
        }
        batch.clear();
        Ok(())
    }

    /// Adds what is known of a group elsewhere; `parts` are of this plan.
    pub(crate) fn merge(&mut self, key: &[u8], rows: u64, parts: &[Part]) -> Result<(), TooMany> {
        let place = self.place(key)?;
        self.rows[place] += rows;
        for (part, other) in self.parts[place * parts.len()..].iter_mut().zip(parts) {
            part.merge(other);
        }
        Ok(())
    }

    /// Adds all groups of others of the same plan.
    pub(crate) fn merge_all(&mut self, others: &Self) -> Result<(), TooMany> {
        others.places.iter().try_for_each(|(key, place)| {
            let (rows, parts) = others.at(*place as usize);
            self.merge(key, rows, parts)
        })
    }

    /// The keys in their order, and where their groups are.
    pub(crate) fn sorted(&self) -> Vec<(&[u8], usize)> {
        let mut keys: Vec<_> = self.places.iter().map(|(key, place)| (&**key, *place as usize)).collect();
        keys.sort_unstable();
        keys
    }

    /// The rows and the parts of a group.
    pub(crate) fn at(&self, place: usize) -> (u64, &[Part]) {
        (self.rows[place], &self.parts[place * self.kinds.len()..][..self.kinds.len()])
    }

    #[inline]
    fn place(&mut self, key: &[u8]) -> Result<usize, TooMany> {
        match self.places.get(key) {
            Some(place) => Ok(*place as usize),
            None => self.new_place(key),
        }
    }

    #[cold]
    fn new_place(&mut self, key: &[u8]) -> Result<usize, TooMany> {
        let place = self.rows.len();
        if place == MOST_GROUPS {
            return Err(TooMany);
        }
        // There are fewer than 2^32.
        self.places.insert(key.into(), place as u32);
        self.rows.push(0);
        self.parts.extend(self.kinds.iter().map(|kind| Part::new(*kind)));
        Ok(place)
    }
}

impl Part {
    pub(crate) fn new(kind: PartKind) -> Self {
        match kind {
            PartKind::Sum => Self::Sum(Sum::default()),
            PartKind::Least => Self::Least(None),
            PartKind::Greatest => Self::Greatest(None),
        }
    }

    #[inline]
    fn add(&mut self, value: Number) {
        match self {
            Self::Sum(sum) => sum.add(value),
            Self::Least(least) if least.is_none_or(|least| value.order(least).is_lt()) => *least = Some(value),
            Self::Greatest(most) if most.is_none_or(|most| value.order(most).is_gt()) => *most = Some(value),
            Self::Least(_) | Self::Greatest(_) => {}
        }
    }

    fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Sum(sum), Self::Sum(other)) => sum.merge(other),
            (part, Self::Least(Some(value)) | Self::Greatest(Some(value))) => part.add(*value),
            _ => {}
        }
    }
}

/// The texts of a key, of which there are `count`.
pub(crate) fn texts(key: &[u8], count: usize) -> Vec<String> {
    if count == 0 {
        return Vec::new();
    }
    key.split(|byte| *byte == BETWEEN).map(|text| String::from_utf8_lossy(text).into_owned()).collect()
}

/// The key of these texts; none if they can be no key.
pub(crate) fn key(texts: &[String]) -> Option<Vec<u8>> {
    let is_good = |text: &String| !text.is_empty() && !text.as_bytes().contains(&BETWEEN);
    texts.iter().all(is_good).then(|| texts.join("\0").into_bytes())
}
