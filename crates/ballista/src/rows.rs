//! The rows of a result, a batch at a time: as many as one message holds are in memory.

use std::collections::VecDeque;

use arrow_array::{
    Array, ArrayRef, RecordBatch,
    cast::AsArray,
    types::{Decimal128Type, Int64Type},
};
use arrow_flight::{FlightInfo, Ticket, decode::FlightRecordBatchStream, sql::client::FlightSqlServiceClient};
use arrow_schema::DataType;
use futures_util::StreamExt;
use tonic::transport::Channel;

use crate::{Cluster, Error};

/// The rows of a query, in the order of the query if it says one.
pub struct Rows {
    cluster: Cluster,
    client: FlightSqlServiceClient<Channel>,
    tickets: VecDeque<Ticket>,
    /// The part of the result that is being taken.
    part: Option<FlightRecordBatchStream>,
}

impl Rows {
    pub(crate) fn new(cluster: Cluster, client: FlightSqlServiceClient<Channel>, info: FlightInfo) -> Self {
        let tickets = info.endpoint.into_iter().filter_map(|endpoint| endpoint.ticket).collect();
        Self { cluster, client, tickets, part: None }
    }

    /// The next rows; none at the end.
    ///
    /// # Errors
    /// An executor that holds a part of the result is gone, or the cluster takes too long.
    pub async fn next(&mut self) -> Result<Option<RowBatch>, Error> {
        let (cluster, limit) = (self.cluster.clone(), self.cluster.limits().rows);
        cluster.within("send the next rows of a result", limit, self.next_batch()).await
    }

    async fn next_batch(&mut self) -> Result<Option<RowBatch>, Error> {
        const STEP: &str = "send the rows of a result";
        loop {
            if self.part.is_none() {
                let Some(ticket) = self.tickets.pop_front() else { return Ok(None) };
                let opened = self.client.do_get(ticket).await;
                self.part = Some(opened.map_err(|error| Error::of_flight(error, self.cluster.address(), STEP))?);
            }
            match self.part.as_mut().map(StreamExt::next) {
                Some(next) => match next.await {
                    Some(Ok(batch)) if batch.num_rows() == 0 => {}
                    Some(Ok(batch)) => return Ok(Some(RowBatch(batch))),
                    Some(Err(error)) => return Err(Error::of_flight(error, self.cluster.address(), STEP)),
                    None => self.part = None,
                },
                None => return Ok(None),
            }
        }
    }
}

/// Some rows. Columns and rows are counted from 0.
#[derive(Debug)]
pub struct RowBatch(RecordBatch);

impl RowBatch {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.0.num_rows()
    }

    /// Number of columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.0.num_columns()
    }

    /// A text; none if it is null.
    ///
    /// # Errors
    /// The column holds no texts.
    pub fn text(&self, column: usize, row: usize) -> Result<Option<&str>, Error> {
        let array = self.column(column)?;
        if array.is_null(row) {
            return Ok(None);
        }
        match array.data_type() {
            DataType::Utf8 => Ok(Some(array.as_string::<i32>().value(row))),
            DataType::LargeUtf8 => Ok(Some(array.as_string::<i64>().value(row))),
            DataType::Utf8View => Ok(Some(array.as_string_view().value(row))),
            other => Err(other_type(column, "texts", other)),
        }
    }

    /// An integer; none if it is null.
    ///
    /// # Errors
    /// The column holds no integers of 64 bits.
    pub fn integer(&self, column: usize, row: usize) -> Result<Option<i64>, Error> {
        let array = self.column(column)?;
        match array.as_primitive_opt::<Int64Type>() {
            Some(array) => Ok(array.is_valid(row).then(|| array.value(row))),
            None => Err(other_type(column, "integers", array.data_type())),
        }
    }

    /// A decimal as all its digits and the number of those behind the point; none if it is null.
    ///
    /// # Errors
    /// The column holds no decimals of 128 bits, or their scale is negative.
    pub fn decimal(&self, column: usize, row: usize) -> Result<Option<(i128, u32)>, Error> {
        let array = self.column(column)?;
        match (array.as_primitive_opt::<Decimal128Type>(), array.data_type()) {
            (Some(values), DataType::Decimal128(_, scale)) => {
                let scale = u32::try_from(*scale).map_err(|_| other_type(column, "decimals", array.data_type()))?;
                Ok(values.is_valid(row).then(|| (values.value(row), scale)))
            }
            (_, other) => Err(other_type(column, "decimals", other)),
        }
    }

    fn column(&self, column: usize) -> Result<&ArrayRef, Error> {
        let missing = || Error::Unreadable(format!("{} columns, and no column {column}", self.columns()));
        self.0.columns().get(column).ok_or_else(missing)
    }
}

fn other_type(column: usize, wanted: &str, found: &DataType) -> Error {
    Error::Unreadable(format!("column {column} holds {found} in place of {wanted}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Decimal128Array, Int64Array, LargeStringArray, StringArray, StringViewArray};

    use super::*;

    fn batch(columns: Vec<ArrayRef>) -> RowBatch {
        let named = columns.into_iter().enumerate().map(|(at, column)| (format!("c{at}"), column, true));
        RowBatch(RecordBatch::try_from_iter_with_nullable(named).unwrap())
    }

    #[test]
    fn a_batch_gives_each_kind_of_value() {
        let texts = [Some("a"), None];
        let decimals = Decimal128Array::from(vec![Some(-150), None]).with_precision_and_scale(38, 2).unwrap();
        let batch = batch(vec![
            Arc::new(StringArray::from(texts.to_vec())),
            Arc::new(LargeStringArray::from(texts.to_vec())),
            Arc::new(StringViewArray::from(texts.to_vec())),
            Arc::new(Int64Array::from(vec![Some(7), None])),
            Arc::new(decimals),
        ]);
        assert_eq!((batch.rows(), batch.columns()), (2, 5));
        for column in 0..3 {
            assert_eq!((batch.text(column, 0).unwrap(), batch.text(column, 1).unwrap()), (Some("a"), None));
        }
        assert_eq!((batch.integer(3, 0).unwrap(), batch.integer(3, 1).unwrap()), (Some(7), None));
        assert_eq!((batch.decimal(4, 0).unwrap(), batch.decimal(4, 1).unwrap()), (Some((-150, 2)), None));
    }

    #[test]
    fn another_type_is_an_error_and_no_panic() {
        let batch = batch(vec![Arc::new(Int64Array::from(vec![1]))]);
        for error in [batch.text(0, 0).unwrap_err(), batch.decimal(0, 0).unwrap_err(), batch.integer(1, 0).unwrap_err()]
        {
            assert!(!error.is_away(), "{error}");
        }
    }
}
