//! Writes the cells of a sheet as CSV.

use std::io::{Read, Seek};

use calamine::XlsxCellReader;

use crate::{MAX_UNPACKED_BYTES, WorkbookError, cell::Cells, parts::too_large};

/// Rows and columns of a sheet in Excel.
const MAX_ROWS: u32 = 1 << 20;
const MAX_COLUMNS: u32 = 1 << 14;

/// The most bytes of a cell: Excel takes 32,767 characters.
pub(crate) const MAX_CELL_BYTES: usize = 128 << 10;

/// Writes all cells, row by row.
pub(crate) fn write<R: Read + Seek>(mut reader: XlsxCellReader<'_, R>) -> Result<Vec<u8>, WorkbookError> {
    let cells = Cells::new(reader.styles());
    let mut csv = Csv::default();
    while let Some((cell, style)) =
        reader.next_cell_with_style_id().map_err(|error| WorkbookError::Damaged(error.to_string()))?
    {
        if let Some(text) = cells.text(cell.get_value(), style) {
            if text.len() > MAX_CELL_BYTES {
                return Err(too_large("bytes in one cell", MAX_CELL_BYTES as u64));
            }
            csv.push(cell.get_position(), &text)?;
        }
    }
    Ok(csv.finish())
}

/// Rows among which the one with the most cells is taken for the header.
const HEAD_ROWS: usize = 30;

/// The CSV so far. A sheet does not say where its table ends on the right, so rows end with their last cell. Those that hold
/// more than a title are filled up to the header, so that what stands above and below the table can be told from it.
#[derive(Default)]
struct Csv {
    out: Vec<u8>,
    /// The row and the column behind the last field.
    next: (u32, u32),
    /// Fields of the current row that are not empty.
    filled: u32,
    /// The first rows, until the width is known: the end in `out`, the fields that are not empty, and all fields.
    head: Vec<(usize, u32, u32)>,
    width: Option<u32>,
}

impl Csv {
    fn push(&mut self, (row, column): (u32, u32), text: &str) -> Result<(), WorkbookError> {
        if row >= MAX_ROWS || column >= MAX_COLUMNS || (row, column) < self.next {
            return Err(WorkbookError::Damaged(format!("a cell is out of place, in row {}", row.saturating_add(1))));
        }
        if row > self.next.0 {
            self.end_row();
        }
        let (last, next) = self.next;
        self.out.extend((last..row).map(|_| b'\r'));
        // Behind a field of the same row, its own comma is still to be written.
        let commas = if row > last || next == 0 { column } else { column - next + 1 };
        self.out.extend((0..commas).map(|_| b','));
        write_field(&mut self.out, text);
        self.next = (row, column + 1);
        self.filled += 1;
        match self.out.len() as u64 > MAX_UNPACKED_BYTES {
            true => Err(too_large("bytes of cells", MAX_UNPACKED_BYTES)),
            false => Ok(()),
        }
    }

    fn end_row(&mut self) {
        let (filled, fields) = (std::mem::take(&mut self.filled), self.next.1);
        match self.width {
            _ if filled == 0 => {}
            Some(width) => fill_up(&mut self.out, width, filled, fields),
            None => {
                self.head.push((self.out.len(), filled, fields));
                if self.head.len() == HEAD_ROWS {
                    self.end_head();
                }
            }
        }
    }

    /// Decides on the width, and fills up the first rows.
    fn end_head(&mut self) {
        let most = self.head.iter().map(|(_, filled, _)| *filled).max();
        let header = self.head.iter().find(|(_, filled, _)| Some(*filled) == most);
        let width = header.map_or(0, |(.., fields)| *fields);
        let (mut filled_up, mut start) = (Vec::new(), 0);
        for (end, filled, fields) in self.head.drain(..) {
            filled_up.extend_from_slice(&self.out[start..end]);
            fill_up(&mut filled_up, width, filled, fields);
            start = end;
        }
        self.out = filled_up;
        self.width = Some(width);
    }

    /// Ends the text. It is held as long as the file is read, so it takes no more room than it needs.
    fn finish(mut self) -> Vec<u8> {
        self.end_row();
        if self.width.is_none() {
            self.end_head();
        }
        if !self.out.is_empty() {
            self.out.push(b'\r');
        }
        self.out.shrink_to_fit();
        self.out
    }
}

/// Appends empty fields to a row, unless it may be a title.
fn fill_up(out: &mut Vec<u8>, width: u32, filled: u32, fields: u32) {
    if filled > 1 {
        out.extend((fields..width).map(|_| b','));
    }
}

/// Writes a field. Only where it must is it quoted: a setting such as `null` sees no cell in quotes.
fn write_field(out: &mut Vec<u8>, text: &str) {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let is_blank = |letter: char| letter.is_whitespace() || letter == '\u{feff}';
    if text.contains(['"', ',', '\n']) || text.starts_with(is_blank) || text.ends_with(is_blank) {
        out.push(b'"');
        out.extend(text.replace('"', "\"\"").bytes());
        out.push(b'"');
    } else {
        out.extend(text.bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_of_the_sheet_is_a_line() {
        let mut csv = Csv::default();
        for (position, text) in
            [((1, 1), "b2"), ((1, 2), "c,2"), ((3, 0), "two\r\nlines"), ((3, 3), " d "), ((4, 0), "say \"x\"")]
        {
            csv.push(position, text).unwrap();
        }
        let expect = "\r,b2,\"c,2\"\r\r\"two\nlines\",,,\" d \"\r\"say \"\"x\"\"\"\r";
        assert_eq!(String::from_utf8(csv.finish()).unwrap(), expect);
        assert!(Csv::default().finish().is_empty());
    }

    #[test]
    fn rows_of_the_table_are_as_wide_as_its_header() {
        for rows in [1, HEAD_ROWS as u32 - 2, HEAD_ROWS as u32 + 5] {
            let mut csv = Csv::default();
            csv.push((0, 0), "Price list").unwrap();
            (0..4).for_each(|column| csv.push((2, column), "name").unwrap());
            for row in 3..3 + rows {
                csv.push((row, 0), "a").unwrap();
                csv.push((row, 1), "b").unwrap();
            }
            let expect = format!("Price list\r\rname,name,name,name\r{}", "a,b,,\r".repeat(rows as usize));
            assert_eq!(String::from_utf8(csv.finish()).unwrap(), expect);
        }
    }

    #[test]
    fn cells_out_of_place_are_an_error() {
        let check = |positions: &[(u32, u32)]| {
            let mut csv = Csv::default();
            let result = positions.iter().try_for_each(|position| csv.push(*position, "x"));
            assert!(matches!(result, Err(WorkbookError::Damaged(_))), "{positions:?}");
        };
        check(&[(1 << 20, 0)]);
        check(&[(0, 1 << 14)]);
        check(&[(u32::MAX, u32::MAX)]);
        check(&[(0, 0), (0, 0)]);
        check(&[(1, 0), (0, 5)]);
    }
}
