//! A CSV file of ours as a Parquet file with the same rows. It is read twice: the first time shows which types its numbers need.
//!
//! It belongs here if it is about the form of the file. What the rows are does not.

mod column;

use std::{
    fs::File,
    io::{BufReader, Seek, Write},
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use csv::{ByteRecord, Reader, ReaderBuilder};
use parquet::{
    basic::Compression,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::types::Type,
};

use column::{Form, Values};

/// Bytes of texts and numbers that are held in memory at a time; a file has a row group for each.
const GROUP_BYTES: usize = 8 << 20;

/// A column of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// The values that a column may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Texts, never null.
    Text,
    /// Integers of 64 bits.
    Count,
    /// Doubles.
    Mean,
    /// Numbers: their digits decide. All integers of 64 bits, or all exact decimals, else doubles.
    Number,
}

/// Writes the rows of `csv`, which has a header.
///
/// # Errors
/// A file cannot be read or written, or `csv` is no CSV with these columns.
pub(super) fn write(csv: &File, columns: &[Column], out: impl Write + Send) -> Result<()> {
    let forms = survey(csv, columns)?;
    let types = columns.iter().zip(&forms).map(|(column, form)| Ok(Arc::new(form.schema(&column.name)?)));
    let schema = Type::group_type_builder("rows").with_fields(types.collect::<Result<_>>()?).build()?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))?;
    let mut values: Vec<Values> = forms.iter().map(Values::new).collect();
    let mut bytes = 0;
    each(csv, columns, |record| {
        for (values, field) in values.iter_mut().zip(record) {
            values.push(field)?;
        }
        // The fixed part of a value is counted, too: many nulls are no bytes of text.
        bytes += record.len() * 16 + record.as_slice().len();
        if bytes >= GROUP_BYTES {
            bytes = 0;
            write_group(&mut writer, &mut values)?;
        }
        Ok(())
    })?;
    if bytes > 0 {
        write_group(&mut writer, &mut values)?;
    }
    writer.close()?;
    Ok(())
}

fn write_group<W: Write + Send>(writer: &mut SerializedFileWriter<W>, values: &mut [Values]) -> Result<()> {
    let mut group = writer.next_row_group()?;
    for values in values {
        let mut column = group.next_column()?.context("the schema has fewer columns")?;
        values.write(&mut column)?;
        column.close()?;
    }
    group.close()?;
    Ok(())
}

/// Finds the form of each column.
fn survey(csv: &File, columns: &[Column]) -> Result<Vec<Form>> {
    let mut numbers = vec![column::Survey::default(); columns.len()];
    each(csv, columns, |record| {
        let fields = numbers.iter_mut().zip(record).zip(columns);
        fields.filter(|(_, column)| column.kind == Kind::Number).for_each(|((number, field), _)| number.see(field));
        Ok(())
    })?;
    Ok(columns.iter().zip(&numbers).map(|(column, number)| Form::of(column.kind, number)).collect())
}

/// Reads the file from its begin.
fn each(csv: &File, columns: &[Column], mut take: impl FnMut(&ByteRecord) -> Result<()>) -> Result<()> {
    let mut file = csv;
    file.rewind()?;
    let mut reader: Reader<_> = ReaderBuilder::new().from_reader(BufReader::new(file));
    let header = reader.byte_headers()?;
    let is_same = header.iter().eq(columns.iter().map(|column| column.name.as_bytes()));
    ensure!(is_same, "the header is not that of the columns");
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record)? {
        take(&record)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
