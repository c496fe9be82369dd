//! Sales of a department per day, about 32 bytes per row.

use std::array;

use chrono::{Days, NaiveDate};

use crate::{
    buffer::RowBuffer,
    random::{GroupPicker, Random, scaled},
    shape::Shape,
    words::put_name,
};

/// Sales per department and day: `Department Name,Date,Number of Sales`. Names are unique and have several words;
/// departments come in no order and differ in how much they sell; the number is an integer of at least 0.
pub struct Sales {
    random: Random,
    departments: GroupPicker,
    dates: Dates,
}

impl Sales {
    /// Sales of this many departments. The same `seed` gives the same bytes.
    #[must_use]
    pub fn new(departments: u32, seed: u64) -> Self {
        let mut random = Random(seed);
        Self { departments: GroupPicker::new(departments, &mut random), random, dates: Dates::new() }
    }
}

impl Shape for Sales {
    fn header(&self) -> String {
        "Department Name,Date,Number of Sales".to_owned()
    }

    #[inline]
    fn put(&mut self, row: u64, buffer: &mut RowBuffer) {
        let bits = self.random.next();
        let department = self.departments.pick(row, bits);
        put_name(buffer, department);
        buffer.put_byte(b',');
        self.dates.put(buffer, bits >> 32);
        buffer.put_byte(b',');
        // The number of a department decides how much it sells at most.
        let best = 1_000 + 150 * (department.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58);
        buffer.put_number(scaled(self.random.next(), best));
        buffer.put_byte(b'\n');
    }
}

/// All days that occur, formatted once.
pub(crate) struct Dates([[u8; 10]; Dates::COUNT]);

impl Dates {
    /// Three years.
    const COUNT: usize = 1_096;
    /// The first day.
    const FIRST: NaiveDate = NaiveDate::from_ymd_opt(2023, 1, 1).expect("1 January exists");

    pub(crate) fn new() -> Self {
        Self(array::from_fn(|day| {
            let text = (Self::FIRST + Days::new(day as u64)).to_string();
            array::from_fn(|at| text.as_bytes()[at])
        }))
    }

    /// Appends the day that 32 random bits choose, as YYYY-MM-DD.
    #[inline]
    pub(crate) fn put(&self, buffer: &mut RowBuffer, bits: u64) {
        buffer.put(&self.0[scaled(bits, Self::COUNT as u64) as usize]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::tests::{bytes, distinct, records};

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
        let first = bytes(Sales::new(500, 1), 2_000);
        assert_eq!(first, bytes(Sales::new(500, 1), 2_000));
        assert_ne!(first, bytes(Sales::new(500, 2), 2_000));
        assert!(bytes(Sales::new(500, 1), 3_000).starts_with(&first), "more rows start with the same bytes");
    }

    #[test]
    fn the_numbers_of_rows_and_departments_are_exact() {
        for (rows, departments, expect) in [(0, 500, 0), (3, 500, 3), (5_000, 500, 500), (90_000, 80_000, 80_000)] {
            let records = records(&bytes(Sales::new(departments, 7), rows));
            assert_eq!((records.len(), distinct(&records, 0)), (rows as usize, expect));
        }
    }

    #[test]
    fn each_row_has_a_name_a_day_and_a_number() {
        let file = bytes(Sales::new(500, 1), 100_000);
        let records = records(&file);
        for record in &records {
            assert_eq!((record.len(), record[0].split(' ').count()), (3, 3));
            assert!(record[1].parse::<NaiveDate>().unwrap() >= Dates::FIRST);
            assert!(record[2].parse::<u64>().unwrap() < 11_000);
        }
        assert_eq!(distinct(&records, 1), Dates::COUNT);
        assert!((30..35).contains(&(file.len() / 100_000)), "{} bytes", file.len());
    }
}
