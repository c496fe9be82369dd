//! Rows inserted by `COPY`, which takes half the time of an insert. PostgreSQL's documentation describes its binary format in "COPY".

use std::io::Write;

use diesel::{
    pg::PgConnection,
    result::{Error as DieselError, QueryResult},
};

use crate::database::bulk::{Bulk, Values};

/// Inserts the rows that a function writes in the binary format, and returns how many there were.
pub(crate) type CopyInto = fn(&mut PgConnection, &dyn Fn(&mut dyn Write) -> QueryResult<()>) -> QueryResult<usize>;

/// The [`CopyInto`] of columns of a table, such as `copy_into!(aggr: name, no_of_products)`.
macro_rules! copy_into {
    ($table:ident: $($column:ident),+) => {
        |connection, rows| {
            use diesel::ExecuteCopyFromDsl as _;
            use $crate::database::schema::$table;
            diesel::copy_from($table::table)
                .from_raw_data(($($table::$column),+), rows)
                .with_format(diesel::pg::CopyFormat::Binary)
                .execute(connection)
        }
    };
}
pub(crate) use copy_into;

/// Fewer rows are quicker with a statement that is prepared.
const MIN_ROWS: usize = 64;
/// Bytes that are sent at a time.
const PIECE_BYTES: usize = 64 << 10;
/// The beginning of the binary format: its signature, no flags, and no more of a head.
const HEAD: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// The number of columns that stands for the end.
const END: i16 = -1;
/// The length that stands for null.
const NULL: i32 = -1;

/// Inserts rows, if they are enough for it and their table is written so.
pub(super) fn copy_rows<B: Bulk>(connection: &mut PgConnection, rows: &[B]) -> Option<QueryResult<usize>> {
    let copy_into = B::COPY.filter(|_| rows.len() >= MIN_ROWS)?;
    Some(copy_into(connection, &|out| write_rows(rows, out)))
}

/// Writes rows in pieces, so that the server takes in some while others are written.
fn write_rows<B: Bulk>(rows: &[B], out: &mut dyn Write) -> QueryResult<()> {
    let mut send = |piece: &[u8]| {
        let sent = out.write_all(piece);
        sent.map_err(|error| DieselError::SerializationError(Box::new(error)))
    };
    let mut encoder = Encoder { out: HEAD.to_vec(), columns: 0 };
    for row in rows {
        encoder.row(row)?;
        if encoder.out.len() >= PIECE_BYTES {
            send(&encoder.out)?;
            encoder.out.clear();
        }
    }
    encoder.out.extend_from_slice(&END.to_be_bytes());
    send(&encoder.out)
}

/// Writes rows in the binary format.
struct Encoder {
    out: Vec<u8>,
    /// Columns of the row so far.
    columns: i16,
}

impl Encoder {
    fn row<B: Bulk>(&mut self, row: &B) -> QueryResult<()> {
        let start = self.out.len();
        self.columns = 0;
        self.out.extend_from_slice(&self.columns.to_be_bytes());
        row.push(self)?;
        row.push_shared(self)?;
        let columns = self.columns.to_be_bytes();
        self.out[start..start + columns.len()].copy_from_slice(&columns);
        Ok(())
    }

    /// Writes a value; none is null.
    fn field(&mut self, bytes: Option<&[u8]>) -> QueryResult<()> {
        let length = bytes.map_or(Ok(NULL), |bytes| i32::try_from(bytes.len()));
        let length = length.map_err(|error| DieselError::SerializationError(Box::new(error)))?;
        self.columns += 1;
        self.out.extend_from_slice(&length.to_be_bytes());
        self.out.extend_from_slice(bytes.unwrap_or_default());
        Ok(())
    }
}

impl<'b> Values<'b> for Encoder {
    fn text(&mut self, text: &'b str) -> QueryResult<()> {
        self.field(Some(text.as_bytes()))
    }

    fn optional_text(&mut self, text: Option<&'b str>) -> QueryResult<()> {
        self.field(text.map(str::as_bytes))
    }

    fn number(&mut self, number: &'b i64) -> QueryResult<()> {
        self.field(Some(&number.to_be_bytes()))
    }

    fn optional_number(&mut self, number: &'b Option<i64>) -> QueryResult<()> {
        let number = number.map(i64::to_be_bytes);
        self.field(number.as_ref().map(<[u8; 8]>::as_slice))
    }

    fn flag(&mut self, flag: &'b bool) -> QueryResult<()> {
        self.field(Some(&[u8::from(*flag)]))
    }

    fn bytes(&mut self, bytes: &'b [u8]) -> QueryResult<()> {
        self.field(Some(bytes))
    }
}
