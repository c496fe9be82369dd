//! Amounts per stretch of time, for plots. What events say is counted in the transaction that stores them (`database::events`). Polls
//! and requests are counted in memory by [`Meter`] and stored once per minute, because storing each would write all the time. Of those a
//! crash loses a minute at most.

mod meter;
mod series;

pub(crate) use meter::{Meter, StoreHistory};
pub use series::HistoryPoint;
pub(crate) use series::series;
